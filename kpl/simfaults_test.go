// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// injectFaults lets some of the things go wrong that can.
func (s *simulation) injectFaults(chance func(float64) bool) {
	puts := func(f kpltest.Fault) { s.kinesis.Inject(kpltest.ForOperation(kpltest.OpPutRecords, f)) }
	spread := time.Duration(1 + s.random.IntN(100))
	s.kinesis.Inject(func(c *kpltest.Call) kpltest.Action {
		return kpltest.Action{Delay: time.Millisecond * time.Duration(1+c.Rand.Int64N(int64(spread)))}
	})
	for _, code := range []string{kpltest.CodeThrottled, kpltest.CodeInternalFailure} {
		if chance(0.5) {
			puts(kpltest.FailRecordFraction(code, s.random.Float64()*0.4))
		}
	}
	calls := []kpltest.Fault{
		kpltest.FailCall(kpltest.CodeInternalFailure), kpltest.FailCall(kpltest.CodeServiceUnavailable),
		kpltest.FailCall(kpltest.CodeThrottling), kpltest.FailCall(kpltest.CodeExpiredToken),
		kpltest.Break(kpltest.ConnectionReset), kpltest.Break(kpltest.ConnectionHangs),
		kpltest.Break(kpltest.ConnectionCut), kpltest.Break(kpltest.ConnectionHangsStored),
	}
	for _, f := range calls {
		if chance(0.2) {
			puts(kpltest.Fraction(s.random.Float64()*0.2, f))
		}
	}
	automatic, undescribed := s.stream.Distribution == types.RecordDistributionStrategyAuto, chance(0.3)
	if undescribed {
		s.forbid(kpltest.OpDescribeStreamSummary, 1)
	}
	if s.unlisted = chance(0.2) && (!undescribed || !automatic); s.unlisted {
		s.forbid(kpltest.OpListShards, s.random.Float64())
	}
	if chance(0.2) {
		s.expireCredentials(automatic && undescribed)
	}
	s.blind = undescribed && s.unlisted
	s.rates = watchRates(s.kinesis)
	s.config.Observer = Observer{ShardsListed: s.rates.shardsListed}
}

// changes reports whether a change of the later kind is made, with a probability.
func (s *simulation) changes(p float64) bool { return s.extra != nil && s.extra.Float64() < p }

// forbid takes away the permission for a part of the calls of an operation, sometimes for a while only.
func (s *simulation) forbid(operation kpltest.Operation, part float64) {
	fault := kpltest.Fraction(part, kpltest.FailCall(kpltest.CodeAccessDenied))
	if s.changes(0.3) {
		fault = forAWhile(s.extra, kpltest.FailCall(kpltest.CodeAccessDenied))
	}
	s.kinesis.Inject(kpltest.ForOperation(operation, fault))
}

// expireCredentials lets the credentials expire, and renews them later. With ofPutsAlone, only the calls of PutRecords have
// these credentials.
func (s *simulation) expireCredentials(ofPutsAlone bool) {
	s.unlisted = s.unlisted || !ofPutsAlone
	expired := forAWhile(s.random, kpltest.FailCall(kpltest.CodeExpiredToken))
	if ofPutsAlone {
		expired = kpltest.ForOperation(kpltest.OpPutRecords, expired)
	}
	s.kinesis.Inject(expired)
}

// forAWhile limits a fault to some seconds.
func forAWhile(random *rand.Rand, fault kpltest.Fault) kpltest.Fault {
	begin := time.Now().Add(time.Duration(random.IntN(3_000)) * time.Millisecond)
	end := begin.Add(time.Duration(random.IntN(20_000)) * time.Millisecond)
	return func(c *kpltest.Call) kpltest.Action {
		if now := time.Now(); now.Before(begin) || !now.Before(end) {
			return kpltest.Action{}
		}
		return fault(c)
	}
}

// largerRecords is the raised limit, in bytes.
const largerRecords = 2 << 20

// raiseRecordSize lets the stream take larger records after a while. Larger records are put as soon as a description can be
// expected to say so.
func (s *simulation) raiseRecordSize() {
	s.stream.MaxRecordSize = largerRecords // when it is recreated
	s.config.MaxRecordSize, s.config.CollectionMaxSize = largerRecords, MaxRequestSize
	s.config.MaxOutstandingBytes = max(s.config.MaxOutstandingBytes, largerRecords)
	s.raised = time.Now().Add(time.Duration(s.extra.IntN(5_000))*time.Millisecond + describeInterval)
}

// upset changes the shards for a while: splits and merges them, or makes the whole stream anew.
func (s *simulation) upset(random *rand.Rand, remakes bool) {
	var maySwitch time.Time
	for range 1 + random.IntN(6) {
		advance(time.Duration(random.IntN(2_000)) * time.Millisecond)
		open := s.kinesis.OpenShards(testStream)
		i := random.IntN(len(open))
		switch {
		case remakes && random.IntN(3) == 0:
			s.remake(random)
			for s.twice && s.changes(0.4) { // before much is known of the new one
				advance(time.Duration(s.extra.IntN(3_000)) * time.Millisecond)
				s.remake(s.extra)
			}
		case s.switches && s.changes(0.5) && !time.Now().Before(maySwitch):
			s.switchDistribution()
			if s.unlisted { // then only descriptions tell, and they are not asked for more often
				maySwitch = time.Now().Add(2 * describeInterval)
			}
		case random.IntN(2) == 0 || len(open) == 1:
			_, _, err := s.kinesis.SplitShard(testStream, open[i].ID, "")
			assert.NoError(s.t, err)
		default:
			i = min(i, len(open)-2)
			_, err := s.kinesis.MergeShards(testStream, open[i].ID, open[i+1].ID)
			assert.NoError(s.t, err)
		}
	}
}

// remake deletes the stream and makes it anew, with other shards of the same ids. The stream is gone for at least as long as
// the service needs for that. Sometimes nobody puts a record in this time, so that the producer may not notice it.
func (s *simulation) remake(random *rand.Rand) {
	gone := recreateTime + time.Duration(random.IntN(3_000))*time.Millisecond
	if random.IntN(2) == 0 {
		before := time.Duration(random.IntN(4_000)) * time.Millisecond
		s.mu.Lock()
		s.quiet = time.Now().Add(before + gone)
		s.mu.Unlock()
		advance(before)
	}
	remains, err := s.kinesis.TakeStream(testStream)
	if !assert.NoError(s.t, err) {
		return
	}
	s.mu.Lock()
	s.remains = append(s.remains, remains)
	s.mu.Unlock()
	advance(gone)
	if random.IntN(3) > 0 {
		s.stream.Shards = 1 + random.IntN(8)
	}
	if random.IntN(5) == 0 && !s.blind {
		s.stream.Distribution = types.RecordDistributionStrategyAuto
	}
	assert.NoError(s.t, s.kinesis.CreateStream(s.stream))
}

// switchDistribution lets the service choose the shards from now on, or the keys again.
func (s *simulation) switchDistribution() {
	if s.stream.Distribution == types.RecordDistributionStrategyAuto {
		s.stream.Distribution = types.RecordDistributionStrategyUserPartitionKey
	} else {
		s.stream.Distribution = types.RecordDistributionStrategyAuto
	}
	assert.NoError(s.t, s.kinesis.SetDistribution(testStream, s.stream.Distribution))
}

// keepQuiet waits for the end of a silence.
func (s *simulation) keepQuiet() {
	s.mu.Lock()
	wait := time.Until(s.quiet)
	s.mu.Unlock()
	if wait > 0 {
		advance(wait)
	}
}
