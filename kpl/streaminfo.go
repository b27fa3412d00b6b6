package kpl

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Describer tells what kind of stream a stream is; [*kinesis.Client] is one. A [Client] that is a Describer too is asked
// when a stream's pipeline starts, and again with a listing of the shards ten minutes later or after the stream was gone.
// Nothing depends on the answer being there: a call that is denied or fails is as good as none.
type Describer interface {
	DescribeStreamSummary(
		context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options),
	) (*kinesis.DescribeStreamSummaryOutput, error)
}

// describeInterval is how long a description is good for. The service takes few of these calls, for all streams of an
// account together.
const describeInterval = 10 * time.Minute

// streamInfo is what the producer wants to know of a stream.
type streamInfo struct {
	// automatic: the service chooses the shard of each record and looks at no key. No shard can be predicted, and readers
	// that know hash key ranges drop an aggregate wherever a member's hash key is not the shard's.
	automatic bool
	// maxRecordSize is the most bytes of data and partition key in a record; zero if it is not known.
	maxRecordSize int
}

// describe publishes the stream's info, unless it has been asked for lately.
func (r *refresher) describe(ctx context.Context) {
	if !r.described.IsZero() && time.Since(r.described) < describeInterval {
		return
	}
	r.described = time.Now()
	info := r.ask(ctx)
	if ctx.Err() == nil {
		r.publish(shardNews{info: &info})
	}
}

// ask asks for the stream's info. It is zero, the most usual one, where there is no answer.
func (r *refresher) ask(ctx context.Context) streamInfo {
	describer, able := r.client.(Describer)
	if !able {
		return streamInfo{}
	}
	input := &kinesis.DescribeStreamSummaryInput{}
	input.StreamName, input.StreamARN = streamAddress(r.name)
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	output, err := describer.DescribeStreamSummary(ctx, input, callOptions)
	if err != nil || output.StreamDescriptionSummary == nil {
		return streamInfo{}
	}
	summary := output.StreamDescriptionSummary
	info := streamInfo{automatic: summary.RecordDistributionStrategy == types.RecordDistributionStrategyAuto}
	if summary.MaxRecordSizeInKiB != nil && *summary.MaxRecordSizeInKiB > 0 {
		info.maxRecordSize = int(*summary.MaxRecordSizeInKiB) << 10
	}
	return info
}

// isGone reports whether an error says that there is no such stream.
func isGone(err error) bool {
	_, gone := errors.AsType[*types.ResourceNotFoundException](err)
	return gone
}

// setStream takes in what kind of stream it is.
func (p *pipeline) setStream(now time.Time, info streamInfo) {
	known := p.asked
	p.asked = true
	if p.info == info {
		if !known {
			p.judgeAgain(now)
		}
		return
	}
	p.info = info
	p.aggregator.enabled = p.config.AggregationEnabled && !info.automatic
	p.setShards(now, p.listed)
	p.reconsider(now, func(k *kinesisRecord) bool { return !info.automatic || !k.aggregated() })
	p.addAll(now, p.aggregator.takeAll())
}

// tooLarge reports whether the stream takes no record as large as r.
func (p *pipeline) tooLarge(r *userRecord) bool {
	return p.info.maxRecordSize > 0 && r.size() > p.info.maxRecordSize
}
