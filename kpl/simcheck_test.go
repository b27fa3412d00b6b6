// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// keptSeeds are seeds that have found bugs. They always run. A seed does not find its bug in every run, because goroutines
// that run at the same moment of virtual time have no fixed order.
var keptSeeds = []struct {
	seed    uint64
	found   string
	changes bool // see newSimulation
}{
	{12, "aggregates with one key count as delivered wherever a stream that chooses shards itself puts them", false},
	{143, "the same, of a stream that nobody may describe", false},
	{58, "a stream that is made anew while nobody sends is judged by the old shards", false},
	{467, "the same, with other shards", false},
	{123, "shards that cannot be listed because the stream is gone are taken for shards that never can be", false},
	{389, "the same, and the stream comes back as one that chooses shards itself", false},
	{40311, "closed shards of the old stream are taken for those of the same ids that the new one has closed", false},
	{24930, "a stream made anew that has no open shard in common with the old one is taken for that one resharded", false},
	{770000506, "what was described of a stream that is gone counts for the next one", false},
	{140, "a stream is switched to AUTO after it was described, and may not be listed", true},
	{90019119, "a stored record that waits for a listing is judged by the next stream with its name", true},
}

// check looks at what must hold when all is over.
func (s *simulation) check() {
	s.checkResults()
	t := s.t
	require.Zero(t, s.producer.Stats().OutstandingRecords)
	require.Zero(t, s.producer.Stats().OutstandingBytes)
	calls := s.kinesis.Calls(kpltest.OpPutRecords)
	for i := range calls {
		if call := &calls[i]; call.Records > s.config.CollectionMaxCount || call.Bytes > s.config.CollectionMaxSize {
			t.Fatalf("a request is too large: %+v", call)
		}
	}
	require.LessOrEqual(t, s.kinesis.MaxConcurrentCalls(kpltest.OpPutRecords), s.config.MaxConnections)
	if s.steady && !s.unlisted && !s.switches && s.narrow == nil && s.stream.Distribution != types.RecordDistributionStrategyAuto {
		s.rates.check(t, &s.config, s.kinesis)
	}
}

// place is where a record is stored.
type place struct{ shard, sequence string }

// checkResults compares the Results with what readers see. A schedule has thousands of records, and an assertion of testify
// that holds costs more than the comparison. So this calls testing.T only for what is wrong.
func (s *simulation) checkResults() {
	places := s.places()
	for number := range s.histories {
		history, stored := &s.histories[number], places[number]
		if !history.accepted {
			if history.results > 0 || len(stored) > 0 {
				s.t.Fatalf("record %d was not accepted: %+v, stored at %v", number, history, stored)
			}
			continue
		}
		if history.results != 1 {
			s.t.Fatalf("record %d has %d Results, the last is %+v", number, history.results, history.result)
		}
		result := &history.result
		if result.Err == nil && !slices.Contains(stored, place{string(result.ShardID), result.SequenceNumber}) {
			s.t.Fatalf("record %d is not where its Result says, but at %v: %+v", number, stored, result)
		}
		if result.Outcome() == OutcomeRejected && !history.tooLarge {
			s.t.Fatalf("record %d: %+v", number, result)
		}
		if s.config.AggregationFormat == AggregationConcatenated && hasAttempt(result, CodeWrongShard) {
			s.t.Fatalf("record %d was judged by its shard: %+v", number, result)
		}
		if len(stored) > copies(result) {
			s.t.Fatalf("record %d is stored too often, at %v: %+v", number, stored, result)
		}
		if result.Err == nil && len(stored) > 1+result.Resent() {
			s.t.Fatalf("record %d is stored twice and not counted as resent, at %v: %+v", number, stored, result)
		}
	}
}

// places returns where readers find each record, by its number.
func (s *simulation) places() [][]place {
	places := make([][]place, len(s.histories))
	add := func(r *kpltest.UserRecord, message, payload []byte) {
		digits := slices.Index(payload, 0)
		if digits < 0 {
			digits = len(payload)
		}
		number, err := strconv.Atoi(string(payload[:digits]))
		if err != nil || number < 0 || number >= len(places) {
			s.t.Fatalf("nobody has put record %q", payload[:digits])
		}
		if history := &s.histories[number]; len(message) != history.size {
			s.t.Fatalf("record %d of %d bytes has come out with %d", number, history.size, len(message))
		}
		places[number] = append(places[number], place{r.ShardID, r.SequenceNumber})
	}
	for _, r := range s.readable() {
		if s.config.AggregationFormat != AggregationConcatenated {
			add(&r, r.Data, r.Data)
		} else if err := simMessages(s.plain(r.Data), func(message, payload []byte) { add(&r, message, payload) }); err != nil {
			s.t.Fatalf("%v: %q", err, r.Data)
		}
	}
	return places
}

// plain returns the data of a record as it was before compression. Data that was not compressed is too large otherwise.
func (s *simulation) plain(data []byte) []byte {
	if s.config.Compress == nil {
		return data
	}
	if !isCompressed(data) {
		most := min(s.config.MaxRecordSize, 1<<20) // what the stream takes at first
		if size := len(compressRuns(nil, data)); size <= most-KeylessKeySize {
			s.t.Fatalf("data of %d bytes is not compressed to %d", len(data), size)
		}
		return data
	}
	plain, err := decompressRuns(data)
	if err != nil {
		s.t.Fatalf("%v: %q", err, data)
	}
	return plain
}

// readable returns the records that readers see in the stream, and those that they saw in the streams that were deleted.
func (s *simulation) readable() []kpltest.UserRecord {
	records := s.kinesis.UserRecords(testStream)
	for _, remains := range s.remains {
		records = append(records, remains.UserRecords()...)
	}
	return records
}

// copies returns how many copies of a record there may be. A record that is known to be stored counts as one. An attempt
// whose end nobody can know, because the answer was lost or the shard was gone, counts as one more.
func copies(result *Result) int {
	n := 0
	for _, attempt := range result.Attempts {
		switch attempt.Code {
		case "", CodeConnection, CodeTimeout, CodeCanceled, CodeWrongShard:
			n++
		}
	}
	return n
}

// hasAttempt reports whether an attempt ended with a code.
func hasAttempt(result *Result, code string) bool {
	return slices.ContainsFunc(result.Attempts, func(a Attempt) bool { return a.Code == code })
}
