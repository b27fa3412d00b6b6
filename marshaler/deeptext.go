// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"
)

// maxTextOf is how many bytes of JSON text replace a list or map at most. It also bounds how deep textOf looks.
const maxTextOf = 16 << 10

// textOf returns the JSON text of a value, which strict readers would not decode because it lies too deep. A text of more than
// maxTextOf bytes is cut and ends with "...". The text is valid UTF-8.
func textOf(value []byte) []byte {
	text := appendValueText(nil, value)
	if len(text) <= maxTextOf {
		return text
	}
	const end = "..."
	cut := maxTextOf - len(end)
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return append(text[:cut], end...)
}

// appendValueText appends the JSON text of a value. It stops when the text is longer than maxTextOf.
func appendValueText(text, value []byte) []byte {
	f, ok := readField(value, 0)
	if !ok || len(text) > maxTextOf {
		return append(text, "null"...)
	}
	content := value[f.start:f.end]
	switch f.number {
	case valueString:
		return appendQuoted(text, content)
	case valueBool:
		return strconv.AppendBool(text, content[0] != 0)
	case valueInt:
		n, _ := readUvarint(content, 0)
		return strconv.AppendInt(text, int64(n), 10) //nolint:gosec // two's complement
	case valueDouble:
		return appendDouble(text, math.Float64frombits(binary.LittleEndian.Uint64(content)))
	case valueArray:
		return appendList(text, content, '[', ']', appendValueText)
	case valueKvlist:
		return appendList(text, content, '{', '}', appendEntryText)
	case valueBytes:
		text = append(text, '"')
		text = base64.StdEncoding.AppendEncode(text, content[:min(len(content), maxTextOf)])
		return append(text, '"')
	}
	return append(text, "null"...)
}

// appendList appends the elements of a list or map, each with the function.
func appendList(text, content []byte, open, closing byte, element func(text, content []byte) []byte) []byte {
	text = append(text, open)
	first := true
	eachField(content, func(f field) bool {
		if !first {
			text = append(text, ',')
		}
		first = false
		text = element(text, content[f.start:f.end])
		return len(text) <= maxTextOf
	})
	return append(text, closing)
}

// appendEntryText appends the key and the value of an entry of a map.
func appendEntryText(text, entry []byte) []byte {
	var key, value []byte
	eachField(entry, func(f field) bool {
		switch f.number {
		case 1:
			key = entry[f.start:f.end]
		case 2:
			value = entry[f.start:f.end]
		}
		return true
	})
	text = append(appendQuoted(text, key), ':')
	return appendValueText(text, value)
}

// appendQuoted appends a JSON string. Its invalid UTF-8 is replaced.
func appendQuoted(text, content []byte) []byte {
	valid := bytes.ToValidUTF8(content[:min(len(content), maxTextOf)], []byte(replacement))
	quoted, _ := json.Marshal(string(valid)) // never fails for a string
	return append(text, quoted...)
}

// appendDouble appends a number. JSON has no NaN and no infinity, so these are strings, as in OTLP's JSON.
func appendDouble(text []byte, n float64) []byte {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return strconv.AppendQuote(text, strconv.FormatFloat(n, 'g', -1, 64))
	}
	return strconv.AppendFloat(text, n, 'g', -1, 64)
}
