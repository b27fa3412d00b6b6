package kpltest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
)

// encodeToken writes what a token or an iterator stands for, opaque to callers as the service's are.
func encodeToken(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // Tokens are plain structs of this package.
	}
	return base64.StdEncoding.EncodeToString(text)
}

// decodeToken reads a token into value, and reports whether encodeToken wrote it for a value of that type.
func decodeToken(token string, value any) bool {
	text, err := base64.StdEncoding.Strict().DecodeString(token)
	if err != nil {
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(value) == nil && encodeToken(value) == token
}
