// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

// The first byte of an item in CBOR (RFC 8949): three bits for the kind of the item, and five for its length.
const (
	cborBytes = 2 << 5
	cborText  = 3 << 5
	cborList  = 4 << 5
	cborMap   = 5 << 5
	cborKind  = 7 << 5

	// Lengths below 24 are in the first byte itself. From 24 to 27, these bits say that the length is in the next 1, 2, 4 or
	// 8 bytes.
	cborOneByte    = 24
	cborEightBytes = 27
	// A map or list with these bits has no length: it ends with cborBreak.
	cborUntilBreak = 31
	cborBreak      = 0xFF
)

// setCBOR makes b the body of a request, byte for byte as AWS's SDK for Java writes it. Its maps and lists have no length. The
// SDK for Go cannot write CBOR for this service.
func (b *requestBody) setCBOR(in *kinesis.PutRecordsInput) {
	b.begin(true)
	b.text = append(b.text, cborMap|cborUntilBreak)
	b.text = appendCBORText(b.text, "Records")
	b.text = append(b.text, cborList|cborUntilBreak)
	for i := range in.Records {
		e := &in.Records[i]
		b.text = append(b.text, cborMap|cborUntilBreak)
		b.text = appendCBORText(b.text, "Data")
		b.text = appendCBORHead(b.text, cborBytes, len(e.Data))
		b.add(e.Data)
		if e.ExplicitHashKey != nil {
			b.text = appendCBORText(b.text, "ExplicitHashKey")
			b.text = appendCBORText(b.text, *e.ExplicitHashKey)
		}
		b.text = appendCBORText(b.text, "PartitionKey")
		b.text = appendCBORText(b.text, *e.PartitionKey)
		b.text = append(b.text, cborBreak)
	}
	b.text = append(b.text, cborBreak)
	if in.StreamARN != nil {
		b.text = appendCBORText(b.text, "StreamARN")
		b.text = appendCBORText(b.text, *in.StreamARN)
	}
	if in.StreamName != nil {
		b.text = appendCBORText(b.text, "StreamName")
		b.text = appendCBORText(b.text, *in.StreamName)
	}
	b.text = append(b.text, cborBreak)
	b.end()
}

// appendCBORHead appends the kind and the length of an item.
func appendCBORHead(dst []byte, kind byte, length int) []byte {
	switch n := uint64(length); { //nolint:gosec // lengths are not negative
	case n < cborOneByte:
		return append(dst, kind|byte(n))
	case n <= math.MaxUint8:
		return append(dst, kind|cborOneByte, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, kind|(cborOneByte+1)), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, kind|(cborOneByte+2)), uint32(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, kind|cborEightBytes), n)
	}
}

// appendCBORText appends a string. Bytes that are not UTF-8 become U+FFFD, as they do in JSON.
func appendCBORText(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	return append(appendCBORHead(dst, cborText, len(s)), s...)
}

// cborAnswer is an [encodedAnswer] in CBOR.
type cborAnswer struct {
	rest  []byte              // what is still to be read of the answer
	left  [answerDepth]uint64 // how many members of each open map and list are still to be read
	depth int                 // how many are open
}

// untilBreak stands in for the number of members of a map or list without a length.
const untilBreak = math.MaxUint64

func (s *cborAnswer) start(answer []byte) { *s = cborAnswer{rest: answer} }

func (s *cborAnswer) object() bool { return s.open(cborMap) }

func (s *cborAnswer) list() bool { return s.open(cborList) }

func (s *cborAnswer) open(kind byte) bool {
	members := uint64(untilBreak)
	if len(s.rest) > 0 && s.rest[0] == kind|cborUntilBreak {
		s.rest = s.rest[1:]
	} else {
		var ok bool
		if members, ok = s.head(kind); !ok || members == untilBreak {
			return false
		}
	}
	s.left[s.depth] = members
	s.depth++
	return true
}

func (s *cborAnswer) more() (more, ok bool) {
	if len(s.rest) == 0 && s.left[s.depth-1] > 0 {
		return false, false
	}
	switch left := &s.left[s.depth-1]; {
	case *left == 0:
	case *left != untilBreak:
		*left--
		return true, true
	case s.rest[0] != cborBreak:
		return true, true
	default:
		s.rest = s.rest[1:]
	}
	s.depth--
	return false, true
}

func (s *cborAnswer) key() []byte {
	name, _ := s.text()
	return name
}

func (s *cborAnswer) text() ([]byte, bool) {
	length, ok := s.head(cborText)
	if !ok || length > uint64(len(s.rest)) {
		return nil, false
	}
	text := s.rest[:length]
	s.rest = s.rest[length:]
	for _, b := range text {
		if b-' ' > '~'-' ' {
			return nil, false
		}
	}
	return text, true
}

func (s *cborAnswer) zero() bool {
	if len(s.rest) == 0 || s.rest[0] != 0 {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// head reads the first bytes of an item, which must be of the given kind, and returns its length.
func (s *cborAnswer) head(kind byte) (length uint64, ok bool) {
	if len(s.rest) == 0 || s.rest[0]&cborKind != kind {
		return 0, false
	}
	short := s.rest[0] &^ cborKind
	s.rest = s.rest[1:]
	if short < cborOneByte {
		return uint64(short), true
	}
	size := 1 << (short - cborOneByte)
	if short > cborEightBytes || size > len(s.rest) {
		return 0, false
	}
	for _, b := range s.rest[:size] {
		length = length<<8 | uint64(b)
	}
	s.rest = s.rest[size:]
	return length, true
}
