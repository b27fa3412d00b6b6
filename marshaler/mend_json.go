// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"bytes"
	"unicode/utf8"
)

// nestedInJSON is what stands in JSON at each list or map in another value. In text, its quote would have a backslash.
const nestedInJSON = `Value":{`

// fewNested is fewer lists and maps than are needed to lie too deep. At most 8 messages are around a value, and each list or map
// adds at most 3.
const fewNested = (maxNesting - 8) / 3

// isCleanJSON reports whether strict readers decode OTLP in JSON: it is valid UTF-8, and no value lies too deep. In JSON, each
// message is an object.
func isCleanJSON(s jsonScanner) bool {
	if !utf8.Valid(s) {
		return false
	}
	if bytes.Count(s, []byte(nestedInJSON)) < fewNested {
		return true
	}
	depth := 0
	for pos := 0; pos < len(s); pos++ {
		switch s[pos] {
		case '"':
			end, ok := s.skipString(pos)
			if !ok {
				return false
			}
			pos = end - 1
		case '{':
			depth++
			if depth > maxNesting+1 { // the request is an object too
				return false
			}
		case '}':
			depth--
		}
	}
	return true
}

// mendJSON encodes pdata as JSON that strict readers decode. It changes the protobuf encoding, and makes the JSON from that.
func (m *Marshaler) mendJSON(f *filler, pdata any) ([]byte, error) {
	proto := newCodec(OTLPProto)
	data, err := proto.encode(pdata)
	if err != nil {
		return nil, err
	}
	b := f.mend(&buffer{data: data}, 0)
	defer b.release()
	mended, err := proto.decode(f.signal, b.data)
	if err != nil {
		return nil, err
	}
	return m.codec.encode(mended)
}
