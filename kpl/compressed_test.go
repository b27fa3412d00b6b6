// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// noise is data that [compressRuns] makes twice as large.
func noise(size int) []byte {
	random := rand.New(rand.NewPCG(1, uint64(size)))
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(2*random.IntN(100) + i%2)
	}
	return data
}

// noisyRecord is a record with noise as its data.
func noisyRecord(size int) UserRecord {
	return UserRecord{Stream: testStream, PartitionKey: "key", Data: noise(size)}
}

// unpacked returns what a reader has of a record. All of the record must be one frame.
func unpacked(t *testing.T, data []byte) []byte {
	t.Helper()
	plain, err := decompressRuns(data)
	require.NoError(t, err)
	return plain
}

// compressedLines counts how often a reader sees each number in the lines of a stream, all of whose records are compressed.
func compressedLines(t *testing.T, k *kpltest.Kinesis) map[int]int {
	t.Helper()
	counts := map[int]int{}
	for _, r := range k.Records(testStream) {
		for line := range strings.SplitSeq(string(unpacked(t, r.Data)), "\n") {
			number, err := strconv.Atoi(line)
			require.NoError(t, err)
			counts[number]++
		}
	}
	return counts
}

// onceEachCompressed demands that each of the numbers from 0 to n-1 was stored once.
func onceEachCompressed(t *testing.T, k *kpltest.Kinesis, n int, got *results) {
	t.Helper()
	assert.Equal(t, map[Outcome]int{OutcomeSuccess: n}, outcomes(got.all()))
	seen := compressedLines(t, k)
	assert.Len(t, seen, n)
	for number, times := range seen {
		require.Equal(t, 1, times, number)
	}
}

func TestRatio(t *testing.T) {
	const full = 50_000
	var r ratio
	assert.Equal(t, full, r.plain(full), "nothing is known: as if nothing were compressed")
	r.learn(500, 600, full)
	assert.Equal(t, full, r.plain(full), "a small record says nothing of a full one")
	r.learn(0, 0, full)
	assert.Equal(t, full, r.plain(full))
	r.learn(50_000, 10_000, full)
	assert.Equal(t, 247_500, r.plain(full), "five times as much, less the margin")
	assert.Equal(t, 10_000, r.compressed(50_000))
	r.learn(1_000, 500, full)
	assert.Equal(t, 247_500, r.plain(full), "a small record is compressed badly")
	r.learn(1_000, 100, full)
	assert.Greater(t, r.plain(full), 247_500, "unless it is compressed better than the full ones")
	before := r.plain(full)
	r.learn(before, before*2, full)
	assert.Less(t, r.plain(full), before)
	for range 50 {
		r.learn(r.plain(full), 2*r.plain(full), full)
	}
	assert.InDelta(t, full*minRatio, float64(r.plain(full)), full*.02, "it is never below that of data that is not compressed")
	for range 50 {
		r.learn(r.plain(full), 1, full)
	}
	assert.InDelta(t, full*maxRatio, float64(r.plain(full)), full*2)
	assert.Equal(t, maxJoinedPlain, r.plain(1<<20))
	assert.Equal(t, 8<<20, r.plain(8<<20), "a record may have as many bytes as it is to have after compression")
}

func TestCompressionNeedsTheConcatenatedFormat(t *testing.T) {
	for _, format := range []AggregationFormat{"", AggregationKPL, AggregationNone} {
		err := Config{AggregationFormat: format, Compress: compressRuns}.Validate()
		var field *FieldError
		require.ErrorAs(t, err, &field)
		assert.Equal(t, "AggregationFormat", field.Field)
		assert.Equal(t, "Compress", field.Related)
	}
	assert.NoError(t, Config{AggregationFormat: AggregationConcatenated, Compress: compressRuns}.Validate())
}

