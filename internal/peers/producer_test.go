// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package peers

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// smallPages is a client that asks for two shards a page, so that listings have several.
type smallPages struct{ *kinesis.Client }

func (c smallPages) ListShards(
	ctx context.Context, in *kinesis.ListShardsInput, options ...func(*kinesis.Options),
) (*kinesis.ListShardsOutput, error) {
	paged := *in
	paged.MaxResults = aws.Int32(2)
	return c.Client.ListShards(ctx, &paged, options...)
}

// watcher is an Observer that records what these tests need.
type watcher struct {
	listed chan int // the number of open shards, for each listing that succeeded

	mu       sync.Mutex
	requests [][]kpl.FinishedEntry // guarded by mu
}

func newWatcher() *watcher { return &watcher{listed: make(chan int, 100)} }

func (w *watcher) observer() kpl.Observer {
	return kpl.Observer{ShardsListed: w.shardsListed, RequestFinished: w.requestFinished}
}

func (w *watcher) shardsListed(e kpl.ListingEvent) {
	if e.Err == nil {
		w.listed <- e.OpenShards
	}
}

func (w *watcher) requestFinished(request kpl.RequestEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, slices.Clone(request.Entries))
}

// patientConfig returns the default configuration with long timeouts, so that no record is sent twice because this machine
// is busy.
func patientConfig() kpl.Config {
	config := kpl.Config{}.WithDefaults()
	config.RequestTimeout, config.RecordTTL = Patience, 2*Patience
	return config
}

// newProducer returns a producer that is closed when the test ends, and its watcher.
func newProducer(t *testing.T, client kpl.Client, config kpl.Config) (*kpl.Producer, *watcher) {
	t.Helper()
	w := newWatcher()
	config.Observer = w.observer()
	producer, err := kpl.New(client, config)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, producer.Close(Context(t))) })
	return producer, w
}

// putFirst puts the first record of a stream and waits until the producer has listed the shards.
func putFirst(
	ctx context.Context, t *testing.T, producer *kpl.Producer, w *watcher, r kpl.UserRecord, shards int,
) kpl.Result {
	t.Helper()
	result, err := producer.PutWait(ctx, r)
	require.NoError(t, err)
	select {
	case listed := <-w.listed:
		require.Equal(t, shards, listed)
	case <-ctx.Done():
		require.NoError(t, ctx.Err(), "the shards were not listed")
	}
	return result
}

// putAll puts records as one batch and requires that each is stored.
func putAll(ctx context.Context, t *testing.T, producer *kpl.Producer, records []kpl.UserRecord) []kpl.Result {
	t.Helper()
	batch := producer.NewBatch()
	for _, r := range records {
		require.NoError(t, batch.Put(ctx, r))
	}
	results := batch.Wait(ctx)
	for i, result := range results {
		require.NoError(t, result.Err, "record %d", i)
	}
	return results
}

// randomData returns data of a random size. Most are small, as telemetry is. A few are as large as several aggregated records.
func randomData(random *rand.Rand) []byte {
	data := make([]byte, 1+random.IntN(2_000))
	if random.IntN(60) == 0 {
		data = make([]byte, 1+random.IntN(200_000))
	}
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return data
}

func randomHashKey(random *rand.Rand) string {
	key := new(big.Int).SetUint64(random.Uint64())
	return key.Lsh(key, 64).Add(key, new(big.Int).SetUint64(random.Uint64())).String()
}

// place is where a Kinesis record is.
type place struct{ shard, sequenceNumber string }

