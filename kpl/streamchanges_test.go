// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// promise notes which records ended with a success, to compare them with what readers see.
type promise struct {
	t        *testing.T
	producer *Producer

	mu        sync.Mutex
	successes []string
	failures  map[Outcome]int
}

func newPromise(t *testing.T, p *Producer) *promise {
	t.Helper()
	return &promise{t: t, producer: p, failures: map[Outcome]int{}}
}

// put puts a record whose data is the text.
func (p *promise) put(key, text string) {
	record := UserRecord{Stream: testStream, PartitionKey: key, Data: []byte(text)}
	require.NoError(p.t, p.producer.Put(p.t.Context(), record, func(result Result) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if result.Err == nil {
			p.successes = append(p.successes, text)
		} else {
			p.failures[result.Outcome()]++
		}
	}))
}

// putPairs puts records of which two each have one key, so that they make aggregates, and waits for them.
func (p *promise) putPairs(name string, pairs int) {
	for i := range pairs {
		for j := range 2 {
			p.put(fmt.Sprint("key", i), fmt.Sprintf("%s %d/%d", name, i, j))
		}
	}
	require.NoError(p.t, p.producer.FlushWait(p.t.Context()))
}

// check requires that readers see each record that ended with a success.
func (p *promise) check(k *kpltest.Kinesis) {
	seen := map[string]bool{}
	for _, r := range k.UserRecords(testStream) {
		seen[string(r.Data)] = true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	lost := 0
	for _, text := range p.successes {
		if !seen[text] {
			lost++
		}
	}
	assert.Zero(p.t, lost, "of %d successes that many are seen by no reader", len(p.successes))
}

// forget drops the successes so far: their stream is about to be deleted.
func (p *promise) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.successes = nil
}

// jitter delays each call a little, so that no two things happen at the same moment of virtual time.
func jitter(k *kpltest.Kinesis) {
	k.Inject(func(c *kpltest.Call) kpltest.Action {
		return kpltest.Action{Delay: 5*time.Millisecond + time.Duration(c.Rand.Int64N(50e6))}
	})
}

const automatic, byKeys = types.RecordDistributionStrategyAuto, types.RecordDistributionStrategyUserPartitionKey

// An operator can switch a stream to AUTO while it is in use. A request of a quiet stream goes out together with a listing.
// That listing began before the record was stored, so it does not say whether keys still choose.
func TestQuietStreamIsSwitched(t *testing.T) {
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			k := kpltest.New(kpltest.Config{Seed: seed}, kpltest.Stream{Name: testStream, Shards: 4})
			jitter(k)
			p := newPromise(t, startProducer(t, k, nil))
			for i := range 30 {
				switch i {
				case 10:
					require.NoError(t, k.SetDistribution(testStream, automatic))
				case 20:
					require.NoError(t, k.SetDistribution(testStream, byKeys))
				}
				for j := range 6 {
					p.put("key", fmt.Sprintf("%d/%d", i, j))
				}
				advance(10 * time.Second)
			}
			p.check(k)
			assert.Len(t, p.successes, 180)
		})
	}
}

// The same while records flow, with all permissions, and with one of the two that tell.
func TestBusyStreamIsSwitched(t *testing.T) {
	keys := map[string]func(int) string{
		"one key":  func(int) string { return "key" },
		"six keys": func(i int) string { return fmt.Sprint("key", i) },
		"no keys":  func(int) string { return "" },
	}
	for _, denied := range []kpltest.Operation{"", kpltest.OpDescribeStreamSummary, kpltest.OpListShards} {
		for name, key := range keys {
			t.Run(name+" without "+string(denied), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					k := kpltest.New(kpltest.Config{Seed: 1}, kpltest.Stream{Name: testStream, Shards: 4})
					jitter(k)
					if denied != "" {
						k.Inject(kpltest.ForOperation(denied, kpltest.FailCall(kpltest.CodeAccessDenied)))
					}
					p := newPromise(t, startProducer(t, k, nil))
					put := func(phase string, turns int) {
						for i := range turns {
							for j := range 6 {
								p.put(key(j), fmt.Sprintf("%s %d/%d", phase, i, j))
							}
							advance(time.Duration(1+i%90) * time.Millisecond)
						}
					}
					put("by key", 200)
					require.NoError(t, k.SetDistribution(testStream, automatic))
					put("automatic", 3_000)
					require.NoError(t, k.SetDistribution(testStream, byKeys))
					put("by key again", 1_000)
					require.NoError(t, p.producer.FlushWait(t.Context()))
					p.check(k)
					assert.Len(t, p.successes, 6*4_200)
					assert.Less(t, len(k.Calls(kpltest.OpDescribeStreamSummary)), 20, "the service takes few of these calls")
				})
			})
		}
	}
}

