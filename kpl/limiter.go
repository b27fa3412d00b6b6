package kpl

import (
	"math/rand/v2"
	"slices"
	"sort"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/pace"
)

// meter is a token bucket that holds a second's worth of units and starts full. It is kept as the time at which it will
// be full again, so that its arithmetic is exact.
type meter struct {
	perSecond int
	fullAt    time.Time
}

// cost is how long the bucket takes to regain n units.
func (m *meter) cost(n int) time.Duration {
	return time.Duration((int64(n)*int64(time.Second) + int64(m.perSecond) - 1) / int64(m.perSecond))
}

// readyAt is when n units may be taken. More than the bucket holds may be taken when it is full; it is in debt then.
func (m *meter) readyAt(n int) time.Time {
	return m.fullAt.Add(min(m.cost(n)-time.Second, 0))
}

// take takes n units.
func (m *meter) take(n int, now time.Time) {
	if m.fullAt.Before(now) {
		m.fullAt = now
	}
	m.fullAt = m.fullAt.Add(m.cost(n))
}

// drain empties the bucket.
func (m *meter) drain(now time.Time) {
	if empty := now.Add(time.Second); m.fullAt.Before(empty) {
		m.fullAt = empty
	}
}

// lane is the way to one shard: what waits to be sent there, and how much may be.
type lane struct {
	id      ShardID // empty for the lane of records whose shard is not known
	shards  int     // how many it leads to: 1, or as many as have answered
	records meter
	bytes   meter

	pace pace.Pace
	late float64 // random, from 0 to 1: how late the next record goes, see delay

	waiting      []*kinesisRecord // oldest first
	waitingBytes int

	// What was released and is not sent yet. The buckets are drawn from when it is, for only then does the shard see it: they
	// fill up to what the shard takes at once, however long it has to wait.
	released      int
	releasedBytes int
}

// readyAt is when k may be sent together with what was released before; false if it cannot be until that is gone.
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

// delay is how much later than it could k goes, at random. Producers that keep to a shard's rate exactly fall in step with
// it: the same one always comes when the shard has room again, and the others when it has none. A lane that has the shard
// for itself loses nothing by it, because k goes before the buckets are full.
func (l *lane) delay(k *kinesisRecord) time.Duration {
	cost := max(l.records.cost(1), l.bytes.cost(k.size()))
	alone := min(cost, max(0, time.Second-cost))
	return time.Duration(l.late * max(float64(alone), (1-l.pace.Share())*float64(cost)))
}

// full reports whether the lane carries about as much as it may: its buckets are less than half full.
func (l *lane) full(now time.Time) bool {
	return l.bytes.fullAt.Sub(now) > time.Second/2 || l.records.fullAt.Sub(now) > time.Second/2
}

// take draws from the buckets for k, which is sent now.
func (l *lane) take(k *kinesisRecord, now time.Time) {
	l.records.take(1, now)
	l.bytes.take(k.size(), now)
}

// release counts k among what is to be sent.
func (l *lane) release(k *kinesisRecord) {
	l.released++
	l.releasedBytes += k.size()
}

// unrelease undoes release: k is sent, or is not to be sent after all.
func (l *lane) unrelease(k *kinesisRecord) {
	l.released--
	l.releasedBytes -= k.size()
}

// load is how long the lane is busy with what it has taken in.
func (l *lane) load(now time.Time) time.Duration {
	queued := max(l.bytes.cost(l.waitingBytes+l.releasedBytes), l.records.cost(len(l.waiting)+l.released))
	return queued + max(l.bytes.fullAt.Sub(now), l.records.fullAt.Sub(now), 0)
}

// limiter keeps what is sent to each shard below the shard's limits. The oldest record of a lane goes first and holds
// up those behind it.
type limiter struct {
	config *Config
	random *rand.Rand
	lanes  map[ShardID]*lane
	busy   []*lane // with records waiting
}

func newLimiter(config *Config, random *rand.Rand) *limiter {
	return &limiter{config: config, random: random, lanes: map[ShardID]*lane{}}
}

// lane returns the lane of a shard; of the empty id, the one for records whose shard is not known.
func (l *limiter) lane(id ShardID) *lane {
	way := l.lanes[id]
	if way == nil {
		way = &lane{id: id, shards: 1, pace: pace.New(1)}
		l.lanes[id] = way
		l.setRate(way)
	}
	return way
}