// A Kinesis record is one frame, whatever it has in it. What stands in the frame is what would be sent without compression.
func TestBytesOfCompressedRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, compressing)
		holdBack(p)
		advance(50 * time.Millisecond) // the shards are known
		one, two := Kind{Number: 1}, Kind{Number: 2}
		for _, r := range []UserRecord{
			{PartitionKey: "a", Kind: lines, Data: []byte("{}")},
			{PartitionKey: "b", Kind: lines, Data: []byte("[]")},
			{PartitionKey: "a", Kind: one, Data: []byte("one")},
			{PartitionKey: "b", Kind: one, Data: []byte("two")},
			{PartitionKey: "a", Kind: two, Data: []byte("alone")},
			{PartitionKey: "c", Data: make([]byte, 60_000)},
		} {
			r.Stream = testStream
			require.NoError(t, p.Put(t.Context(), r, nil))
		}
		require.NoError(t, p.FlushWait(t.Context()))
		var got []string
		for _, r := range k.Records(testStream) {
			got = append(got, r.PartitionKey+" "+strings.ReplaceAll(string(unpacked(t, r.Data)), "\x00", ""))
		}
		slices.Sort(got)
		assert.Equal(t, []string{"a alone", "a onetwo", "a {}\n[]", "c "}, got)
	})
}

// A record that is alone is one without a byte as well, and readers get it as it is.
func TestNothingIsNotCompressed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, func(c *Config) {
			compressing(c)
			c.Compress = func(dst, data []byte) []byte {
				if len(data) == 0 {
					return dst
				}
				return compressRuns(dst, data)
			}
		})
		_, err := p.PutWait(t.Context(), UserRecord{Stream: testStream, PartitionKey: "key"})
		require.NoError(t, err)
		assert.Empty(t, k.Records(testStream)[0].Data)
	})
}

// The first records are as large as without compression. From then on, records have the size after compression that they are to
// have, and many messages that went alone before share one.
func TestRecordsAreFilledByTheirSizeAfterCompression(t *testing.T) {
	for name, size := range map[string]int{"small": 700, "full without compression": 50_000} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTestKinesis(1)
				p := startProducer(t, k, func(c *Config) { compressing(c); c.RateLimit = 10_000 })
				data := slices.Concat(noise(size/20), make([]byte, size-size/20)) // about a ninth of it is left
				put := func(bytes int) {
					var got results
					for range bytes / size {
						require.NoError(t, p.Put(t.Context(), UserRecord{Stream: testStream, Data: data}, got.add))
					}
					require.NoError(t, p.FlushWait(t.Context()))
					assert.Equal(t, map[Outcome]int{OutcomeSuccess: bytes / size}, outcomes(got.all()))
				}
				put(1 << 20)
				put(1 << 20)
				learned := len(k.Records(testStream))
				put(20 << 20)
				records, units, large, stored := k.Records(testStream)[learned:], 0, 0, 0
				for _, r := range records {
					stored += len(r.Data)
					units += (len(r.Data) + KeylessKeySize + PutUnit - 1) / PutUnit
					if len(r.Data)+KeylessKeySize > 2*PutUnit {
						large++
					}
				}
				t.Logf("%d records of %d bytes, %d units, %d too large", len(records), stored/len(records), units, large)
				assert.LessOrEqual(t, large, len(records)/20)
				assert.Less(t, float64(units), 1.15*float64(stored)/PutUnit)
			})
		})
	}
}

// Compression makes some data larger. It is sent as a frame nevertheless, so that readers see one thing, unless the frame is too
// large for the service.
func TestDataThatCannotBeCompressed(t *testing.T) {
	for name, tt := range map[string]struct {
		sizes []int
		plain bool // of each record
	}{
		"alone":           {sizes: []int{40_000}},
		"together":        {sizes: []int{100, 200, 300}},
		"larger than all": {sizes: []int{600_000}, plain: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTestKinesis(1)
				p := startProducer(t, k, compressing)
				holdBack(p) // records that are compressed at the same time are sent in any order
				var want, have []byte
				for _, size := range tt.sizes {
					want = append(want, noise(size)...)
					require.NoError(t, p.Put(t.Context(), noisyRecord(size), nil))
				}
				require.NoError(t, p.FlushWait(t.Context()))
				for _, r := range k.Records(testStream) {
					if tt.plain {
						have = append(have, r.Data...)
					} else {
						have = append(have, unpacked(t, r.Data)...)
					}
				}
				assert.Equal(t, want, have)
			})
		})
	}
}

