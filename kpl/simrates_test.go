package kpl

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// rateCheck sees what is sent to each shard, and when.
type rateCheck struct {
	NopObserver
	mu    sync.Mutex
	sent  []sentRecord
	known time.Time   // when the shards were: before, they share one rate
	down  []time.Time // when the stream's availability changed: it goes first
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

// ShardMapRefreshed implements [Observer].
func (c *rateCheck) ShardMapRefreshed(_ string, _ int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known.IsZero() && err == nil {
		c.known = time.Now()
	}
}

// AvailabilityChanged implements [Observer].
func (c *rateCheck) AvailabilityChanged(string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = append(c.down, time.Now())
}

// check requires that no shard was sent more than its rate and a second's worth at once. What the rate has let go may
// wait as long as records linger, or until there is a connection and the stream takes records, and then goes together.
func (c *rateCheck) check(t *testing.T, config *Config, k *kpltest.Kinesis) {
	stalls := c.stalls(config, k)
	for _, open := range k.OpenShards(testStream) {
		keys := hashRange{mustHashKey(t, open.StartingHashKey), mustHashKey(t, open.EndingHashKey)}
		records := newAllowance(shardRecordsPerSecond*config.RateLimit/100, config.linger(), stalls)
		bytes := newAllowance(shardBytesPerSecond*config.RateLimit/100, config.linger(), stalls)
		for _, r := range c.sent {
			if r.at.After(c.known) && keys.contains(mustHashKey(t, r.hash)) {
				require.True(t, records.take(r.at, 1), "%s: too many records at %v", open.ID, r.at)
				require.True(t, bytes.take(r.at, r.size), "%s: too many bytes at %v", open.ID, r.at)
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

// stall is a time in which nothing can be sent.
type stall struct{ from, to time.Time }

// stalls returns when all connections were busy, or the stream took nothing, in order.
func (c *rateCheck) stalls(config *Config, k *kpltest.Kinesis) []stall {
	type edge struct {
		at    time.Time
		calls int
		down  int
	}
	var edges []edge
	for _, call := range k.Calls(kpltest.OpPutRecords) {
		edges = append(edges, edge{call.Start, 1, 0}, edge{call.End, -1, 0})
	}
	for i, at := range c.down {
		edges = append(edges, edge{at, 0, 1 - 2*(i%2)})
	}
	slices.SortStableFunc(edges, func(a, b edge) int { return a.at.Compare(b.at) })
	var stalls []stall
	calls, down := 0, 0
	for i, e := range edges {
		calls, down = calls+e.calls, down+e.down
		if i+1 == len(edges) || edges[i+1].at.Equal(e.at) || calls < config.MaxConnections && down == 0 {
			continue
		}
		if n := len(stalls); n > 0 && stalls[n-1].to.Equal(e.at) {
			stalls[n-1].to = edges[i+1].at
		} else {
			stalls = append(stalls, stall{e.at, edges[i+1].at})
		}
	}
	return stalls
}

// allowance is what may be sent: a second's worth and what comes in while records linger, and more in a stall; and once
// a second's worth that was let go when the shards were not known.
type allowance struct {
	perSecond, most, left float64
	updated               time.Time
	stalls                []stall
}

func newAllowance(perSecond int, linger time.Duration, stalls []stall) *allowance {
	second := float64(perSecond)
	most := second * (1 + linger.Seconds())
	return &allowance{perSecond: second, most: most, left: most + second, stalls: stalls}
}

// take takes n at now, and reports whether that is allowed. More than a second's worth may go if that much is there.
func (a *allowance) take(now time.Time, n int) bool {
	for len(a.stalls) > 0 && a.stalls[0].from.Before(now) {
		a.until(a.stalls[0].from, true)
		if a.stalls[0].to.After(now) {
			a.until(now, false)
			break
		}
		a.until(a.stalls[0].to, false)
		a.stalls = a.stalls[1:]
	}
	a.until(now, true)
	const rounding = 1e-3
	allowed := a.left+rounding >= min(float64(n), a.perSecond)
	a.left -= float64(n)
	return allowed
}

// until adds what comes in until then, up to the most there may be if that is limited.
func (a *allowance) until(then time.Time, limited bool) {
	if !then.After(a.updated) {
		return
	}
	before := a.left
	if !a.updated.IsZero() {
		a.left += a.perSecond * then.Sub(a.updated).Seconds()
	}
	if limited {
		a.left = min(a.left, max(a.most, before))
	}
	a.updated = then
}