// heir returns the lane of a shard. If it is new, it begins with what the lane of the shard that served its first keys has
// learned: whoever wrote there writes here. There may be none.
func (l *limiter) heir(id ShardID, parent *lane) *lane {
	_, known := l.lanes[id]
	way := l.lane(id)
	if !known && parent != nil {
		way.pace = pace.New(parent.pace.Share())
		l.setRate(way)
	}
	return way
}

// setShards tells how many shards way leads to.
func (l *limiter) setShards(way *lane, shards int) {
	way.shards = shards
	l.setRate(way)
}

// setRate lets way carry its share of what its shards may take.
func (l *limiter) setRate(way *lane) {
	percent := float64(l.config.RateLimit*way.shards) / 100 * way.pace.Share()
	way.records.perSecond = max(1, int(shardRecordsPerSecond*percent))
	way.bytes.perSecond = max(1, int(shardBytesPerSecond*percent))
}

// stored tells the lane of k that the shard took it.
func (l *limiter) stored(k *kinesisRecord, now time.Time) {
	if l.config.FixedRate {
		return
	}
	way := k.lane
	way.pace.Stored(way.full(now), now)
	l.setRate(way)
}

// throttled tells the lane of k that the shard refused it when it was sent. What the buckets hold was meant for a higher
// rate.
func (l *limiter) throttled(k *kinesisRecord, sent, now time.Time) {
	if l.config.FixedRate {
		return
	}
	way := k.lane
	if way.pace.Throttled(sent, now) {
		way.records.drain(now)
		way.bytes.drain(now)
	}
	l.setRate(way)
}

// keepLanes forgets the lanes that no shard of the map has and that nothing waits in.
func (l *limiter) keepLanes(shards *shardMap) {
	for id, way := range l.lanes {
		if _, ok := shards.rangeOf(id); !ok && id != "" && len(way.waiting) == 0 && way.released == 0 {
			delete(l.lanes, id)
		}
	}
}

// push makes k wait in its lane.
func (l *limiter) push(k *kinesisRecord) {
	way := k.lane
	if len(way.waiting) == 0 {
		l.busy = append(l.busy, way)
	}
	way.waitingBytes += k.size()
	if n := len(way.waiting); n == 0 || !k.received.Before(way.waiting[n-1].received) {
		way.waiting = append(way.waiting, k)
		return
	}
	at := sort.Search(len(way.waiting), func(i int) bool { return k.received.Before(way.waiting[i].received) })
	way.waiting = slices.Insert(way.waiting, at, k)
}

// release returns the records that may be sent now, with those released before, and those whose oldest member has expired.
func (l *limiter) release(now time.Time) (ready, expired []*kinesisRecord) {
	stillBusy := l.busy[:0]
	for _, way := range l.busy {
		for len(way.waiting) > 0 {
			k := way.waiting[0]
			late := !now.Before(k.received.Add(l.config.RecordTTL))
			if at, ok := way.readyAt(k); !late && (!ok || now.Before(at)) {
				break
			}
			way.pop()
			if late {
				expired = append(expired, k)
				continue
			}
			way.release(k)
			way.late = l.random.Float64()
			ready = append(ready, k)
		}
		if len(way.waiting) > 0 {
			stillBusy = append(stillBusy, way)
		}
	}
	clear(l.busy[len(stillBusy):])
	l.busy = stillBusy
	return ready, expired
}

// pop removes the oldest record.
func (l *lane) pop() {
	l.waitingBytes -= l.waiting[0].size()
	l.waiting[0] = nil
	l.waiting = l.waiting[1:]
}

// takeAll empties the stage.
func (l *limiter) takeAll() []*kinesisRecord {
	var all []*kinesisRecord
	for _, way := range l.busy {
		all = append(all, way.waiting...)
		way.waiting, way.waitingBytes = nil, 0
	}
	clear(l.busy)
	l.busy = l.busy[:0]
	return all
}

// empty reports whether nothing waits.
func (l *limiter) empty() bool { return len(l.busy) == 0 }

// nextWake is when release has something to return, if nothing is sent before; false if nothing waits.
func (l *limiter) nextWake() (time.Time, bool) {
	var next time.Time
	for i, way := range l.busy {
		k := way.waiting[0]
		at := k.received.Add(l.config.RecordTTL)
		if ready, ok := way.readyAt(k); ok && ready.Before(at) {
			at = ready
		}
		if i == 0 || at.Before(next) {
			next = at
		}
	}
	return next, len(l.busy) > 0
}
