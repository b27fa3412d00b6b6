package kpl

import (
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// rateCheck sees what is sent to each shard, and when.
type rateCheck struct {
	mu    sync.Mutex
	sent  []sentRecord
	known time.Time // when the shards were: before, they share one rate
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

// check requires that no shard was ever sent more than a second's worth at once and its rate since, however long records
// linger, and whatever happens to connections and to the stream.
func (c *rateCheck) check(t *testing.T, config *Config, k *kpltest.Kinesis) {
	const rounding = time.Microsecond // of meters that are drawn from record by record
	for _, open := range k.OpenShards(testStream) {
		keys := hashRange{mustHashKey(t, open.StartingHashKey), mustHashKey(t, open.EndingHashKey)}
		records := meter{perSecond: shardRecordsPerSecond * config.RateLimit / 100}
		bytes := meter{perSecond: shardBytesPerSecond * config.RateLimit / 100}
		for _, r := range c.sent {
			if r.at.After(c.known) && keys.contains(mustHashKey(t, r.hash)) {
				require.False(t, records.readyAt(1).After(r.at.Add(rounding)), "%s: too many records at %v", open.ID, r.at)
				require.False(t, bytes.readyAt(r.size).After(r.at.Add(rounding)), "%s: too many bytes at %v", open.ID, r.at)
				records.take(1, r.at)
				bytes.take(r.size, r.at)
			}
		}
	}
}

func mustHashKey(t *testing.T, text string) hashKey {
	t.Helper()
	key, err := parseHashKey(text)
	require.NoError(t, err)
	return key
}
