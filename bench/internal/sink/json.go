// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package sink

import "bytes"

// eachJSONRecord calls f for each record of a PutRecords request. To be fast it does not read all of JSON: strings must not
// have escapes.
func eachJSONRecord(request []byte, f func(entry) error) error {
	_, rest, found := bytes.Cut(request, []byte(`"Records":[`))
	for found {
		var e entry
		var err error
		if e, rest, err = readJSONEntry(rest); err != nil {
			return err
		}
		if err := f(e); err != nil {
			return err
		}
		if len(rest) == 0 || rest[0] != ',' {
			return nil
		}
		rest = rest[1:]
	}
	return errRequest
}

// readJSONEntry reads an object of strings, and returns what follows it.
func readJSONEntry(rest []byte) (e entry, after []byte, err error) {
	if len(rest) == 0 || rest[0] != '{' {
		return e, nil, errRequest
	}
	for {
		name, rest1, ok1 := readString(rest[1:])
		if !ok1 || len(rest1) == 0 || rest1[0] != ':' {
			return e, nil, errRequest
		}
		value, rest2, ok2 := readString(rest1[1:])
		if !ok2 || len(rest2) == 0 {
			return e, nil, errRequest
		}
		e.set(name, value)
		if rest = rest2; rest[0] == '}' {
			return e, rest[1:], nil
		}
	}
}

// readString reads a string without escapes.
func readString(rest []byte) (value, after []byte, ok bool) {
	if len(rest) == 0 || rest[0] != '"' {
		return nil, nil, false
	}
	value, after, ok = bytes.Cut(rest[1:], []byte{'"'})
	return value, after, ok
}

// decodedSize returns the number of bytes that are encoded in base64.
func decodedSize(base64 []byte) int {
	return len(base64)/4*3 - (len(base64) - len(bytes.TrimRight(base64, "=")))
}
