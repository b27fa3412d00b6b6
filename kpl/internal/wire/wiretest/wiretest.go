// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package wiretest has requests and answers for tests of what goes over the wire. It shares no code with the package wire.
package wiretest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go/encoding/cbor"
)

// ContentTypeJSON and ContentTypeCBOR are what the service calls its encodings.
const (
	ContentTypeJSON = "application/x-amz-json-1.1"
	ContentTypeCBOR = "application/x-amz-cbor-1.1"
)

// Size is the size of a request.
type Size struct {
	Records int
	Bytes   int // of each record's data
}

// Sizes are a request full of small aggregates, one of large ones, and one with an aggregate alone.
func Sizes() []Size { return []Size{{500, 10_000}, {5, 1 << 20}, {1, 50_000}} }

// String is the name of a benchmark.
func (s Size) String() string { return fmt.Sprintf("%dx%d", s.Records, s.Bytes) }

// Input is a request of that size.
func (s Size) Input() *kinesis.PutRecordsInput {
	in := &kinesis.PutRecordsInput{StreamName: aws.String("stream")}
	for i := range s.Records {
		data := make([]byte, s.Bytes)
		for j := range data {
			data[j] = byte(i + j)
		}
		in.Records = append(in.Records, types.PutRecordsRequestEntry{
			Data: data, PartitionKey: aws.String("a"), ExplicitHashKey: aws.String("340282366920938463463374607431768211455"),
		})
	}
	return in
}

// UsualAnswer says that so many records are stored, as the service says it in JSON.
func UsualAnswer(records int) string {
	list := make([]string, records)
	for i := range list {
		list[i] = fmt.Sprintf(`{"SequenceNumber":"4965%052d","ShardId":"shardId-%012d"}`, i, i%4)
	}
	return `{"EncryptionType":"KMS","FailedRecordCount":0,"Records":[` + strings.Join(list, ",") + `]}`
}

// ReadCBOR returns what the SDK reads in the body of a PutRecords request in CBOR.
func ReadCBOR(body []byte) (in kinesis.PutRecordsInput, err error) {
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

// AsCBOR is an answer in JSON in CBOR. If open, its maps and lists have no length, as those of the service; else they have
// one. AsCBOR is false for what is not JSON.
func AsCBOR(text string, open bool) ([]byte, bool) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, false
	}
	return appendCBOR(nil, value, open), true
}

// Kinds of items in CBOR.
const (
	kindText = 3 << 5
	kindList = 4 << 5
	kindMap  = 5 << 5
)

// appendHead appends the kind of an item and its length.
func appendHead(dst []byte, kind byte, length int) []byte {
	head := cbor.Encode(cbor.Uint(length)) //nolint:gosec // lengths are not negative
	head[0] |= kind
	return append(dst, head...)
}

func appendCBOR(dst []byte, value any, open bool) []byte {
	begin := func(kind byte, members int) {
		if open {
			dst = append(dst, kind|0x1F)
		} else {
			dst = appendHead(dst, kind, members)
		}
	}
	end := func() []byte {
		if open {
			dst = append(dst, 0xFF)
		}
		return dst
	}
	switch v := value.(type) {
	case map[string]any:
		begin(kindMap, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			dst = appendCBOR(appendCBOR(dst, name, open), v[name], open)
		}
		return end()
	case []any:
		begin(kindList, len(v))
		for _, member := range v {
			dst = appendCBOR(dst, member, open)
		}
		return end()
	case string:
		return append(appendHead(dst, kindText, len(v)), v...)
	case json.Number:
		if n, err := strconv.ParseUint(string(v), 10, 64); err == nil {
			return append(dst, cbor.Encode(cbor.Uint(n))...)
		}
		f, _ := v.Float64()
		return append(dst, cbor.Encode(cbor.Float64(f))...)
	default:
		return append(dst, cbor.Encode(&cbor.Nil{})...)
	}
}
