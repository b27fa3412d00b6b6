package kpl

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
)

// wireProtocol speaks the SDK's JSON protocol with the bytes of PutRecords written and read by hand; all else is the
// SDK's. It keeps its buffers from one call to the next, so calls must not overlap: each worker has its own.
type wireProtocol struct {
	*awsjson.Protocol // of the client that the call is made with

	body    requestBody // of the last request; nothing reads it once the call has returned
	records int         // in the last request
	answer  bytes.Buffer
	reader  answerReader
}

// maxAnswerKept is the most bytes of an answer's buffer that are kept for the next one: it holds what the service says
// of 500 records.
const maxAnswerKept = 256 << 10

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
	put, ok := in.(*kinesis.PutRecordsInput)
	if !ok || !byHand(put) {
		return w.Protocol.SerializeRequest(ctx, schema, in, r)
	}
	// Of an empty input the SDK makes everything but the body.
	if err := w.Protocol.SerializeRequest(ctx, schema, &kinesis.PutRecordsInput{}, r); err != nil {
		return err
	}
	w.records = len(put.Records)
	w.body.set(put)
	with, err := r.SetStream(&w.body)
	if err != nil {
		return err
	}
	*r = *with
	return nil
}

// DeserializeResponse implements [smithyhttp.ClientProtocol]. What [answerReader] does not know is the SDK's to judge.
func (w *wireProtocol) DeserializeResponse(
	ctx context.Context, schema *smithy.OperationSchema, types *smithy.TypeRegistry,
	r *smithyhttp.Response, out smithy.Deserializable,
) error {
	put, ok := out.(*kinesis.PutRecordsOutput)
	if !ok || r.StatusCode != http.StatusOK {
		return w.Protocol.DeserializeResponse(ctx, schema, types, r, out)
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
	return w.Protocol.DeserializeResponse(ctx, schema, types, r, out)
}
