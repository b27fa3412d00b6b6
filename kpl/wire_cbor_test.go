package kpl

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
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
			e.ExplicitHashKey = aws.String(maxHashKey.String()[:min(size, 39)])
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
			r, got := serialized(t, cborWire(), &tt.in)
			requireSameBytes(t, tt.want, got)
			assert.Equal(t, "application/x-amz-cbor-1.1", r.Header.Get("Content-Type"))
			assert.Equal(t, "Kinesis_20131202.PutRecords", r.Header.Get("X-Amz-Target"))
			assert.Equal(t, "/", r.URL.Path)
			assert.Equal(t, int64(len(got)), r.ContentLength)
		})
	}
}

// readPutRecords returns what the SDK reads in a body in CBOR.
func readPutRecords(body []byte) (in kinesis.PutRecordsInput, err error) {
	text := func(m cbor.Map, key string) *string {
		if s, ok := m[key].(cbor.String); ok {
			return (*string)(&s)
		}
		return nil
	}
	decoded, err := cbor.Decode(body)
	if err != nil {
		return in, err
	}
	top, _ := decoded.(cbor.Map)
	in.StreamName, in.StreamARN = text(top, "StreamName"), text(top, "StreamARN")
	records, ok := top["Records"].(cbor.List)
	if !ok {
		return in, errors.New("no records")
	}
	in.Records = make([]types.PutRecordsRequestEntry, len(records))
	for i, r := range records {
		m, _ := r.(cbor.Map)
		data, ok := m["Data"].(cbor.Slice)
		if !ok {
			return in, fmt.Errorf("record %d has no data", i)
		}
		in.Records[i] = types.PutRecordsRequestEntry{
			Data: data, PartitionKey: text(m, "PartitionKey"), ExplicitHashKey: text(m, "ExplicitHashKey"),
		}
	}
	return in, nil
}

func TestRequestsInCBORSayWhatTheyShall(t *testing.T) {
	for name, in := range putRecordsInputs() {
		t.Run(name, func(t *testing.T) {
			_, body := serialized(t, cborWire(), in)
			_, text := serialized(t, awsjson.New11(schemas.Kinesis_20131202), in)
			var want kinesis.PutRecordsInput
			require.NoError(t, json.Unmarshal(text, &want)) // what is no UTF-8 is replaced there too
			got, err := readPutRecords(body)
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
		s := &cborScanner{rest: head}
		got, ok := s.head(cborBytes)
		assert.True(t, ok)
		assert.Equal(t, uint64(length), got)
		assert.Empty(t, s.rest)
		for cut := range head {
			_, ok := (&cborScanner{rest: head[:cut]}).head(cborBytes)
			assert.False(t, ok, "%d of %d bytes", cut, len(head))
		}
		_, ok = (&cborScanner{rest: head}).head(cborText)
		assert.False(t, ok)
	}
	for short := byte(28); short < 32; short++ {
		_, ok := (&cborScanner{rest: append([]byte{cborText | short}, make([]byte, 64)...)}).head(cborText)
		assert.False(t, ok, "%d is no length", short)
	}
}

// asCBOR is an answer in JSON in CBOR, with open lengths, as the service writes it, or with the number of members. It is
// false for what is no JSON.
func asCBOR(text string, open bool) ([]byte, bool) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, false
	}
	return appendAsCBOR(nil, value, open), true
}

func appendAsCBOR(dst []byte, value any, open bool) []byte {
	begin := func(kind byte, members int) {
		if open {
			dst = append(dst, kind|cborUntilBreak)
		} else {
			dst = appendCBORHead(dst, kind, members)
		}
	}
	end := func() []byte {
		if open {
			dst = append(dst, cborBreak)
		}
		return dst
	}
	switch v := value.(type) {
	case map[string]any:
		begin(cborMap, len(v))
		var names []string
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			dst = appendAsCBOR(appendCBORText(dst, name), v[name], open)
		}
		return end()
	case []any:
		begin(cborList, len(v))
		for _, member := range v {
			dst = appendAsCBOR(dst, member, open)
		}
		return end()
	case string:
		return append(appendCBORHead(dst, cborText, len(v)), v...)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return append(dst, cbor.Encode(cbor.Uint(n))...)
		}
		f, _ := v.Float64()
		return append(dst, cbor.Encode(cbor.Float64(f))...)
	default:
		return append(dst, cbor.Encode(&cbor.Nil{})...)
	}
}

// bothLengths calls f with an answer in CBOR in both ways to write it.
func bothLengths(t *testing.T, text string, f func(t *testing.T, body []byte)) {
	t.Helper()
	for _, open := range []bool{true, false} {
		t.Run(fmt.Sprint("open ", open), func(t *testing.T) {
			body, ok := asCBOR(text, open)
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
			w := cborWire()
			assert.False(t, w.reads(true, []byte(body), 2))
			compareAnswer(t, w, contentTypeCBOR, 200, 2, []byte(body))
		})
	}
	for name, text := range unusualAnswers() {
		if _, ok := asCBOR(text, true); !ok || strings.HasPrefix(name, "an escape") || strings.HasPrefix(name, "two ") {
			continue // there is no such thing in CBOR
		}
		t.Run(name, func(t *testing.T) {
			bothLengths(t, text, func(t *testing.T, body []byte) {
				w := cborWire()
				assert.False(t, w.reads(true, body, 2))
				compareAnswer(t, w, contentTypeCBOR, 200, 2, body)
			})
		})
	}
	t.Run("an error", func(t *testing.T) {
		bothLengths(t, `{"__type":"ValidationException","message":"no"}`, func(t *testing.T, body []byte) {
			compareAnswer(t, cborWire(), contentTypeCBOR, 400, 1, body)
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
				w := cborWire()
				assert.True(t, w.reads(true, body, tt.records))
				compareAnswer(t, w, contentTypeCBOR, 200, tt.records, body)
			})
		})
	}
}

func FuzzAnswersInCBORAreUnderstoodAsTheSDKDoes(f *testing.F) {
	for _, open := range []bool{true, false} {
		texts := []string{usualAnswer(3), `{"__type":"x#ValidationException","message":"no"}`}
		for _, text := range unusualAnswers() {
			texts = append(texts, text)
		}
		for _, text := range texts {
			if body, ok := asCBOR(text, open); ok {
				f.Add(200, uint16(3), body)
				f.Add(400, uint16(3), body)
			}
		}
	}
	for _, body := range unusualCBOR() {
		f.Add(200, uint16(2), []byte(body))
	}
	w := cborWire()
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
		_, body := serialized(t, cborWire(), want)
		got, err := readPutRecords(body)
		require.NoError(t, err)
		for i := range want.Records {
			want.Records[i].PartitionKey = &valid
		}
		assert.Equal(t, want, &got)
		var hashed bytes.Buffer
		w := cborWire()
		w.body.setCBOR(&got)
		_, err = w.body.WriteTo(&hashed)
		require.NoError(t, err)
		requireSameBytes(t, body, hashed.Bytes())
	})
}
