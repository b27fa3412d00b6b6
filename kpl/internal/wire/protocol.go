// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package wire writes the bytes of PutRecords requests and reads those of their answers, instead of the AWS SDK. It does so in
// CBOR if the endpoint takes CBOR, and in JSON otherwise.
//
// A producer has one [Encoding], which knows whether its endpoint takes CBOR. Each worker of the producer has a [Protocol],
// which it installs as an option of its calls. All other operations, and requests and answers that are not the usual ones, are
// left to the SDK. Tests compare what this package writes and reads with what the SDK writes and reads.
package wire

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

// contentTypeCBOR is what the service calls CBOR.
const contentTypeCBOR = "application/x-amz-cbor-1.1"

// maxAnswerKept is the largest buffer of an answer that is kept for the next one, in bytes. It holds what the service says
// of 500 records.
const maxAnswerKept = 256 << 10

// Protocol is the protocol of one call after the other. It keeps its buffers for the next call, so calls with the same
// Protocol must not overlap.
type Protocol struct {
	*awsjson.Protocol // of the client that makes the call

	encoding *Encoding

	// Of the last request.
	role    role
	open    bool // it has no answer yet
	records int
	body    requestBody // nothing reads it once the call has returned
	again   bool        // it failed because the endpoint supports no CBOR
	change  Change

	// Of the last answer.
	answer bytes.Buffer
	reader answerReader
	json   jsonAnswer
	cbor   cborAnswer
}

// NewProtocol returns a Protocol for calls to the endpoint that e knows.
func NewProtocol(e *Encoding) *Protocol { return &Protocol{encoding: e} }

// Install makes the call with those options use p. A client that has another protocol than the SDK's JSON keeps it.
func (p *Protocol) Install(o *kinesis.Options) {
	if sdk, ok := o.Protocol.(*awsjson.Protocol); ok && sdk.ID().Name == "awsJson1_1" {
		p.Protocol = sdk
		o.Protocol = p
	}
}

// Again reports whether the last call failed because the endpoint supports no CBOR. If so, make the call again at once: it will
// be in JSON.
func (p *Protocol) Again() bool { return p.again }

// Finish reports what the last call changed. Of all calls that share the [Encoding], one has each change. It must be called
// after each call, also after one without an answer.
func (p *Protocol) Finish() Change {
	if p.open && p.role.cbor() {
		p.change = p.encoding.doubt(p.role)
	}
	p.open = false
	return p.change
}

// Forget lets go of the data of the last request, for example so that it can be overwritten. Call it after the call.
func (p *Protocol) Forget() { p.body.forget() }

// SerializeRequest implements [smithyhttp.ClientProtocol].
func (p *Protocol) SerializeRequest(
	ctx context.Context, schema *smithy.OperationSchema, in smithy.Serializable, r *smithyhttp.Request,
) error {
	p.role, p.open, p.again, p.change = roleJSON, true, false, Unchanged
	put, ok := in.(*kinesis.PutRecordsInput)
	if !ok || !usualRequest(put) {
		return p.Protocol.SerializeRequest(ctx, schema, in, r)
	}
	// For an empty input, the SDK makes all of the request but its body.
	if err := p.Protocol.SerializeRequest(ctx, schema, &kinesis.PutRecordsInput{}, r); err != nil {
		return err
	}
	p.records = len(put.Records)
	if p.role = p.encoding.next(); p.role.cbor() {
		r.Header.Set("Content-Type", contentTypeCBOR)
		p.body.setCBOR(put)
	} else {
		p.body.setJSON(put)
	}
	withBody, err := r.SetStream(&p.body)
	if err != nil {
		return err
	}
	*r = *withBody
	return nil
}

// usualRequest reports whether a request has nothing that [requestBody] does not write, and all that it needs.
func usualRequest(in *kinesis.PutRecordsInput) bool {
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

// DeserializeResponse implements [smithyhttp.ClientProtocol]. The SDK reads each answer that [answerReader] does not know.
func (p *Protocol) DeserializeResponse(
	ctx context.Context, schema *smithy.OperationSchema, types *smithy.TypeRegistry,
	r *smithyhttp.Response, out smithy.Deserializable,
) error {
	put, ok := out.(*kinesis.PutRecordsOutput)
	if !ok {
		return p.Protocol.DeserializeResponse(ctx, schema, types, r, out)
	}
	p.answer.Reset()
	if p.answer.Cap() > maxAnswerKept {
		p.answer = bytes.Buffer{}
	}
	if _, err := p.answer.ReadFrom(r.Body); err != nil {
		return &smithy.DeserializationError{Err: err}
	}
	var sdk smithyhttp.ClientProtocol = p.Protocol
	p.reader.encodedAnswer = &p.json
	body := formatOf(p.answer.Bytes())
	if body == formatCBOR {
		sdk, p.reader.encodedAnswer = p.encoding.sdk, &p.cbor
	}
	var err error
	if r.StatusCode != http.StatusOK || !p.reader.read(p.answer.Bytes(), p.records, put) {
		r.Body = struct {
			io.Reader
			io.Closer
		}{bytes.NewReader(p.answer.Bytes()), r.Body}
		err = sdk.DeserializeResponse(ctx, schema, types, r, out)
	}
	if p.open && p.role != roleJSON {
		p.learn(r.StatusCode, body, err, len(put.Records))
	}
	return err
}

// learn takes in what an answer says about the encoding. A success without an answer for each record says that the endpoint did
// not understand the call, or that something else answered. But it may have stored the records. So the call is not made again at
// once.
func (p *Protocol) learn(status int, body format, err error, answered int) {
	p.open = false
	switch {
	case err == nil && answered == p.records:
		p.change = p.encoding.understood(p.role, true)
	case p.role == roleCheck:
	case status >= http.StatusOK && status < http.StatusMultipleChoices:
		p.change = p.encoding.lost(p.role)
	default:
		p.failed(p.encoding.wordOf(status, body, err))
	}
}

// failed takes in what the answer to a failed call in CBOR says. A call that only tried CBOR is made again in any case.
func (p *Protocol) failed(says word) {
	switch says {
	case wordNone:
		p.again = p.role == roleTrial
	case wordDoubtful:
		p.change = p.encoding.doubt(p.role)
		p.again = p.role == roleTrial
	case wordUnderstood:
		p.change = p.encoding.understood(p.role, false)
	case wordUnsupported:
		p.change = p.encoding.lost(p.role)
		p.again = true
	}
}
