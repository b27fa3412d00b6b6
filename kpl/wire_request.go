package kpl

import (
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/segmentio/asm/base64"
)

// byHand reports whether [appendPutRecords] knows all that is in a request.
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

// appendPutRecords appends the JSON body of a request, byte for byte as the SDK writes it.
func appendPutRecords(dst []byte, in *kinesis.PutRecordsInput) []byte {
	dst = slices.Grow(dst, putRecordsSize(in))
	dst = append(dst, `{"Records":[`...)
	for i := range in.Records {
		e := &in.Records[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"Data":"`...)
		dst = appendBase64(dst, e.Data)
		dst = append(dst, '"')
		if e.ExplicitHashKey != nil {
			dst = append(dst, `,"ExplicitHashKey":`...)
			dst = appendQuoted(dst, *e.ExplicitHashKey)
		}
		dst = append(dst, `,"PartitionKey":`...)
		dst = appendQuoted(dst, *e.PartitionKey)
		dst = append(dst, '}')
	}
	dst = append(dst, ']')
	if in.StreamARN != nil {
		dst = append(dst, `,"StreamARN":`...)
		dst = appendQuoted(dst, *in.StreamARN)
	}
	if in.StreamName != nil {
		dst = append(dst, `,"StreamName":`...)
		dst = appendQuoted(dst, *in.StreamName)
	}
	return append(dst, '}')
}

// putRecordsSize is as much as the body of a request has where nothing needs an escape, or a few bytes more.
func putRecordsSize(in *kinesis.PutRecordsInput) int {
	size := len(`{"Records":[],"StreamARN":"","StreamName":""}`) +
		len(aws.ToString(in.StreamARN)) + len(aws.ToString(in.StreamName))
	for i := range in.Records {
		e := &in.Records[i]
		size += len(`{"Data":"","ExplicitHashKey":"","PartitionKey":""},`) + base64.StdEncoding.EncodedLen(len(e.Data)) +
			len(aws.ToString(e.ExplicitHashKey)) + len(*e.PartitionKey)
	}
	return size
}

// appendBase64 appends data in base64. The library's encoder is vectorised: it costs a tenth of the standard one.
func appendBase64(dst, data []byte) []byte {
	start := len(dst)
	dst = slices.Grow(dst, base64.StdEncoding.EncodedLen(len(data)))
	dst = dst[:start+base64.StdEncoding.EncodedLen(len(data))]
	base64.StdEncoding.Encode(dst[start:], data)
	return dst
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