// Data that compresses well tells that much fills a record. Then comes data that does not compress at all. What is too large for
// the service is taken apart, and each member is stored once.
func TestRecordsThatComeOutTooLargeAreTakenApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, func(c *Config) { compressing(c); c.MaxRecordSize = 60_000; c.RateLimit = 10_000 })
		for range 100 {
			require.NoError(t, p.Put(t.Context(), sized("key", 50_000), nil))
		}
		require.NoError(t, p.FlushWait(t.Context()))
		before := len(k.Records(testStream))
		holdBack(p)
		var got results
		const n, size = 1_500, 1_000
		for range n {
			require.NoError(t, p.Put(t.Context(), noisyRecord(size), got.add))
		}
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Equal(t, map[Outcome]int{OutcomeSuccess: n}, outcomes(got.all()))
		for _, result := range got.all() {
			require.Len(t, result.Attempts, 1, "the service has not seen what was too large")
		}
		records := k.Records(testStream)[before:]
		stored := 0
		for _, r := range records {
			require.LessOrEqual(t, len(r.Data)+len(r.PartitionKey), 60_000)
			plain := unpacked(t, r.Data)
			require.Equal(t, bytes.Repeat(noise(size), len(plain)/size), plain)
			stored += len(plain)
		}
		assert.Equal(t, n*size, stored)
		assert.Less(t, len(records), 120, "halves are still well filled")
	})
}

// A user record may be larger than the service takes if compression makes it small enough. If not, its Result says so.
func TestUserRecordsThatAreLargeBeforeCompression(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, compressing)
		_, err := p.PutWait(t.Context(), sized("key", MaxPlainSize-3))
		require.NoError(t, err)
		assert.Len(t, unpacked(t, k.Records(testStream)[0].Data), MaxPlainSize-3)

		_, err = p.PutWait(t.Context(), noisyRecord(1<<20))
		var failure *RecordError
		require.ErrorAs(t, err, &failure)
		assert.Equal(t, OutcomeRejected, failure.Outcome)
		assert.Equal(t, CodeTooLarge, failure.Code)
		assert.Equal(t, "1048579 bytes with its partition key after compression, the limit is 1048576", failure.Message)

		_, err = p.PutWait(t.Context(), sized("key", MaxPlainSize))
		require.ErrorIs(t, err, ErrRecordTooLarge)
		assert.Len(t, k.Records(testStream), 1)
	})
}

// What a stream takes is known by its description. Compression counts there, too.
func TestCompressedRecordsFitTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, func(c *Config) { compressing(c); c.MaxRecordSize, c.CollectionMaxSize = 4<<20, 4<<20 })
		_, err := p.PutWait(t.Context(), sized("key", 1))
		require.NoError(t, err)
		advance(time.Second) // the stream is described by now: it takes 1 MiB
		_, err = p.PutWait(t.Context(), sized("key", 3<<20))
		require.NoError(t, err)
		_, err = p.PutWait(t.Context(), noisyRecord(900_000))
		require.NoError(t, err, "its frame is too large, but not the record without it")
		_, err = p.PutWait(t.Context(), noisyRecord(2<<20))
		var failure *RecordError
		require.ErrorAs(t, err, &failure)
		assert.Equal(t, CodeTooLarge, failure.Code)
		assert.Equal(t, OutcomeRejected, failure.Outcome)
	})
}

