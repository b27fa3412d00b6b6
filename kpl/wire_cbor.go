package kpl

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

// What the first byte of an item in CBOR begins with (RFC 8949), its kind, and what follows.
const (
	cborBytes = 2 << 5
	cborText  = 3 << 5
	cborList  = 4 << 5
	cborMap   = 5 << 5
	cborKind  = 7 << 5

	cborOneByte    = 24 // the length is in the byte behind, or in as many as 2 << (n - 25)
	cborEightBytes = 27
	cborUntilBreak = 31 // no length: the end is marked
	cborBreak      = 0xFF
)

// setCBOR makes b the body of a request, byte for byte as AWS's SDK for Java writes it, which leaves lengths of maps and
// lists open. That of Go does not speak CBOR to this service.
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

// appendCBORText appends a string. Bytes that are no UTF-8 become U+FFFD, as they do in JSON.
func appendCBORText(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	return append(appendCBORHead(dst, cborText, len(s)), s...)
}

// cborScanner is the [answerScanner] of CBOR.
type cborScanner struct {
	rest  []byte              // what is still to be read of the answer
	left  [answerDepth]uint64 // members to come of each open map and list
	depth int                 // how many are open
}

// untilBreak stands for a number of members that only the end tells.
const untilBreak = math.MaxUint64

func (s *cborScanner) start(answer []byte) { *s = cborScanner{rest: answer} }

func (s *cborScanner) object() bool { return s.open(cborMap) }

func (s *cborScanner) list() bool { return s.open(cborList) }

func (s *cborScanner) open(kind byte) bool {
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

func (s *cborScanner) more() (more, ok bool) {
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

func (s *cborScanner) key() []byte {
	name, _ := s.text()
	return name
}

func (s *cborScanner) text() ([]byte, bool) {
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

func (s *cborScanner) zero() bool {
	if len(s.rest) == 0 || s.rest[0] != 0 {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// head reads the first bytes of an item of a kind, and returns the length that they have.
func (s *cborScanner) head(kind byte) (length uint64, ok bool) {
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
