// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// rateCheck sees what is sent to each shard, and when.
type rateCheck struct {
	mu    sync.Mutex
	sent  []sentRecord
	known time.Time // when the shards became known; until then, all of them share one rate
}

type sentRecord struct {
	at   time.Time
	hash string
	size int
}

// watchRates watches the records that k is sent.
func watchRates(k *kpltest.Kinesis) *rateCheck {
	c := &rateCheck{}
	k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, func(call *kpltest.Call) kpltest.Action {
		c.mu.Lock()
		defer c.mu.Unlock()
		for i := range call.Records {
			r := &call.Records[i]
			c.sent = append(c.sent, sentRecord{time.Now(), aws.ToString(r.ExplicitHashKey), len(r.Data) + len(*r.PartitionKey)})
		}
		return kpltest.Action{}
	}))
	return c
}

// shardsListed notes when the shards are known.
func (c *rateCheck) shardsListed(e ListingEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known.IsZero() && e.Err == nil {
		c.known = time.Now()
	}
}

// check requires that no shard was ever sent more than it may get: the amount of one second at once, and its rate from then
// on. This must hold however long records wait, and whatever happens to connections and to the stream.
func (c *rateCheck) check(t *testing.T, config *Config, k *kpltest.Kinesis) {
	const rounding = time.Microsecond // of meters that are drawn from record by record
	sent := slices.DeleteFunc(c.sent, func(r sentRecord) bool { return !r.at.After(c.known) })
	hashes := make([]hashKey, len(sent))
	for i := range sent {
		hashes[i] = mustHashKey(t, sent[i].hash)
	}
	for _, open := range k.OpenShards(testStream) {
		keys := hashRange{mustHashKey(t, open.StartingHashKey), mustHashKey(t, open.EndingHashKey)}
		records := meter{perSecond: int64(shardRecordsPerSecond * config.RateLimit / 100)}
		bytes := meter{perSecond: int64(shardBytesPerSecond * config.RateLimit / 100)}
		for i, r := range sent {
			if !keys.contains(hashes[i]) {
				continue
			}
			if latest := r.at.Add(rounding); records.readyAt(1).After(latest) || bytes.readyAt(r.size).After(latest) {
				t.Fatalf("%s: too many records (%+v) or bytes (%+v) at %v", open.ID, records, bytes, r.at)
			}
			records.take(1, r.at)
			bytes.take(r.size, r.at)
		}
	}
}

func mustHashKey(t *testing.T, text string) hashKey {
	t.Helper()
	key, err := parseHashKey(text)
	if err != nil { // No assertion of testify, which would cost more than the parsing.
		t.Fatal(err)
	}
	return key
}
