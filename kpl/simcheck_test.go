package kpl

import (
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// keptSeeds are seeds of which each has found a bug, more or less often: goroutines that run at the same moment of
// virtual time are in no order. They always run.
var keptSeeds = []struct {
	seed  uint64
	found string
}{
	{12, "aggregates with one key count as delivered wherever a stream that chooses shards itself puts them"},
	{143, "the same, of a stream that nobody may describe"},
	{58, "a stream that is made anew while nobody sends is judged by the old shards"},
	{467, "the same, with other shards"},
	{123, "shards that cannot be listed because the stream is gone are taken for shards that never can be"},
	{389, "the same, and the stream comes back as one that chooses shards itself"},
	{40311, "closed shards of the old stream are taken for those of the same ids that the new one has closed"},
	{24930, "a stream made anew that has no open shard in common with the old one is taken for that one resharded"},
}

// check looks at what must hold when all is over.
func (s *simulation) check() {
	s.checkResults()
	t := s.t
	require.Zero(t, s.producer.Stats().OutstandingRecords)
	require.Zero(t, s.producer.Stats().OutstandingBytes)
	calls := s.kinesis.Calls(kpltest.OpPutRecords)
	for _, call := range calls {
		require.LessOrEqual(t, call.Records, s.config.CollectionMaxCount)
		require.LessOrEqual(t, call.Bytes, s.config.CollectionMaxSize)
	}
	require.LessOrEqual(t, s.kinesis.MaxConcurrentCalls(kpltest.OpPutRecords), s.config.MaxConnections)
	if s.steady && !s.unlisted && s.stream.Distribution != types.RecordDistributionStrategyAuto {
		s.rates.check(t, &s.config, s.kinesis)
	}
}

// place is where a record is stored.
type place struct{ shard, sequence string }

// checkResults compares the Results with what readers see.
func (s *simulation) checkResults() {
	t := s.t
	seen, places := map[int]int{}, map[int]map[place]bool{}
	for _, r := range s.readable() {
		digits := slices.IndexFunc(r.Data, func(b byte) bool { return b == 0 })
		if digits < 0 {
			digits = len(r.Data)
		}
		number, err := strconv.Atoi(string(r.Data[:digits]))
		require.NoError(t, err)
		require.Len(t, r.Data, s.bytes[number], "record %d is whole", number)
		seen[number]++
		if places[number] == nil {
			places[number] = map[place]bool{}
		}
		places[number][place{r.ShardID, r.SequenceNumber}] = true
	}
	require.Len(t, s.results, len(s.bytes), "every record that was accepted has a Result, and no other")
	for _, number := range slices.Sorted(maps.Keys(s.results)) {
		require.Len(t, s.results[number], 1, "record %d has exactly one Result", number)
		result := s.results[number][0]
		if result.Err == nil {
			require.Positive(t, seen[number], "record %d: a success that no reader sees: %+v", number, result)
			require.True(t, places[number][place{string(result.ShardID), result.SequenceNumber}],
				"record %d is not where its Result says: %+v", number, result)
		}
		require.NotEqual(t, OutcomeRejected, result.Outcome(), "record %d: %+v", number, result)
		require.LessOrEqual(t, seen[number], copies(result), "record %d is stored too often: %+v", number, result)
	}
}

// readable returns what readers see of the stream, and what they have seen of those that were deleted.
func (s *simulation) readable() []kpltest.UserRecord {
	records := s.kinesis.UserRecords(testStream)
	for _, remains := range s.remains {
		records = append(records, remains.UserRecords()...)
	}
	return records
}

// copies is how many copies of a record there may be: one if it is known to be stored, and one for each attempt of
// which nobody can know, because the answer was lost or the shard was gone.
func copies(result Result) int {
	n := 0
	for _, attempt := range result.Attempts {
		switch attempt.Code {
		case "", CodeConnection, CodeTimeout, CodeCanceled, CodeWrongShard:
			n++
		}
	}
	return n
}
