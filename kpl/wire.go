package kpl

import (
	"bytes"
	"context"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
)

// wireProtocol speaks the SDK's JSON protocol with the body of PutRecords written by hand; all else is the SDK's. It keeps
// the body's buffer from one call to the next, so calls must not overlap: each worker has its own.
type wireProtocol struct {
	*awsjson.Protocol // of the client that the call is made with

	body []byte // of the last request; nothing reads it once the call has returned
}

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
	w.body = appendPutRecords(w.body[:0], put)
	with, err := r.SetStream(bytes.NewReader(w.body))
	if err != nil {
		return err
	}
	*r = *with
	return nil
}
