package kpl

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
)

// wireProtocol speaks the SDK's JSON protocol, with the bytes of PutRecords written and read by hand, in CBOR where the
// endpoint takes that; all else is the SDK's. It keeps its buffers from one call to the next, so calls must not overlap:
// each worker has its own.
type wireProtocol struct {
	*awsjson.Protocol               // of the client that the call is made with
	encoding          *wireEncoding // shared by the workers of a producer

	inCBOR  bool        // how the last request was written
	body    requestBody // of the last request; nothing reads it once the call has returned
	records int         // in the last request
	refused bool        // the last request was refused for its encoding, and is to be made again
	first   bool        // it was the first of the producer's
	answer  bytes.Buffer
	reader  answerReader
	json    jsonScanner
	cbor    cborScanner
}

// maxAnswerKept is the most bytes of an answer's buffer that are kept for the next one: it holds what the service says
// of 500 records.
const maxAnswerKept = 256 << 10

// contentTypeCBOR is what the service calls CBOR.
const contentTypeCBOR = "application/x-amz-cbor-1.1"

// speak is an option of a call. It leaves a client alone that speaks something else than the SDK's JSON.
func (w *wireProtocol) speak(o *kinesis.Options) {
	if sdk, ok := o.Protocol.(*awsjson.Protocol); ok && sdk.ID().Name == "awsJson1_1" {
		w.Protocol = sdk
		o.Protocol = w
	}
}

// SerializeRequest implements [smithyhttp.ClientProtocol].
func (w *wireProtocol) SerializeRequest(
	ctx context.Context, schema *smithy.OperationSchema, in smithy.Serializable, r *smithyhttp.Request,
) error {
	w.inCBOR, w.refused, w.first = false, false, false
	put, ok := in.(*kinesis.PutRecordsInput)
	if !ok || !byHand(put) {
		return w.Protocol.SerializeRequest(ctx, schema, in, r)
	}
	// Of an empty input the SDK makes everything but the body.
	if err := w.Protocol.SerializeRequest(ctx, schema, &kinesis.PutRecordsInput{}, r); err != nil {
		return err
	}
	w.records = len(put.Records)
	if w.inCBOR = w.encoding.cbor(); w.inCBOR {
		r.Header.Set("Content-Type", contentTypeCBOR)
		w.body.setCBOR(put)
	} else {
		w.body.setJSON(put)
	}
	with, err := r.SetStream(&w.body)
	if err != nil {
		return err
	}
	*r = *with
	return nil
}

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

// DeserializeResponse implements [smithyhttp.ClientProtocol]. What [answerReader] does not know is the SDK's to judge.
func (w *wireProtocol) DeserializeResponse(
	ctx context.Context, schema *smithy.OperationSchema, types *smithy.TypeRegistry,
	r *smithyhttp.Response, out smithy.Deserializable,
) error {
	put, ok := out.(*kinesis.PutRecordsOutput)
	if !ok {
		return w.Protocol.DeserializeResponse(ctx, schema, types, r, out)
	}
	var sdk smithyhttp.ClientProtocol = w.Protocol
	w.reader.answerScanner = &w.json
	cbor := strings.Contains(r.Header.Get("Content-Type"), "cbor")
	if cbor {
		sdk, w.reader.answerScanner = w.encoding.sdk, &w.cbor
	}
	if r.StatusCode != http.StatusOK {
		err := sdk.DeserializeResponse(ctx, schema, types, r, out)
		if w.inCBOR {
			w.refused, w.first = w.encoding.refused(r.StatusCode, cbor, err)
		}
		return err
	}
	if w.inCBOR {
		w.encoding.taken()
	}
	w.answer.Reset()
	if w.answer.Cap() > maxAnswerKept {
		w.answer = bytes.Buffer{}
	}
	if _, err := w.answer.ReadFrom(r.Body); err != nil {
		return &smithy.DeserializationError{Err: err}
	}
	if w.reader.read(w.answer.Bytes(), w.records, put) {
		return nil
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{bytes.NewReader(w.answer.Bytes()), r.Body}
	return sdk.DeserializeResponse(ctx, schema, types, r, out)
}