// If keys choose again, records are aggregated again: the producer notices that they agree with their shards.
func TestSwitchBackIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kpltest.New(kpltest.Config{Seed: 1}, kpltest.Stream{Name: testStream, Shards: 4, Distribution: automatic})
		jitter(k)
		told := &distributions{}
		p := newPromise(t, startProducer(t, k, func(c *Config) { c.Observer = told.observer() }))
		holdBack(p.producer)
		p.putPairs("automatic", 100)
		advance(time.Minute)
		require.NoError(t, k.SetDistribution(testStream, byKeys))
		p.putPairs("by key", 100)
		advance(time.Minute)
		before := len(k.Records(testStream))
		p.putPairs("aggregated", 100)
		assert.LessOrEqual(t, len(k.Records(testStream))-before, 4)
		p.check(k)
		assert.Len(t, told.all(), 2)
	})
}

// The stream goes, comes back, is described, and goes again before its shards are listed. What was described of the second
// stream says nothing about the third.
func TestStreamGoneTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(3)
		p := newPromise(t, startProducer(t, k, nil))
		start := time.Now()
		p.putPairs("first", 5)
		advance(1100 * time.Millisecond)
		_, _, err := k.SplitShard(testStream, k.OpenShards(testStream)[0].ID, "")
		require.NoError(t, err)
		p.putPairs("split", 20) // other shards: the stream is described again, 10 s after the first time
		advance(2 * time.Second)
		p.forget()
		require.NoError(t, k.DeleteStream(testStream))
		p.putPairs("gone", 2)
		assert.Equal(t, map[Outcome]int{OutcomeUnavailable: 4}, p.failures)
		advance(time.Until(start.Add(9990 * time.Millisecond)))
		require.NoError(t, k.CreateStream(kpltest.Stream{Name: testStream, Shards: 2}))
		advance(20 * time.Millisecond)
		require.NoError(t, k.DeleteStream(testStream))
		advance(20 * time.Second)
		require.NoError(t, k.CreateStream(kpltest.Stream{Name: testStream, Shards: 8, Distribution: automatic}))
		for i := range 3 {
			p.putPairs(fmt.Sprint("third ", i), 20)
			advance(time.Second)
		}
		assert.Len(t, p.successes, 120)
		p.check(k)
	})
}

// Without ListShards only a description says that a stream came back as another kind. It is asked for again.
func TestRecreatedAsAutomaticWithoutListShards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(3)
		k.Inject(kpltest.ForOperation(kpltest.OpListShards, kpltest.FailCall(kpltest.CodeAccessDenied)))
		p := newPromise(t, startProducer(t, k, nil))
		p.putPairs("first", 5)
		advance(time.Minute)
		p.forget()
		require.NoError(t, k.DeleteStream(testStream))
		for i := range 5 {
			p.putPairs(fmt.Sprint("gone ", i), 2)
			advance(20 * time.Second)
		}
		require.NoError(t, k.CreateStream(kpltest.Stream{Name: testStream, Shards: 8, Distribution: automatic}))
		for i := range 5 {
			p.putPairs(fmt.Sprint("second ", i), 20)
			advance(time.Minute)
		}
		assert.Len(t, p.successes, 200)
		p.check(k)
	})
}

// While neither shards nor kind of a stream can be had for a reason that may pass, stored aggregates wait. Their callers do not
// wait longer than the TTL: the members end as expired, and may be put again.
func TestNoVerdictWithinTheTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(3)
		for _, operation := range []kpltest.Operation{kpltest.OpListShards, kpltest.OpDescribeStreamSummary} {
			k.Inject(kpltest.ForOperation(operation, kpltest.FailCall(kpltest.CodeInternalFailure)))
		}
		p := newPromise(t, startProducer(t, k, func(c *Config) { c.RecordTTL = 3 * time.Second }))
		holdBack(p.producer)
		start := time.Now()
		p.putPairs("first", 1)
		assert.Equal(t, 3*time.Second, time.Since(start))
		assert.Equal(t, map[Outcome]int{OutcomeExpired: 2}, p.failures)
		advance(3 * time.Minute) // by then it is certain that nothing says
		for range 10 {
			p.putPairs("later", 1)
			advance(20 * time.Second)
		}
		assert.NotEmpty(t, p.successes)
	})
}

// A record that is larger than the stream took is rejected only by a description of late, because the limit may have been
// raised.
func TestRaisedRecordSizeIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, func(c *Config) { c.MaxRecordSize, c.CollectionMaxSize = 10<<20, 10<<20 })
		warmUp(t, p, k)
		put := func() Outcome {
			result, _ := p.PutWait(t.Context(), sized("key", 2<<20))
			return result.Outcome()
		}
		assert.Equal(t, OutcomeRejected, put())
		advance(time.Hour)
		assert.Equal(t, OutcomeRejected, put())
		require.NoError(t, k.SetMaxRecordSize(testStream, 10<<20))
		advance(describeInterval)
		before := len(k.Calls(kpltest.OpDescribeStreamSummary))
		assert.Equal(t, OutcomeSuccess, put())
		assert.Equal(t, OutcomeSuccess, put())
		assert.Len(t, k.Calls(kpltest.OpDescribeStreamSummary), before+1)
	})
}
