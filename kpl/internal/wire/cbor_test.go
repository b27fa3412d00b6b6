// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/wire/wiretest"
)

// What software.amazon.awssdk:kinesis 2.57.8 sent for javaRecords, to a stream with a name and to one with an ARN.
var (
	//go:embed testdata/putrecords.cbor
	javaByName []byte
	//go:embed testdata/putrecords_arn.cbor
	javaByARN []byte
)

func javaRecords() []types.PutRecordsRequestEntry {
	var list []types.PutRecordsRequestEntry
	add := func(size int) {
		e := types.PutRecordsRequestEntry{Data: make([]byte, size), PartitionKey: aws.String(strings.Repeat("k", min(size, 255)+1))}
		for i := range e.Data {
			e.Data[i] = byte(i)
		}
		if size%2 == 1 {
			e.ExplicitHashKey = aws.String("340282366920938463463374607431768211455"[:min(size, 39)])
		}
		list = append(list, e)
	}
	for size := range 27 {
		add(size)
	}
	add(255)
	add(256)
	add(1000)
	return append(list, types.PutRecordsRequestEntry{
		Data: []byte("hello"), PartitionKey: aws.String("schlüssel 🦊 日本 \x00\x7f\u2028"), ExplicitHashKey: aws.String("0"),
	})
}

func TestRequestsInCBORAreThoseOfTheSDKForJava(t *testing.T) {
	for name, tt := range map[string]struct {
		in   kinesis.PutRecordsInput
		want []byte
	}{
		"name": {kinesis.PutRecordsInput{StreamName: aws.String("demo")}, javaByName},
		"ARN": {
			kinesis.PutRecordsInput{StreamARN: aws.String("arn:aws:kinesis:us-east-1:123456789012:stream/demo")}, javaByARN,
		},
	} {
		t.Run(name, func(t *testing.T) {
			tt.in.Records = javaRecords()
			r, got := serialized(t, cborProtocol(), &tt.in)
			requireSameBytes(t, tt.want, got)
			assert.Equal(t, "application/x-amz-cbor-1.1", r.Header.Get("Content-Type"))
			assert.Equal(t, "Kinesis_20131202.PutRecords", r.Header.Get("X-Amz-Target"))
			assert.Equal(t, "/", r.URL.Path)
			assert.Equal(t, int64(len(got)), r.ContentLength)
		})
	}
}

