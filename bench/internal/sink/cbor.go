// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package sink

import "bytes"

// eachCBORRecord calls f for each record of a PutRecords request in CBOR, as AWS's SDK for Java writes it. Its maps and
// lists have no length and end with a break.
func eachCBORRecord(request []byte, f func(entry) error) error {
	rest, found := bytes.CutPrefix(request, []byte("\xbf\x67Records\x9f"))
	for found {
		if rest, found = bytes.CutPrefix(rest, []byte{0xbf}); !found {
			break
		}
		var e entry
		var err error
		if e, rest, err = readCBOREntry(rest); err != nil {
			return err
		}
		if err := f(e); err != nil {
			return err
		}
		if len(rest) > 0 && rest[0] == 0xff {
			return nil
		}
	}
	return errRequest
}

// readCBOREntry reads a map of strings after its first byte, and returns what follows it.
func readCBOREntry(rest []byte) (e entry, after []byte, err error) {
	for {
		if len(rest) > 0 && rest[0] == 0xff {
			return e, rest[1:], nil
		}
		name, rest1, ok1 := readCBORString(rest)
		value, rest2, ok2 := readCBORString(rest1)
		if !ok1 || !ok2 {
			return e, nil, errRequest
		}
		e.set(name, value)
		rest = rest2
	}
}

// readCBORString reads a string of text or bytes.
func readCBORString(rest []byte) (value, after []byte, ok bool) {
	if len(rest) == 0 || rest[0]>>5 != 2 && rest[0]>>5 != 3 {
		return nil, nil, false
	}
	length := uint64(rest[0] & 31)
	rest = rest[1:]
	if length >= 24 {
		size := 1 << (length - 24)
		if length > 27 || size > len(rest) {
			return nil, nil, false
		}
		length = 0
		for _, b := range rest[:size] {
			length = length<<8 | uint64(b)
		}
		rest = rest[size:]
	}
	if length > uint64(len(rest)) {
		return nil, nil, false
	}
	return rest[:length], rest[length:], true
}
