package kpl

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

// Client is the part of the Kinesis API that a [Producer] calls; [*kinesis.Client] is one. The producer turns the SDK's
// own retries off for its calls: it alone decides what is sent again and until when. PutRecords must not keep its
// input, nor the data it refers to, after it returned.
type Client interface {
	PutRecords(context.Context, *kinesis.PutRecordsInput, ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error)
	ListShards(context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error)
}
