// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"math/rand/v2"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/pace"
)

// limiter keeps what is sent to each shard below the limits of the shard. In a lane the oldest record goes first, and holds up
// the records behind it.
type limiter struct {
	config *Config
	random *rand.Rand
	lanes  map[ShardID]*lane
	busy   []*lane // the lanes in which records wait

	lastStored time.Time // when a shard took a record last; zero before the first
}

func newLimiter(config *Config, random *rand.Rand) *limiter {
	return &limiter{config: config, random: random, lanes: map[ShardID]*lane{}}
}

// lane returns the lane of a shard. The empty id is for records whose shard is not known.
func (l *limiter) lane(id ShardID) *lane { return l.childLane(id, nil) }

// childLane returns the lane of a shard. A new lane starts with the share of the parent lane, because who wrote to the parent
// shard writes to the child. The parent is the lane of the shard that served the child's first keys; it may be nil.
func (l *limiter) childLane(id ShardID, parent *lane) *lane {
	if known := l.lanes[id]; known != nil {
		return known
	}
	p := pace.New()
	if parent != nil {
		p = parent.pace
	}
	l.lanes[id] = newLane(id, l.config, p)
	return l.lanes[id]
}

// keepLanes forgets the lanes of shards that are not in the map, unless something waits in them.
func (l *limiter) keepLanes(shards *shardMap) {
	for id, lane := range l.lanes {
		if _, ok := shards.rangeOf(id); !ok && id != "" && len(lane.waiting) == 0 && lane.released == 0 {
			delete(l.lanes, id)
		}
	}
}

// stored tells the lane of k that the shard took it.
func (l *limiter) stored(k *kinesisRecord, now time.Time) {
	l.lastStored = now
	if !l.config.FixedRate {
		k.lane.stored(k, now)
	}
}

// throttled tells the lane of k, which was sent at the given time, that the shard did not take it.
func (l *limiter) throttled(k *kinesisRecord, sent, now time.Time) {
	if !l.config.FixedRate {
		k.lane.throttled(k, sent, now)
	}
}

// push makes k wait in its lane.
func (l *limiter) push(k *kinesisRecord) {
	if len(k.lane.waiting) == 0 {
		l.busy = append(l.busy, k.lane)
	}
	k.lane.push(k)
}

// release returns the records that may be sent now, together with those released before, and the records whose oldest member
// has expired.
func (l *limiter) release(now time.Time) (ready, expired []*kinesisRecord) {
	stillBusy := l.busy[:0]
	for _, lane := range l.busy {
		lane.setPace(lane.age(now), now)
		for len(lane.waiting) > 0 {
			k, at, ok := lane.oldest()
			if !now.Before(k.received.Add(l.config.RecordTTL)) {
				expired = append(expired, lane.pop())
				continue
			}
			if !ok || now.Before(at) {
				break
			}
			lane.pop()
			lane.release(k)
			k.release(now)
			lane.setLate(l.random.Float64())
			ready = append(ready, k)
		}
		if len(lane.waiting) > 0 {
			stillBusy = append(stillBusy, lane)
		}
	}
	clear(l.busy[len(stillBusy):])
	l.busy = stillBusy
	return ready, expired
}

// takeAll empties the stage.
func (l *limiter) takeAll() []*kinesisRecord {
	var all []*kinesisRecord
	for _, lane := range l.busy {
		all = append(all, lane.takeAll()...)
	}
	clear(l.busy)
	l.busy = l.busy[:0]
	return all
}

// empty reports whether nothing waits.
func (l *limiter) empty() bool { return len(l.busy) == 0 }

// paceTime is how often the buckets of a lane in which records wait are set at least. By then, the share has not changed by
// much.
const paceTime = time.Second

// nextWake is when release may have something to return, if nothing is sent before; false if nothing waits.
func (l *limiter) nextWake() (time.Time, bool) {
	var next time.Time
	for i, lane := range l.busy {
		k, ready, ok := lane.oldest()
		at := k.received.Add(l.config.RecordTTL)
		if ok && ready.Before(at) {
			at = ready
		}
		if again := lane.paced.Add(paceTime); lane.share < 1 && again.Before(at) {
			at = again
		}
		if i == 0 || at.Before(next) {
			next = at
		}
	}
	return next, !l.empty()
}
