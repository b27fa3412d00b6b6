// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/encoding/cbor"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/aws/smithy-go/transport/http/protocol/rpcv2"
)

// encoding reads requests and writes answers of a content type.
type encoding struct {
	contentType string
	toJSON      func(input []byte) ([]byte, error) // converts an input to JSON; nil if inputs are JSON
	protocol    smithyhttp.ClientProtocol          // the SDK's protocol, which writes outputs
	millis      bool                               // times are integers of milliseconds; else as the protocol writes them
	fault       func(*apiError) []byte             // writes an error
	start       string                             // how an answer to PutRecords starts, up to its first record
}

func inJSON() *encoding {
	return &encoding{
		contentType: "application/x-amz-json-1.1",
		protocol:    awsjson.New11(schemas.Kinesis_20131202),
		fault:       (*apiError).body,
		start:       `{"FailedRecordCount":0,"Records":[`,
	}
}

func inCBOR() *encoding {
	return &encoding{
		contentType: "application/x-amz-cbor-1.1",
		toJSON:      cborToJSON,
		protocol:    rpcv2.NewCBOR(schemas.Kinesis_20131202),
		millis:      true,
		fault: func(e *apiError) []byte {
			return cbor.Encode(cbor.Map{"__type": cbor.String(e.code), "message": cbor.String(e.message)})
		},
		start: "\xbf\x71FailedRecordCount\x00\x67Records\x9f",
	}
}

// encodingOf returns the encoding for a content type, or nil if the content type is unknown.
func (h *handler) encodingOf(contentType string) *encoding {
	for _, e := range h.encodings {
		if strings.HasPrefix(contentType, e.contentType) {
			return e
		}
	}
	return nil
}

// write writes an output with the SDK's protocol. The protocol is made for inputs, but writes any structure.
func (e *encoding) write(out smithy.Serializable) ([]byte, error) {
	request, ok := smithyhttp.NewStackRequest().(*smithyhttp.Request)
	if !ok {
		return nil, errors.New("kpltest: the SDK has requests of another type")
	}
	if e.millis {
		out = withMillis{out}
	}
	err := e.protocol.SerializeRequest(context.Background(),
		smithy.NewOperationSchema(schemas.PutRecords, schemas.PutRecordsInput, nil), out, request)
	if err != nil {
		return nil, fmt.Errorf("kpltest: encoding the answer: %w", err)
	}
	return io.ReadAll(request.GetStream())
}

// withMillis is an output whose times are integers of milliseconds since 1970. AWS's SDK for Java reads and writes them so in
// CBOR 1.1. The SDK for Go knows only a later CBOR, which has tagged seconds.
type withMillis struct{ smithy.Serializable }

func (w withMillis) Serialize(s smithy.ShapeSerializer) { w.Serializable.Serialize(millisWriter{s}) }

// millisWriter writes times as integers of milliseconds.
type millisWriter struct{ smithy.ShapeSerializer }

func (w millisWriter) WriteTime(schema *smithy.Schema, t time.Time) {
	w.WriteInt64(schema, t.UnixMilli())
}

// cborToJSON converts an input from CBOR to JSON.
func cborToJSON(input []byte) ([]byte, error) {
	value, err := cbor.Decode(input)
	if err != nil {
		return nil, err
	}
	return json.Marshal(plain(value))
}

// plain converts a CBOR value to one that package json writes.
func plain(value cbor.Value) any {
	switch v := value.(type) {
	case cbor.Map:
		members := make(map[string]any, len(v))
		for name, member := range v {
			members[name] = plain(member)
			if strings.HasSuffix(name, "Timestamp") {
				members[name] = seconds(members[name])
			}
		}
		return members
	case cbor.List:
		members := make([]any, len(v))
		for i, member := range v {
			members[i] = plain(member)
		}
		return members
	case cbor.Slice:
		return []byte(v)
	case *cbor.Tag: // that of a time
		return plain(v.Value)
	case cbor.NegInt:
		return -int64(v)
	case *cbor.Nil, *cbor.Undefined:
		return nil
	default: // strings and other numbers
		return v
	}
}

// seconds converts a time to seconds, as JSON has it. In CBOR it is an integer of milliseconds.
func seconds(value any) any {
	switch millis := value.(type) {
	case cbor.Uint:
		return float64(millis) / 1000
	case int64:
		return float64(millis) / 1000
	}
	return value
}
