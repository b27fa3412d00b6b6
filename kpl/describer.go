package kpl

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Describer tells what kind of stream a stream is; [*kinesis.Client] is one. A [Client] that is a Describer too is asked
// when a stream's pipeline starts, and again when its shards have changed or it was gone. Nothing depends on the answer
// being there: a call that is denied or fails is as good as none.
type Describer interface {
	DescribeStreamSummary(
		context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options),
	) (*kinesis.DescribeStreamSummaryOutput, error)
}

// describeInterval is the least time between two descriptions. The service takes few of these calls, for all streams of
// an account together.
const describeInterval = 10 * time.Second

// describer asks the service what kind of stream it is: at once, and then on request.
type describer struct {
	client  Client
	name    string
	timeout time.Duration
	publish func(streamNews)
}

// run serves requests until ctx ends. It publishes each answer. If the first call brings none, it publishes that too.
func (d *describer) run(ctx context.Context, requests <-chan struct{}) {
	for first := true; ; first = false {
		asked := time.Now()
		info, ok := d.ask(ctx)
		if ctx.Err() != nil {
			return
		}
		if ok || first {
			d.publish(streamNews{kind: &info})
		}
		select {
		case <-requests:
		case <-ctx.Done():
			return
		}
		if !sleepUntil(ctx, asked.Add(describeInterval)) {
			return
		}
	}
}

// ask makes one call. It reports whether there is an answer.
func (d *describer) ask(ctx context.Context) (streamKind, bool) {
	able, is := d.client.(Describer)
	if !is {
		return streamKind{}, false
	}
	input := &kinesis.DescribeStreamSummaryInput{}
	input.StreamName, input.StreamARN = streamAddress(d.name)
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	output, err := able.DescribeStreamSummary(ctx, input, callOptions)
	if err != nil || output.StreamDescriptionSummary == nil {
		return streamKind{}, false
	}
	summary := output.StreamDescriptionSummary
	info := streamKind{described: true, automatic: summary.RecordDistributionStrategy == types.RecordDistributionStrategyAuto}
	if kib := aws.ToInt32(summary.MaxRecordSizeInKiB); kib >= leastMaxRecordKiB {
		info.maxRecordSize = int(kib) << 10
	}
	return info, true
}

// leastMaxRecordKiB is the smallest size limit that a stream can have.
const leastMaxRecordKiB = 1 << 10
