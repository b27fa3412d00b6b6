package kpl

import (
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

// byHand reports whether [requestBody] knows all that is in a request.
func byHand(in *kinesis.PutRecordsInput) bool {
	if in.DryRun != nil || in.StreamId != nil || in.Records == nil {
		return false
	}
	for i := range in.Records {
		if in.Records[i].Data == nil || in.Records[i].PartitionKey == nil {
			return false
		}
	}
	return true
}

// appendQuoted appends s as a JSON string, with the escapes that the SDK uses. Bytes that are no UTF-8 become U+FFFD.
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