// TestUserRecordsComeOutAsTheyWentIn puts random user records into kinesis-mock, and reads them with AWS's own
// deaggregator. Keys and data are the same. Each record is where its Result says, and in the shard of its hash key.
func TestUserRecordsComeOutAsTheyWentIn(t *testing.T) {
	const recordsEach = 250
	tests := []struct {
		stream   string
		shards   int
		keys     func(i int, random *rand.Rand) (partitionKey, explicitHashKey string)
		disabled bool             // aggregation
		protocol kpl.WireProtocol // empty means the default
	}{
		{stream: "own-keys", shards: 5, keys: func(i int, _ *rand.Rand) (string, string) {
			return fmt.Sprint("key-", i), ""
		}},
		{stream: "shared-keys", shards: 5, keys: func(i int, _ *rand.Rand) (string, string) {
			return fmt.Sprint("κλειδί ", i%7), ""
		}},
		{stream: "long-keys", shards: 3, keys: func(i int, _ *rand.Rand) (string, string) {
			return fmt.Sprintf("%0256d", i), ""
		}},
		// Either all records of a stream have an explicit hash key or none has, because the deaggregator reads a mixture wrong.
		{stream: "explicit-hash-keys", shards: 5, keys: func(i int, random *rand.Rand) (string, string) {
			return fmt.Sprint("key-", i%3), randomHashKey(random)
		}},
		{stream: "shared-explicit-hash-keys", shards: 2, keys: func(i int, _ *rand.Rand) (string, string) {
			return fmt.Sprint("key-", i), []string{"0", "1", "340282366920938463463374607431768211455"}[i%3]
		}},
		{stream: "keyless", shards: 4, keys: func(int, *rand.Rand) (string, string) { return "", "" }},
		{stream: "in-json", shards: 3, protocol: kpl.WireJSON, keys: func(i int, _ *rand.Rand) (string, string) {
			return fmt.Sprintf("schlüssel \"%d\" 🦊", i), ""
		}},
		{stream: "in-the-sdks-json", shards: 3, protocol: kpl.WireSDK, keys: func(i int, _ *rand.Rand) (string, string) {
			return fmt.Sprintf("schlüssel \"%d\" 🦊", i), ""
		}},
		{stream: "one-by-one", shards: 4, disabled: true, keys: func(i int, _ *rand.Rand) (string, string) {
			return fmt.Sprint("key-", i), ""
		}},
	}
	mock := StartKinesisMock(t)
	for _, test := range tests {
		t.Run(test.stream, func(t *testing.T) {
			ctx := Context(t)
			mock.CreateStream(ctx, t, Stream{test.stream, test.shards})
			random := rand.New(rand.NewPCG(1, 2))
			records := make([]kpl.UserRecord, recordsEach)
			for i := range records {
				partitionKey, explicitHashKey := test.keys(i, random)
				records[i] = kpl.UserRecord{
					Stream: test.stream, PartitionKey: partitionKey, ExplicitHashKey: explicitHashKey, Data: randomData(random),
				}
			}
			config := patientConfig()
			if test.disabled {
				config.AggregationFormat = kpl.AggregationNone
			}
			config.WireProtocol = cmp.Or(test.protocol, config.WireProtocol)
			producer, watcher := newProducer(t, smallPages{mock.Client}, config)
			results := []kpl.Result{putFirst(ctx, t, producer, watcher, records[0], test.shards)}
			results = append(results, putAll(ctx, t, producer, records[1:])...)

			stored := ReadStream(ctx, t, mock.Client, test.stream)
			t.Logf("%d user records in %d Kinesis records", len(records), len(stored))
			aggregated := checkStored(t, records, results, stored)
			assert.Equal(t, !test.disabled, aggregated > 0, "%d aggregated records", aggregated)
		})
	}
}

// checkStored requires that stored has each of records once, in the place that its Result names. It returns the number of
// aggregated records.
func checkStored(t *testing.T, records []kpl.UserRecord, results []kpl.Result, stored []StoredRecord) (aggregated int) {
	t.Helper()
	type content struct {
		place
		partitionKey, explicitHashKey, data string
	}
	var want, got []content
	lone := map[place]bool{}
	keyless := records[0].PartitionKey == ""
	for _, s := range stored {
		at := place{*s.Shard.ShardId, s.SequenceNumber}
		require.False(t, s.Dropped, "readers drop %v", at)
		if s.Aggregated() {
			aggregated++
		} else {
			lone[at] = true
		}
		for _, r := range s.UserRecords {
			require.NotEmpty(t, r.PartitionKey)
			if keyless {
				r.PartitionKey = "" // the producer's own
			}
			got = append(got, content{at, r.PartitionKey, r.ExplicitHashKey, string(r.Data)})
		}
	}
	shards := map[string]StoredRecord{}
	for _, s := range stored {
		shards[*s.Shard.ShardId] = s
	}
	for i, r := range records {
		at := place{string(results[i].ShardID), results[i].SequenceNumber}
		if !keyless {
			require.True(t, Owns(t, shards[at.shard].Shard, r.PartitionKey, r.ExplicitHashKey), "record %d", i)
		}
		if lone[at] {
			r.ExplicitHashKey = "" // Kinesis does not return it.
		}
		want = append(want, content{at, r.PartitionKey, r.ExplicitHashKey, string(r.Data)})
	}
	count := func(all []content) map[content]int {
		counts := map[content]int{}
		for _, c := range all {
			counts[c]++
		}
		return counts
	}
	require.Len(t, got, len(want))
	require.True(t, maps.Equal(count(want), count(got)), "what came out is not what went in")
	return aggregated
}
