// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

// setJSON makes b the body of a request, byte for byte as the SDK for Go writes it.
func (b *requestBody) setJSON(in *kinesis.PutRecordsInput) {
	b.begin(false)
	b.text = append(b.text, `{"Records":[`...)
	for i := range in.Records {
		e := &in.Records[i]
		if i > 0 {
			b.text = append(b.text, ',')
		}
		b.text = append(b.text, `{"Data":"`...)
		b.add(e.Data)
		b.text = append(b.text, '"')
		if e.ExplicitHashKey != nil {
			b.text = append(b.text, `,"ExplicitHashKey":`...)
			b.text = appendQuoted(b.text, *e.ExplicitHashKey)
		}
		b.text = append(b.text, `,"PartitionKey":`...)
		b.text = appendQuoted(b.text, *e.PartitionKey)
		b.text = append(b.text, '}')
	}
	b.text = append(b.text, ']')
	if in.StreamARN != nil {
		b.text = append(b.text, `,"StreamARN":`...)
		b.text = appendQuoted(b.text, *in.StreamARN)
	}
	if in.StreamName != nil {
		b.text = append(b.text, `,"StreamName":`...)
		b.text = appendQuoted(b.text, *in.StreamName)
	}
	b.text = append(b.text, '}')
	b.end()
}

// appendQuoted appends s as a JSON string, with the escapes that the SDK uses. Bytes that are not UTF-8 become U+FFFD.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	done := 0 // bytes of s that have been appended
	for i := 0; i < len(s); {
		c, size := rune(s[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRuneInString(s[i:])
		}
		if plain(c, size) {
			i += size
			continue
		}
		dst = append(dst, s[done:i]...)
		dst = appendEscaped(dst, c)
		i += size
		done = i
	}
	dst = append(dst, s[done:]...)
	return append(dst, '"')
}

// plain reports whether c, which has size bytes, stands for itself in a string.
func plain(c rune, size int) bool {
	switch c {
	case '"', '\\', 0x7F, '\u2028', '\u2029':
		return false
	case utf8.RuneError:
		return size > 1
	}
	return c >= ' '
}

// appendEscaped appends a character that is not plain.
func appendEscaped(dst []byte, c rune) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', byte(c))
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	case utf8.RuneError:
		return utf8.AppendRune(dst, utf8.RuneError)
	}
	return append(dst, '\\', 'u', hex[c>>12&0xF], hex[c>>8&0xF], hex[c>>4&0xF], hex[c&0xF])
}

// jsonAnswer is an [encodedAnswer] in JSON.
type jsonAnswer struct {
	answer []byte
	at     int               // how many bytes of it have been read
	closes [answerDepth]byte // the bracket that closes each open object and list
	depth  int               // how many are open
	first  bool              // the next member is the first of the innermost open object or list
}

func (s *jsonAnswer) start(answer []byte) { *s = jsonAnswer{answer: answer} }

func (s *jsonAnswer) object() bool { return s.open('{', '}') }

func (s *jsonAnswer) list() bool { return s.open('[', ']') }

func (s *jsonAnswer) open(bracket, closes byte) bool {
	if !s.next(bracket) {
		return false
	}
	s.closes[s.depth] = closes
	s.depth++
	s.first = true
	return true
}

func (s *jsonAnswer) more() (more, ok bool) {
	if s.next(s.closes[s.depth-1]) {
		s.depth--
		s.first = false
		return false, true
	}
	ok = s.first || s.next(',')
	s.first = false
	return ok, ok
}

func (s *jsonAnswer) key() []byte {
	name, ok := s.text()
	if !ok || !s.next(':') {
		return nil
	}
	return name
}

func (s *jsonAnswer) zero() bool { return s.next('0') }

// text reads a string of plain ASCII characters.
func (s *jsonAnswer) text() ([]byte, bool) {
	if !s.next('"') {
		return nil, false
	}
	rest := s.answer[s.at:]
	for i, b := range rest {
		if b == '"' {
			s.at += i + 1
			return rest[:i], true
		}
		if b-' ' > '~'-' ' || b == '\\' {
			return nil, false
		}
	}
	return nil, false
}

// next reads white space and the character c. It reports false, and reads nothing, if another character is next.
func (s *jsonAnswer) next(c byte) bool {
	for at := s.at; at < len(s.answer); at++ {
		switch s.answer[at] {
		case c:
			s.at = at + 1
			return true
		case ' ', '\t', '\n', '\r':
		default:
			return false
		}
	}
	return false
}
