// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// String does not panic for a value that a later version may add.
func TestEnumerationsHaveNames(t *testing.T) {
	for _, list := range []struct{ known, unknown []fmt.Stringer }{
		{[]fmt.Stringer{StageAggregator, StageCollector}, []fmt.Stringer{StageCollector + 1, Stage(99)}},
		{
			[]fmt.Stringer{FlushSize, FlushCount, FlushShard, FlushDeadline, FlushCommit, FlushRequest},
			[]fmt.Stringer{FlushRequest + 1, FlushReason(99)},
		},
		{[]fmt.Stringer{DistributionByKey, DistributionAutomatic}, []fmt.Stringer{Distribution(2), Distribution(255)}},
		{[]fmt.Stringer{SourceDescription, SourcePlacement}, []fmt.Stringer{DistributionSource(2)}},
		{
			[]fmt.Stringer{
				OutcomeSuccess, OutcomeThrottled, OutcomeExpired, OutcomeRejected, OutcomeUnavailable, OutcomeCanceled, OutcomeClosed,
			},
			[]fmt.Stringer{OutcomeClosed + 1, Outcome(99)},
		},
	} {
		seen := map[string]bool{}
		for _, value := range list.known {
			assert.NotEqual(t, "unknown", value.String(), "%#v", value)
			assert.False(t, seen[value.String()], value)
			seen[value.String()] = true
		}
		for _, value := range list.unknown {
			assert.Equal(t, "unknown", value.String(), "%#v", value)
		}
	}
}

// decorated is a Client as users wrap one, to count or to log.
type decorated struct{ Client }

// The producer can also describe a stream through a decorator, because a decorator cannot leave DescribeStreamSummary out.
func TestDecoratedClientDescribes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kpltest.New(kpltest.Config{}, kpltest.Stream{
			Name: testStream, Shards: 1, Distribution: types.RecordDistributionStrategyAuto,
		})
		told := &distributions{}
		p := startProducer(t, decorated{k}, func(c *Config) { c.Observer = told.observer() })
		_, err := p.PutWait(t.Context(), sized("key", 1))
		require.NoError(t, err)
		synctest.Wait()
		assert.Equal(t, []DistributionEvent{{testStream, DistributionAutomatic, SourceDescription}}, told.all())
	})
}

// withChannels says that each stream has two channels.
type withChannels struct{ Client }

func (c withChannels) DescribeStreamSummary(
	ctx context.Context, in *kinesis.DescribeStreamSummaryInput, options ...func(*kinesis.Options),
) (*kinesis.DescribeStreamSummaryOutput, error) {
	out, err := c.Client.DescribeStreamSummary(ctx, in, options...)
	if err == nil {
		out.StreamDescriptionSummary.ChannelCount = aws.Int32(2)
	}
	return out, err
}

// The observer hears what the service says about a stream.
func TestDescriptionIsObserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kpltest.New(kpltest.Config{}, kpltest.Stream{
			Name: testStream, Shards: 1, MaxRecordSize: 2 << 20, Distribution: types.RecordDistributionStrategyAuto,
		})
		events := make(chan DescriptionEvent, 2)
		p := startProducer(t, withChannels{k}, func(c *Config) {
			c.Observer.StreamDescribed = func(e DescriptionEvent) { events <- e }
		})
		_, err := p.PutWait(t.Context(), sized("key", 1))
		require.NoError(t, err)
		want := DescriptionEvent{Stream: testStream, Distribution: DistributionAutomatic, MaxRecordSize: 2 << 20, Channels: 2}
		assert.Equal(t, want, <-events)
		synctest.Wait()
		assert.Empty(t, events)
	})
}
