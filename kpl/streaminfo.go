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

// streamInfo is what the producer wants to know of a stream.
type streamInfo struct {
	// described: the service told. Otherwise all of this is what has been seen of the stream, or assumed.
	described bool
	// automatic: the service chooses the shard of each record and looks at no key. No shard can be predicted, and readers
	// that know hash key ranges drop an aggregate wherever a member's hash key is not the shard's.
	automatic bool
	// maxRecordSize is the most bytes of data and partition key in a record; zero if it is not known.
	maxRecordSize int
}

// describer asks what kind of stream it is, at once and then when somebody wishes it.
type describer struct {
	client  Client
	name    string
	timeout time.Duration
	publish func(shardNews)
}

// run serves wishes until ctx ends. It always publishes a first answer, if only that there is none to be had.
func (d *describer) run(ctx context.Context, wishes <-chan struct{}) {
	for first := true; ; first = false {
		asked := time.Now()
		info, ok := d.ask(ctx)
		if ctx.Err() != nil {
			return
		}
		if ok || first {
			d.publish(shardNews{info: &info})
		}
		select {
		case <-wishes:
		case <-ctx.Done():
			return
		}
		if !sleepUntil(ctx, asked.Add(describeInterval)) {
			return
		}
	}
}

// ask makes one call, if the client can. It reports whether there is an answer.
func (d *describer) ask(ctx context.Context) (streamInfo, bool) {
	able, is := d.client.(Describer)
	if !is {
		return streamInfo{}, false
	}
	input := &kinesis.DescribeStreamSummaryInput{}
	input.StreamName, input.StreamARN = streamAddress(d.name)
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	output, err := able.DescribeStreamSummary(ctx, input, callOptions)
	if err != nil || output.StreamDescriptionSummary == nil {
		return streamInfo{}, false
	}
	summary := output.StreamDescriptionSummary
	info := streamInfo{described: true, automatic: summary.RecordDistributionStrategy == types.RecordDistributionStrategyAuto}
	if kib := aws.ToInt32(summary.MaxRecordSizeInKiB); kib >= leastMaxRecordKiB {
		info.maxRecordSize = int(kib) << 10
	}
	return info, true
}

// leastMaxRecordKiB is the smallest size limit that a stream can have.
const leastMaxRecordKiB = 1 << 10

// setStream takes in what kind of stream it is; or, the first time, that nobody tells.
func (p *pipeline) setStream(now time.Time, info streamInfo) {
	first := !p.asked
	p.asked = true
	if info.described && p.info != info {
		p.learn(now, info)
	} else if first && !p.reconsiderKind(now, false) {
		p.judgeAgain(now)
	}
}

// learn makes everything that is not in flight fit what is now known of the stream.
func (p *pipeline) learn(now time.Time, info streamInfo) {
	if p.info.automatic != info.automatic {
		p.effects.distribution = append(p.effects.distribution, info)
	}
	p.info = info
	p.aggregator.enabled = p.config.AggregationEnabled && !info.automatic
	p.setShards(now, p.listed)
	p.reconsider(now, func(k *kinesisRecord) bool { return !info.automatic || !k.aggregated() })
	p.addAll(now, p.aggregator.takeAll())
}

// reconsiderKind learns what a listing says about the kind of stream, together with where records were stored. It reports
// whether that is news. A stream that may have been made anew may be of another kind; until somebody says so, what was told
// of the old one is the best guess.
func (p *pipeline) reconsiderKind(now time.Time, anew bool) bool {
	info := p.info
	switch {
	case anew && info != (streamInfo{}):
		info = streamInfo{automatic: info.automatic && info.described}
	case p.asked && p.provenAutomatic() && !info.automatic:
		info.automatic, info.described = true, false
		p.effects.wantStream = true // should it be allowed by now
	default:
		return false
	}
	p.learn(now, info)
	return true
}

// provenAutomatic reports whether the service chooses shards itself: a record went to a shard that was listed before it
// was sent and after it was stored, the same shard, which does not serve its key. No reshard explains that, because the
// range of a shard never changes; nor does a stream that was made anew, whose shards have other first sequence numbers.
func (p *pipeline) provenAutomatic() bool {
	s := p.stray
	if s == nil || !p.listed.known() || !p.listed.listed.After(s.attempt.End) {
		return false
	}
	p.stray = nil
	found := p.listed.byID[s.attempt.ShardID]
	return !found.since.IsZero() && !found.since.After(s.attempt.Start) && !found.keys.contains(s.hash)
}

// tooLarge reports whether the stream takes no record as large as r.
func (p *pipeline) tooLarge(r *userRecord) bool {
	return p.info.maxRecordSize > 0 && r.size() > p.info.maxRecordSize
}
