// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

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
	// config has the RateLimit, in percent of what the lane's shards take, and the RecordTTL.
	config *Config
	// pace says which part of RateLimit the lane uses, unless Config.FixedRate is set.
	pace pace.Pace
	// share is what pace said at the time paced. A zero time means that the buckets have to be set again.
	share float64
	paced time.Time

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

// newLane returns a lane to one shard that uses the limits of the shard as p says.
func newLane(id ShardID, config *Config, p pace.Pace) *lane {
	l := &lane{id: id, shards: 1, config: config, pace: p, share: 1}
	l.setRate(time.Time{})
	return l
}

// setShards says how many shards the lane leads to.
func (l *lane) setShards(shards int) {
	if l.shards != shards {
		l.shards, l.paced = shards, time.Time{}
	}
}

// setPace sets the buckets to what the lane may use now, if its oldest record has the given age. The share changes with
// time, so this comes before each decision.
func (l *lane) setPace(age float64, now time.Time) {
	if now.Equal(l.paced) {
		return
	}
	if l.paced = now; !l.config.FixedRate {
		l.share = l.pace.Share(age, now)
	}
	l.setRate(now)
}

// setRate sets the buckets to the share.
func (l *lane) setRate(now time.Time) {
	part := float64(l.config.RateLimit) / 100 * float64(l.shards) * l.share
	l.records.setRate(shardRecordsPerSecond*part, now)
	l.bytes.setRate(shardBytesPerSecond*part, now)
}

// age is how much of its time to live the oldest waiting record has behind it, from 0 to 1.
func (l *lane) age(now time.Time) float64 {
	if len(l.waiting) == 0 {
		return 0
	}
	return l.ageOf(l.waiting[0], now)
}

// ageOf is how much of its time to live k has behind it.
func (l *lane) ageOf(k *kinesisRecord, now time.Time) float64 {
	return now.Sub(k.received).Seconds() / l.config.RecordTTL.Seconds()
}

// stored learns from k, which the shard stored.
func (l *lane) stored(k *kinesisRecord, now time.Time) {
	l.setPace(l.age(now), now)
	l.pace.Stored(l.cost(k))
}

// throttled learns from k, which was sent at the given time and throttled by the shard. When the share falls, the buckets are
// emptied: what they hold was meant for the higher rate.
func (l *lane) throttled(k *kinesisRecord, sent, now time.Time) {
	age := max(l.age(now), l.ageOf(k, now))
	l.setPace(age, now)
	if l.pace.Throttled(l.cost(k), age, sent, now) {
		l.records.drain(now)
		l.bytes.drain(now)
		l.paced = time.Time{}
		l.setPace(age, now)
	}
}

// cost is how long the lane takes for k.
func (l *lane) cost(k *kinesisRecord) time.Duration {
	return max(l.records.cost(1), l.bytes.cost(k.size()))
}

// load is how long the shard is busy with what the lane has taken in.
func (l *lane) load(now time.Time) time.Duration {
	l.setPace(l.age(now), now)
	queued := max(l.bytes.cost(l.waitingBytes+l.releasedBytes), l.records.cost(len(l.waiting)+l.released))
	return queued + max(l.bytes.fullAt.Sub(now), l.records.fullAt.Sub(now), 0)
}

// push makes k wait, behind the records that are as old or older.
func (l *lane) push(k *kinesisRecord) {
	l.waitingBytes += k.size()
	at := len(l.waiting)
	if at > 0 && k.received.Before(l.waiting[at-1].received) {
		at = sort.Search(at, func(i int) bool { return k.received.Before(l.waiting[i].received) })
	}
	l.waiting = slices.Insert(l.waiting, at, k)
	if at == 0 { // the share depends on the oldest record
		l.paced = time.Time{}
	}
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

// delay is a random pause before k. Producers that keep exactly to a shard's rate fall in step with it: the same producer
// always comes when the shard has room, and the others come when it has none. If the lane has the shard for itself, the
// pause costs nothing, because k still goes before the buckets are full.
func (l *lane) delay(k *kinesisRecord) time.Duration {
	cost := l.cost(k)
	alone := min(cost, max(0, time.Second-cost))
	return time.Duration(l.late * max(float64(alone), (1-l.share)*float64(cost)))
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
	l.setPace(max(l.age(now), l.ageOf(k, now)), now)
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