func TestRequestsInCBORAreComplete(t *testing.T) {
	for name, in := range putRecordsInputs() {
		t.Run(name, func(t *testing.T) {
			_, body := serialized(t, cborProtocol(), in)
			_, text := serialized(t, awsjson.New11(schemas.Kinesis_20131202), in)
			var want kinesis.PutRecordsInput
			require.NoError(t, json.Unmarshal(text, &want)) // what is no UTF-8 is replaced there too
			got, err := wiretest.ReadCBOR(body)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

// A head's length is that of the SDK's encoder, wherever it needs another byte.
func TestHeadsInCBOR(t *testing.T) {
	for _, length := range []int{0, 1, 23, 24, 255, 256, 65_535, 65_536, math.MaxUint32, math.MaxUint32 + 1, math.MaxInt} {
		number := cbor.Encode(cbor.Uint(length)) // of kind 0
		head := appendCBORHead(nil, cborText, length)
		assert.Equal(t, byte(cborText), head[0]&cborKind)
		head[0] &^= cborKind
		assert.Equal(t, number, head)

		head[0] |= cborBytes
		s := &cborAnswer{rest: head}
		got, ok := s.head(cborBytes)
		assert.True(t, ok)
		assert.Equal(t, uint64(length), got)
		assert.Empty(t, s.rest)
		for cut := range head {
			_, ok := (&cborAnswer{rest: head[:cut]}).head(cborBytes)
			assert.False(t, ok, "%d of %d bytes", cut, len(head))
		}
		_, ok = (&cborAnswer{rest: head}).head(cborText)
		assert.False(t, ok)
	}
	for short := byte(28); short < 32; short++ {
		_, ok := (&cborAnswer{rest: append([]byte{cborText | short}, make([]byte, 64)...)}).head(cborText)
		assert.False(t, ok, "%d is no length", short)
	}
}

// bothLengths calls f with an answer in CBOR, once with and once without lengths of maps and lists.
func bothLengths(t *testing.T, text string, f func(t *testing.T, body []byte)) {
	t.Helper()
	for _, open := range []bool{true, false} {
		t.Run(fmt.Sprint("open ", open), func(t *testing.T) {
			body, ok := wiretest.AsCBOR(text, open)
			require.True(t, ok, "the answer is JSON")
			f(t, body)
		})
	}
}

// unusualCBOR are answers that JSON cannot give.
func unusualCBOR() map[string]string {
	const entry = "\xa2\x6eSequenceNumber\x611\x67ShardId\x61a"
	in := func(list string) string { return "\xa2\x71FailedRecordCount\x00\x67Records" + list }
	return map[string]string{
		"a count in two bytes":    "\xa2\x71FailedRecordCount\x18\x00\x67Records\x81" + entry,
		"a negative count":        "\xa2\x71FailedRecordCount\x20\x67Records\x81" + entry,
		"text in pieces":          in("\x81\xa2\x6eSequenceNumber\x7f\x611\xff\x67ShardId\x61a"),
		"a name in pieces":        in("\x81\xa2\x7f\x6eSequenceNumber\xff\x611\x67ShardId\x61a"),
		"bytes for text":          in("\x81\xa2\x6eSequenceNumber\x411\x67ShardId\x61a"),
		"undefined for a number":  in("\x81\xa2\x6eSequenceNumber\xf7\x67ShardId\x61a"),
		"a tag":                   in("\x81\xa2\x6eSequenceNumber\xc0\x611\x67ShardId\x61a"),
		"fewer than announced":    in("\x82" + entry),
		"huge lists":              in("\x9b\xff\xff\xff\xff\xff\xff\xff\xff" + entry),
		"huge maps":               "\xbb\xff\xff\xff\xff\xff\xff\xff\xfe\x71FailedRecordCount\x00",
		"huge text":               in("\x81\xa2\x6eSequenceNumber\x7b\xff\xff\xff\xff\xff\xff\xff\xff"),
		"a list without its end":  in("\x9f" + entry),
		"a map without its end":   "\xbf\x71FailedRecordCount\x00\x67Records\x81" + entry,
		"an end too many":         in("\x81" + "\xbf\x6eSequenceNumber\xff"),
		"an end for a number":     in("\x82" + entry + "\xff"),
		"a list for an entry":     in("\x81\x80"),
		"a map for the list":      in("\xa1" + entry),
		"only the start of a map": "\xbf",
		"an unknown kind":         "\xfc",
	}
}

func TestUnusualAnswersInCBORAreLeftToTheSDK(t *testing.T) {
	for name, body := range unusualCBOR() {
		t.Run(name, func(t *testing.T) {
			w := cborProtocol()
			assert.False(t, w.reads(true, []byte(body), 2))
			compareAnswer(t, w, contentTypeCBOR, 200, 2, []byte(body))
		})
	}
	for name, text := range unusualAnswers() {
		if _, ok := wiretest.AsCBOR(text, true); !ok || strings.HasPrefix(name, "an escape") || strings.HasPrefix(name, "two ") {
			continue // there is no such thing in CBOR
		}
		t.Run(name, func(t *testing.T) {
			bothLengths(t, text, func(t *testing.T, body []byte) {
				w := cborProtocol()
				assert.False(t, w.reads(true, body, 2))
				compareAnswer(t, w, contentTypeCBOR, 200, 2, body)
			})
		})
	}
	t.Run("an error", func(t *testing.T) {
		bothLengths(t, `{"__type":"ValidationException","message":"no"}`, func(t *testing.T, body []byte) {
			compareAnswer(t, cborProtocol(), contentTypeCBOR, 400, 1, body)
		})
	})
}

func TestUsualAnswersInCBORAreReadByHand(t *testing.T) {
	for name, tt := range usualAnswers() {
		if strings.HasSuffix(name, " twice") {
			continue // a map in Go has each member once
		}
		t.Run(name, func(t *testing.T) {
			bothLengths(t, strings.TrimSuffix(tt.body, " more"), func(t *testing.T, body []byte) {
				body = append(body, "behind"...)
				w := cborProtocol()
				assert.True(t, w.reads(true, body, tt.records))
				compareAnswer(t, w, contentTypeCBOR, 200, tt.records, body)
			})
		})
	}
}

func FuzzAnswersInCBORAreUnderstoodAsTheSDKDoes(f *testing.F) {
	for _, open := range []bool{true, false} {
		texts := []string{wiretest.UsualAnswer(3), `{"__type":"x#ValidationException","message":"no"}`}
		for _, text := range unusualAnswers() {
			texts = append(texts, text)
		}
		for _, text := range texts {
			if body, ok := wiretest.AsCBOR(text, open); ok {
				f.Add(200, uint16(3), body)
				f.Add(400, uint16(3), body)
			}
		}
	}
	for _, body := range unusualCBOR() {
		f.Add(200, uint16(2), []byte(body))
	}
	w := cborProtocol()
	f.Fuzz(func(t *testing.T, status int, records uint16, body []byte) {
		compareAnswer(t, w, contentTypeCBOR, status%1000, int(records), body)
	})
}

func FuzzRequestsInCBOR(f *testing.F) {
	for _, key := range oddKeys()[:20] {
		f.Add(key, []byte(key), uint8(3))
	}
	f.Fuzz(func(t *testing.T, key string, data []byte, parts uint8) {
		want := &kinesis.PutRecordsInput{StreamName: aws.String("s"), Records: []types.PutRecordsRequestEntry{}}
		valid := string([]rune(key))
		for i := range min(int(parts), len(data)) {
			want.Records = append(want.Records, types.PutRecordsRequestEntry{Data: data[i:], PartitionKey: &key})
		}
		_, body := serialized(t, cborProtocol(), want)
		got, err := wiretest.ReadCBOR(body)
		require.NoError(t, err)
		for i := range want.Records {
			want.Records[i].PartitionKey = &valid
		}
		assert.Equal(t, want, &got)
		var hashed bytes.Buffer
		w := cborProtocol()
		w.body.setCBOR(&got)
		_, err = w.body.WriteTo(&hashed)
		require.NoError(t, err)
		requireSameBytes(t, body, hashed.Bytes())
	})
}