// Compression does not make a record wait, and records that come meanwhile do not take it for an idle stream.
func TestCompressedRecordsGoWhenOthersGo(t *testing.T) {
	for _, buffered := range []time.Duration{NoBuffering, 100 * time.Millisecond} {
		sent := map[bool][]time.Duration{}
		for _, compressed := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				k := newTestKinesis(2)
				p := startProducer(t, k, func(c *Config) {
					concatenated(c)
					if compressed {
						compressing(c)
					}
					c.RecordMaxBufferedTime = buffered
				})
				_, err := p.PutWait(t.Context(), sized("warm up", 1))
				require.NoError(t, err)
				advance(time.Second)
				begin := time.Now()
				var mu sync.Mutex
				for i := range 40 {
					require.NoError(t, p.Put(t.Context(), numbered("key", i), func(Result) {
						mu.Lock()
						defer mu.Unlock()
						sent[compressed] = append(sent[compressed], time.Since(begin))
					}))
					advance(7100 * time.Microsecond) // not when an answer comes
				}
				require.NoError(t, p.FlushWait(t.Context()))
			})
		}
		assert.Equal(t, sent[false], sent[true])
	}
}

// pausedCompression compresses when it is told to.
type pausedCompression struct{ began, goOn chan struct{} }

func newPausedCompression() *pausedCompression {
	return &pausedCompression{make(chan struct{}, 1000), make(chan struct{})}
}

func (c *pausedCompression) compress(dst, data []byte) []byte {
	c.began <- struct{}{}
	<-c.goOn
	return compressRuns(dst, data)
}

// pausedProducer starts a producer whose compression waits.
func pausedProducer(t *testing.T, k *kpltest.Kinesis) (*Producer, *pausedCompression) {
	pause := newPausedCompression()
	p := startProducer(t, k, func(c *Config) { compressing(c); c.Compress = pause.compress })
	p.open(testStream)
	advance(time.Second) // the shards are known
	return p, pause
}

// A caller may give up on a record while it is compressed. Then it is not sent.
func TestCanceledWhileBeingCompressed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p, pause := pausedProducer(t, k)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		batch := p.NewBatch()
		require.NoError(t, batch.Put(ctx, sized("key", 100)))
		advance(150 * time.Millisecond)
		require.Len(t, pause.began, 1)
		time.AfterFunc(2*time.Second, func() { close(pause.goOn) })
		results := batch.Wait(ctx)
		assert.Equal(t, OutcomeCanceled, results[0].Outcome())
		assert.Empty(t, k.Records(testStream))
	})
}

// Close does not return before the last compression has ended, and compresses nothing more.
func TestClosedWhileBeingCompressed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p, pause := pausedProducer(t, k)
		var got results
		for range 200 {
			require.NoError(t, p.Put(t.Context(), sized("key", 50_000), got.add))
		}
		synctest.Wait()
		started := len(pause.began)
		assert.Positive(t, started)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		time.AfterFunc(3*time.Second, func() { close(pause.goOn) })
		require.ErrorIs(t, p.Close(ctx), context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(begin))
		assert.Len(t, pause.began, started)
		assert.Equal(t, map[Outcome]int{OutcomeClosed: 200}, outcomes(got.all()))
		assert.Empty(t, k.Records(testStream))
	})
}

// Records expire while they wait for a worker.
func TestExpiredWhileBeingCompressed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p, pause := pausedProducer(t, k)
		var got results
		require.NoError(t, p.Put(t.Context(), sized("key", 100), got.add))
		advance(31 * time.Second)
		close(pause.goOn)
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Equal(t, map[Outcome]int{OutcomeExpired: 1}, outcomes(got.all()))
		assert.Empty(t, k.Records(testStream))
	})
}

// The shards change while a record is compressed. It is taken apart, so that keys go on choosing the shard.
func TestReshardWhileBeingCompressed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p, pause := pausedProducer(t, k)
		holdBack(p)
		var got results
		putLines(t, p, 100, &got)
		advance(200 * time.Millisecond)
		require.NotEmpty(t, pause.began)
		_, _, err := k.SplitShard(testStream, "shardId-000000000000", "")
		require.NoError(t, err)
		forward(true, p.streams[testStream].refresh)
		advance(3 * time.Second)
		require.Len(t, p.streams[testStream].listing.Load().open, 2)
		close(pause.goOn)
		require.NoError(t, p.FlushWait(t.Context()))
		onceEachCompressed(t, k, 100, &got)
		assert.Len(t, k.Records(testStream), 2, "one for each of the new shards")
	})
}

