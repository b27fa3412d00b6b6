// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
)

// encodeToken encodes the content of a page token or a shard iterator. As with the service, callers cannot read it.
func encodeToken(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // Tokens are structs and strings of this package, which can always be encoded.
	}
	return base64.StdEncoding.EncodeToString(text)
}

// decodeToken decodes a token into value. It reports whether the token is one of encodeToken for a value of the same type.
func decodeToken(token string, value any) bool {
	text, err := base64.StdEncoding.Strict().DecodeString(token)
	if err != nil {
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(value) == nil && encodeToken(value) == token
}
