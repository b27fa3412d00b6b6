// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/plainbody"
)

// Client is the part of the Kinesis API that a [Producer] calls; [*kinesis.Client] is one. The producer turns the SDK's
// own retries off for its calls, because it decides itself what is sent again and until when.
//
// PutRecords gets buffers that the producer uses again. After it has returned, it must not use its input, the data that
// the input refers to, or its options. It must not use the options in two calls at once.
//
// DescribeStreamSummary is called when the producer starts to use a stream, when its shards have changed, and when it
// may have been recreated. Nothing depends on the answer: an error, for example for lack of permission, does no harm.
type Client interface {
	PutRecords(context.Context, *kinesis.PutRecordsInput, ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error)
	ListShards(context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error)
	DescribeStreamSummary(
		context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options),
	) (*kinesis.DescribeStreamSummaryOutput, error)
}

// callOptions sets how the producer wants its calls made.
func callOptions(o *kinesis.Options) {
	o.Retryer = aws.NopRetryer{}
	call := &sending{HTTPClient: boundedAnswers{plainbody.Client{Doer: o.HTTPClient}}}
	o.HTTPClient = call
	o.APIOptions = append(o.APIOptions, call.install)
}

// boundedAnswers is an HTTP client whose answers are of bounded size.
type boundedAnswers struct{ kinesis.HTTPClient }

// Do carries a request out.
func (c boundedAnswers) Do(r *http.Request) (*http.Response, error) {
	response, err := c.HTTPClient.Do(r)
	if err == nil {
		response.Body = &boundedBody{response.Body, maxAnswerSize}
	}
	return response, err
}

// maxAnswerSize is far more than what the service says of 500 records or 1,000 shards, in bytes.
const maxAnswerSize = 16 << 20

// boundedBody is the body of an answer, which the SDK keeps in memory, up to a size.
type boundedBody struct {
	io.ReadCloser

	left int // bytes
}

// Read fails where the body is longer than allowed.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, fmt.Errorf("the answer has more than %d bytes", maxAnswerSize)
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// streamAddress returns what names a stream in a call: its name, or its ARN.
func streamAddress(stream string) (name, arn *string) {
	if strings.HasPrefix(stream, "arn:") {
		return nil, &stream
	}
	return &stream, nil
}