// While records are compressed, others gather.
func TestRecordsGatherDuringCompression(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p, pause := pausedProducer(t, k)
		var got results
		putLines(t, p, 1, &got)
		synctest.Wait()
		require.Len(t, pause.began, 1, "the first one goes at once")
		for i := 1; i < 30; i++ {
			record := numbered("key", i)
			record.Kind = lines
			require.NoError(t, p.Put(t.Context(), record, got.add))
			synctest.Wait()
		}
		close(pause.goOn)
		require.NoError(t, p.FlushWait(t.Context()))
		onceEachCompressed(t, k, 30, &got)
		assert.Len(t, k.Records(testStream), 2)
	})
}

func TestCompressedRecordsUnderThrottling(t *testing.T) {
	for name, distribution := range map[string]types.RecordDistributionStrategy{
		"by key": types.RecordDistributionStrategyUserPartitionKey, "automatic": types.RecordDistributionStrategyAuto,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kpltest.New(kpltest.Config{Seed: 1}, kpltest.Stream{Name: testStream, Shards: 4, Distribution: distribution})
				k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(roundTrip)))
				k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.2)))
				p := startProducer(t, k, func(c *Config) { compressing(c); c.AggregationMaxSize = 2000 })
				var got results
				putLines(t, p, 20_000, &got)
				require.NoError(t, p.FlushWait(t.Context()))
				onceEachCompressed(t, k, 20_000, &got)
			})
		})
	}
}

// The halves of a record that the service rejects are compressed anew.
func TestOnlyTheOffenderOfACompressedRecordIsRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		got := putAroundPoison(t, k, compressing, func(data []byte) []byte { return unpacked(t, data) })
		onceEachCompressed(t, k, 100, got)
	})
}

// Something lets no request of more than a few kilobytes through. Records are taken apart and compressed anew until they pass.
func TestCompressedRecordsBehindANarrowEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		narrow := &narrowClient{Kinesis: k, most: 6_000, end: time.Now().Add(time.Hour)}
		p := startProducer(t, narrow, compressing)
		holdBack(p)
		var got results
		putLines(t, p, 20_000, &got)
		require.NoError(t, p.FlushWait(t.Context()))
		onceEachCompressed(t, k, 20_000, &got)
	})
}

// No shard gets more than a megabyte a second, counted after compression. The producer sends as much as that of data that would
// be several times as large.
func TestCompressedBytesCountForTheShard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kpltest.New(kpltest.Config{Seed: 1, ShardLimits: true}, kpltest.Stream{Name: testStream, Shards: 1})
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(roundTrip)))
		var rates *rateCheck
		p := startProducer(t, k, func(c *Config) {
			compressing(c)
			c.FixedRate = true
			rates = watchRates(k)
			c.Observer.ShardsListed = rates.shardsListed
		})
		data := slices.Concat(noise(1_000), make([]byte, 7_000)) // a quarter is left
		var got results
		begin, put := time.Now(), 0
		for ; time.Since(begin) < 10*time.Second; put++ {
			require.NoError(t, p.Put(t.Context(), UserRecord{Stream: testStream, Data: data}, got.add))
		}
		require.NoError(t, p.FlushWait(t.Context()))
		plain := float64(put*len(data)) / time.Since(begin).Seconds()
		t.Logf("%.2f MiB/s before compression", plain/(1<<20))
		assert.Greater(t, plain, 3.5*(1<<20))
		for _, result := range got.all() {
			require.Len(t, result.Attempts, 1, "nothing was throttled")
		}
		rates.check(t, &p.config, k)
	})
}
