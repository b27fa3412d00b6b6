// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// prefetch must change nothing, whether open records are empty, growing or full, whether shards are known or not, and with
// records without a key.
func TestRecordsPutTogetherEndAsSingleOnes(t *testing.T) {
	holed := evenShards(2 * prefetchShards)
	for name, shards := range map[string][]shard{
		"unknown": nil, "few": evenShards(2), "many": evenShards(2 * prefetchShards), "with a hole": append(holed[:9], holed[10:]...),
	} {
		for _, format := range []AggregationFormat{AggregationKPL, AggregationConcatenated} {
			t.Run(fmt.Sprint(name, ", ", format), func(t *testing.T) { putTogether(t, shards, format) })
		}
	}
}

func putTogether(t *testing.T, shards []shard, format AggregationFormat) {
	config := benchmarkConfig()
	config.AggregationFormat = format
	records := make([]userRecord, 5000)
	for i := range records {
		in := sized(fmt.Sprintf("key-%d", i%1500), 400)
		if i%5 == 0 {
			in.PartitionKey = ""
		}
		if i%3 == 0 {
			in.Kind = lines
		}
		r, err := newUserRecord(&in, config.MaxRecordSize)
		require.NoError(t, err)
		r.received = at(time.Duration(i) * time.Microsecond)
		records[i] = r
	}
	hashKeys(records)
	together, single := newPipeline(&config, testRandom(), new(memberPool)), newPipeline(&config, testRandom(), new(memberPool))
	for _, p := range []*pipeline{together, single} {
		if shards != nil {
			_ = p.setShards(at(0), newShardMap(shards, nil, at(0)))
		}
	}
	for i := 0; i < len(records); i += 50 {
		now := records[i].received
		together.putAll(now, records[i:i+50])
		for j := i; j < i+50; j++ {
			single.put(now, &records[j])
		}
		assert.Equal(t, single.step(now, callers{}), together.step(now, callers{}))
	}
	for _, p := range []*pipeline{together, single} {
		p.draining = true
	}
	end := at(time.Second)
	assert.Equal(t, single.step(end, callers{}), together.step(end, callers{}))
	if format == AggregationKPL { // else all that is fetched is zero
		assert.Equal(t, len(shards) >= prefetchShards, together.aggregator.fetched > 0, "it is on with many shards")
	}
}
