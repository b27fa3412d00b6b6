package kpl

import (
	"slices"
	"sort"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/pace"
)

// lane has the Kinesis records that wait for one shard, and decides when they may go.
type lane struct {
	// id names the shard. It is empty for the lane of the records whose shard is not known.
	id ShardID
	// shards is how many shards the lane leads to: 1, or for the lane without an id as many as have answered.
	shards int
	// rateLimit is Config.RateLimit, in percent of what the lane's shards take.
	rateLimit int
	// pace is the part of rateLimit that the lane uses, as learned from throttled records.
	pace pace.Pace

	// records and bytes are the token buckets. A record draws from them when it is sent, not when it is released, because only
	// then does the shard see it. So they never hold more than one second's worth, however long a released record waits.
	records, bytes meter

	// waiting has the records that have not been released, oldest first; waitingBytes is their size.
	waiting      []*kinesisRecord
	waitingBytes int
	// released and releasedBytes are the number and size of the records that were released and are not sent yet.
	released, releasedBytes int

	// late is a random number from 0 to 1, drawn for each record. It spreads the sending times of producers, see delay.
	late float64
}

// newLane returns a lane to one shard that starts with the given share of the shard's limits.
func newLane(id ShardID, rateLimit int, share float64) *lane {
	l := &lane{id: id, shards: 1, rateLimit: rateLimit, pace: pace.New(share)}
	l.setRate()
	return l
}

// setShards says how many shards the lane leads to.
func (l *lane) setShards(shards int) {
	l.shards = shards
	l.setRate()
}

// setRate sets the buckets to what the lane may use now.
func (l *lane) setRate() {
	part := float64(l.rateLimit*l.shards) / 100 * l.pace.Share()
	l.records.setRate(shardRecordsPerSecond * part)
	l.bytes.setRate(shardBytesPerSecond * part)
}

// stored learns from a record that the shard took.
func (l *lane) stored(now time.Time) {
	l.pace.Stored(l.full(now), now)
	l.setRate()
}

// throttled learns from a record that the shard did not take, and that was sent at the given time. When the share falls, the
// buckets are emptied: what they hold was meant for the higher rate.
func (l *lane) throttled(sent, now time.Time) {
	if l.pace.Throttled(sent, now) {
		l.records.drain(now)
		l.bytes.drain(now)
	}
	l.setRate()
}

// full reports whether the lane sends about as much as it may: one of its buckets is less than half full.
func (l *lane) full(now time.Time) bool {
	return l.bytes.fullAt.Sub(now) > time.Second/2 || l.records.fullAt.Sub(now) > time.Second/2
}

// load is how long the shard is busy with what the lane has taken in.
func (l *lane) load(now time.Time) time.Duration {
	queued := max(l.bytes.cost(l.waitingBytes+l.releasedBytes), l.records.cost(len(l.waiting)+l.released))
	return queued + max(l.bytes.fullAt.Sub(now), l.records.fullAt.Sub(now), 0)
}

// push makes k wait, behind the records that are as old or older.
func (l *lane) push(k *kinesisRecord) {
	l.waitingBytes += k.size()
	if n := len(l.waiting); n == 0 || !k.received.Before(l.waiting[n-1].received) {
		l.waiting = append(l.waiting, k)
		return
	}
	at := sort.Search(len(l.waiting), func(i int) bool { return k.received.Before(l.waiting[i].received) })
	l.waiting = slices.Insert(l.waiting, at, k)
}

// oldest returns the record that goes next, and when; false if it cannot go until those released before are sent. There must be
// a record that waits.
func (l *lane) oldest() (k *kinesisRecord, at time.Time, ok bool) {
	k = l.waiting[0]
	at, ok = l.readyAt(k)
	return k, at, ok
}

// readyAt is when k may be sent together with what was released before; false if it cannot be until that is sent.
func (l *lane) readyAt(k *kinesisRecord) (time.Time, bool) {
	n, bytes := l.released+1, l.releasedBytes+k.size()
	if l.released > 0 && max(l.records.cost(n), l.bytes.cost(bytes)) > time.Second {
		return time.Time{}, false
	}
	ready := l.records.readyAt(n)
	if byBytes := l.bytes.readyAt(bytes); byBytes.After(ready) {
		ready = byBytes
	}
	return ready.Add(l.delay(k)), true
}

// delay is a random pause before k. Producers that keep exactly to a shard's rate fall in step with it: the same producer always
// comes when the shard has room, and the others come when it has none. If the lane has the shard for itself, the pause costs
// nothing, because k still goes before the buckets are full.
func (l *lane) delay(k *kinesisRecord) time.Duration {
	cost := max(l.records.cost(1), l.bytes.cost(k.size()))
	alone := min(cost, max(0, time.Second-cost))
	return time.Duration(l.late * max(float64(alone), (1-l.pace.Share())*float64(cost)))
}

// release counts k among the records that are released.
func (l *lane) release(k *kinesisRecord) {
	l.released++
	l.releasedBytes += k.size()
}

// setLate draws the next record's pause, by a random number from 0 to 1.
func (l *lane) setLate(random float64) { l.late = random }

// unrelease takes back a release: k is sent, or is not to be sent after all.
func (l *lane) unrelease(k *kinesisRecord) {
	l.released--
	l.releasedBytes -= k.size()
}

// send draws from the buckets for k, which is sent now.
func (l *lane) send(k *kinesisRecord, now time.Time) {
	l.records.take(1, now)
	l.bytes.take(k.size(), now)
}

// pop takes the oldest record out.
func (l *lane) pop() *kinesisRecord {
	k := l.waiting[0]
	l.waitingBytes -= k.size()
	l.waiting[0] = nil
	l.waiting = l.waiting[1:]
	return k
}

// takeAll takes out all records that wait.
func (l *lane) takeAll() []*kinesisRecord {
	all := l.waiting
	l.waiting, l.waitingBytes = nil, 0
	return all
}
