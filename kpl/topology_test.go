package kpl

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The stream of these tests has two shards. lowKey and nextKey belong to the first of them, highKey to the second.
var (
	lowKey, nextKey, highKey = hashKey{high: 1}, hashKey{high: 2}, hashKey{high: 1 << 63}

	halves = []shard{
		{"lower", hashRange{minHashKey, hashKey{1<<63 - 1, ^uint64(0)}}}, {"upper", hashRange{hashKey{high: 1 << 63}, maxHashKey}},
	}
	thirds = []shard{
		{"lower", hashRange{minHashKey, hashKey{1 << 62, 0}}},
		{"upper", hashRange{hashKey{1 << 62, 1}, hashKey{1 << 63, 0}}},
		{"third", hashRange{hashKey{1 << 63, 1}, maxHashKey}},
	}
)

// listing is a listing of the shards that began at a time and took a millisecond. The numbers tell streams of one name apart.
func listing(begin time.Duration, previous *shardMap, numbers string, shards []shard) *shardMap {
	m, first := newShardMap(shards, previous, at(begin)), map[ShardID]string{}
	for _, s := range shards {
		first[s.id] = numbers + string(s.id)
	}
	m.identify(first, previous, at(begin+time.Millisecond))
	return m
}

// lone is a record of one member, spread an aggregate of two keys, and alike an aggregate of one key, all predicted for a shard.
func lone(shard ShardID, key hashKey) *kinesisRecord {
	return &kinesisRecord{members: make([]userRecord, 1), hash: key, lowest: key, highest: key, lane: &lane{id: shard}}
}

func spread(shard ShardID, from, to hashKey) *kinesisRecord {
	return &kinesisRecord{members: make([]userRecord, 2), hash: from, lowest: from, highest: to, lane: &lane{id: shard}}
}

func alike(shard ShardID, key hashKey) *kinesisRecord { return spread(shard, key, key) }

// attempt is one that stored a record on a shard.
func attempt(shard ShardID, start, end time.Duration) *Attempt {
	return &Attempt{ShardID: shard, Start: at(start), End: at(end)}
}

// byKey is a stream that was described, and listed at 0 s.
func byKey() *topology {
	t := newTopology()
	t.described(streamKind{described: true, maxRecordSize: 1 << 20})
	t.listed(listing(0, nil, "49", halves))
	return &t
}

// unlisted is a stream whose shards cannot be listed.
func unlisted(kind streamKind) *topology {
	t := newTopology()
	t.described(kind)
	t.notListed(false)
	return &t
}

func TestNewTopology(t *testing.T) {
	topology := newTopology()
	assert.Nil(t, topology.predicting())
	assert.Equal(t, streamKind{}, topology.kindOfStream())
	assert.Equal(t, 1, topology.shardsOfUnknown())
	listing, description := topology.takeRequests()
	assert.False(t, listing || description, "the refresher and the describer begin by themselves")
}

// Each case is something that the topology is told, and what it then requests.
func TestTopologyRequests(t *testing.T) {
	type wants struct{ listing, description bool }
	second := time.Second
	cases := map[string]struct {
		topology *topology
		told     func(*topology)
		want     wants
	}{
		"the first listing":     {new(newTopology()), func(t *topology) { t.listed(listing(0, nil, "49", halves)) }, wants{}},
		"the same shards again": {byKey(), func(t *topology) { t.listed(listing(second, t.predicting(), "49", halves)) }, wants{}},
		"other shards": {byKey(), func(t *topology) {
			t.listed(listing(second, t.predicting(), "49", thirds))
		}, wants{false, true}},
		"the first listing after the stream was gone": {byKey(), func(t *topology) {
			t.noStream()
			t.takeRequests()
			t.listed(listing(second, nil, "50", halves))
		}, wants{false, true}},
		"no stream": {byKey(), (*topology).noStream, wants{true, false}},
		"an answer after a listing found no stream": {byKey(), func(t *topology) {
			t.notListed(true)
			t.stored(lone("", lowKey), attempt("lower", second, 2*second))
		}, wants{true, false}},
		"stored as predicted": {byKey(), func(t *topology) {
			t.stored(lone("lower", lowKey), attempt("lower", second, 2*second))
		}, wants{}},
		"stored on another shard": {byKey(), func(t *topology) {
			t.stored(lone("lower", lowKey), attempt("child", second, 2*second))
		}, wants{true, false}},
		"stored on another shard, sent before the listing": {byKey(), func(t *topology) {
			t.stored(lone("lower", lowKey), attempt("child", -second, second))
		}, wants{}},
		"an aggregate is sent":                  {byKey(), func(t *topology) { t.sending(at(second), true) }, wants{}},
		"an aggregate is sent after a silence":  {byKey(), func(t *topology) { t.sending(at(recreateTime), true) }, wants{true, false}},
		"a lone record is sent after a silence": {byKey(), func(t *topology) { t.sending(at(recreateTime), false) }, wants{}},
		"two aggregates are sent after a silence, one listing is on its way": {byKey(), func(t *topology) {
			t.sending(at(recreateTime), true)
			t.takeRequests()
			t.sending(at(recreateTime), true)
		}, wants{}},
		"an aggregate is sent after a silence, nothing is listed": {
			unlisted(streamKind{}), func(t *topology) { t.sending(at(time.Hour), true) }, wants{},
		},
		"an aggregate on a shard that is not listed": {byKey(), func(t *topology) {
			t.judge(&storedRecord{spread("lower", lowKey, nextKey), *attempt("child", second, 2*second), "1"})
		}, wants{true, false}},
		"an aggregate whose answer ends a silence": {byKey(), func(t *topology) {
			t.judge(&storedRecord{spread("lower", lowKey, highKey), *attempt("lower", recreateTime, recreateTime+second), "1"})
		}, wants{true, false}},
		"proof that the stream ignores keys": {byKey(), func(t *topology) {
			t.stored(lone("lower", lowKey), attempt("upper", second, 2*second))
			t.takeRequests()
			t.listed(listing(3*second, t.predicting(), "49", halves))
		}, wants{false, true}},
	}
	for name, c := range cases {
		c.told(c.topology)
		listing, description := c.topology.takeRequests()
		assert.Equal(t, c.want, wants{listing, description}, name)
		listing, description = c.topology.takeRequests()
		assert.False(t, listing || description, "%s: a request is taken once", name)
	}
}

// Each case is a stored record, and what its place means for readers.
func TestTopologyJudges(t *testing.T) {
	second := time.Second
	automatic := streamKind{described: true, automatic: true}
	cases := map[string]struct {
		topology *topology
		record   *kinesisRecord
		attempt  *Attempt
		want     placement
	}{
		"a lone record, wherever it is": {new(newTopology()), lone("", lowKey), attempt("upper", second, 2*second), placeGood},
		"all keys are the shard's":      {byKey(), spread("lower", lowKey, nextKey), attempt("lower", second, 2*second), placeGood},
		"one key is not":                {byKey(), spread("lower", lowKey, highKey), attempt("lower", second, 2*second), placeBad},
		"a shard that is not listed yet": {
			byKey(), spread("lower", lowKey, highKey), attempt("child", second, 2*second), placeUnknown,
		},
		"a shard that a later listing does not have": {
			byKey(), spread("lower", lowKey, highKey), attempt("child", -2*second, -second), placeBad,
		},
		"one key for all, on a shard that is not listed yet": {
			byKey(), alike("lower", lowKey), attempt("child", second, 2*second), placeGood,
		},
		"all keys are the shard's, after a silence": {
			byKey(), spread("lower", lowKey, nextKey), attempt("lower", recreateTime, recreateTime+second), placeUnknown,
		},
		"one key for all, after a silence": {
			byKey(), alike("lower", lowKey), attempt("lower", recreateTime, recreateTime+second), placeUnknown,
		},
		"nothing is known": {new(newTopology()), spread("", lowKey, highKey), attempt("lower", second, 2*second), placeUnknown},
		"nothing is known, one key for all": {
			new(newTopology()), alike("", lowKey), attempt("lower", second, 2*second), placeUnknown,
		},
		"neither list nor description is to be had, one key for all": {
			unlisted(streamKind{}), alike("", lowKey), attempt("lower", second, 2*second), placeGood,
		},
		"described, no list, one key for all": {
			unlisted(streamKind{described: true}), alike("", lowKey), attempt("lower", second, 2*second), placeGood,
		},
		"described, no list, two keys": {
			unlisted(streamKind{described: true}), spread("", lowKey, highKey), attempt("lower", second, 2*second), placeUnknown,
		},
		"keys are ignored, no list, one key for all": {
			unlisted(automatic), alike("", lowKey), attempt("lower", second, 2*second), placeUnknown,
		},
	}
	for name, c := range cases {
		stored := &storedRecord{c.record, *c.attempt, "1"}
		assert.Equal(t, c.want, c.topology.judge(stored), name)
	}
}

// If a listing fails, the topology decides about the records that wait for it, and drops the old listing.
func TestTopologyDecidesWithoutAListing(t *testing.T) {
	second := time.Second
	cases := map[string]struct {
		topology *topology
		record   *kinesisRecord
		noStream bool
		want     placement
	}{
		"two keys":                       {byKey(), spread("lower", lowKey, highKey), false, placeBad},
		"one key for all":                {byKey(), alike("lower", lowKey), false, placeGood},
		"one key for all, no stream":     {byKey(), alike("lower", lowKey), true, placeBad},
		"one key, of another shard":      {byKey(), alike("upper", highKey), false, placeBad},
		"one key, the stream is AUTO":    {unlisted(streamKind{described: true, automatic: true}), alike("", lowKey), false, placeBad},
		"one key, nothing was to be had": {unlisted(streamKind{}), alike("", lowKey), false, placeGood},
	}
	for name, c := range cases {
		c.topology.keep(storedRecord{c.record, *attempt("lower", second, 2*second), "1"})
		judged := c.topology.notListed(c.noStream)
		require.Len(t, judged, 1, name)
		assert.Equal(t, c.want, judged[0].place, name)
		assert.Nil(t, c.topology.predicting(), name)
		assert.Empty(t, c.topology.takeWaiting(), name)
	}
}

func TestTopologyKeepsTheListingIfNothingWaits(t *testing.T) {
	topology := byKey()
	assert.Empty(t, topology.notListed(false))
	assert.True(t, topology.predicting().known())
}

func TestTopologyWaitsForTheFirstDescription(t *testing.T) {
	topology := newTopology()
	topology.keep(storedRecord{alike("", lowKey), *attempt("lower", 0, time.Second), "1"})
	assert.Empty(t, topology.notListed(false), "the description may still come")
	topology.described(streamKind{})
	waiting := topology.takeWaiting()
	require.Len(t, waiting, 1)
	assert.Equal(t, placeGood, topology.judge(&waiting[0]), "there is none")
}

// Each case is what has happened to a stream, and the kind that the topology then assumes.
func TestKindOfStream(t *testing.T) {
	second := time.Second
	described := streamKind{described: true, maxRecordSize: 1 << 20}
	automatic := streamKind{described: true, automatic: true}
	misplaced := func(t *topology) { t.stored(lone("lower", lowKey), attempt("upper", second, 2*second)) }
	cases := map[string]struct {
		told func(*topology)
		want streamKind
	}{
		"described":       {func(*topology) {}, described},
		"described anew":  {func(t *topology) { t.described(automatic) }, automatic},
		"no later answer": {func(t *topology) { t.described(streamKind{}) }, described},
		"a proof": {func(t *topology) {
			misplaced(t)
			t.listed(listing(3*second, t.predicting(), "49", halves))
		}, streamKind{automatic: true, maxRecordSize: 1 << 20}},
		"a misplaced record, the listing is older": {func(t *topology) {
			misplaced(t)
			t.listed(listing(second, t.predicting(), "49", halves))
		}, described},
		"a misplaced record, the stream is another": {func(t *topology) {
			misplaced(t)
			t.listed(listing(3*second, t.predicting(), "50", halves))
		}, streamKind{}},
		"gone": {(*topology).noStream, streamKind{}},
		"gone, it was described AUTO": {func(t *topology) {
			t.described(automatic)
			t.listed(listing(second, nil, "49", halves))
			t.noStream()
		}, streamKind{automatic: true}},
		"recreated": {func(t *topology) { t.listed(listing(second, t.predicting(), "50", thirds)) }, streamKind{}},
		"resharded": {func(t *topology) {
			t.listed(listing(second, t.predicting(), "49", append(halves[:1:1], thirds[2])))
		}, described},
	}
	for name, c := range cases {
		topology := byKey()
		c.told(topology)
		assert.Equal(t, c.want, topology.kindOfStream(), name)
	}
}

func TestShardsToPredictFrom(t *testing.T) {
	topology := byKey()
	assert.Len(t, topology.predicting().open, 2)
	topology.described(streamKind{described: true, automatic: true})
	assert.Nil(t, topology.predicting(), "keys do not choose")
	assert.Equal(t, 2, topology.shardsOfUnknown())
	topology.noStream()
	assert.Nil(t, topology.predicting())

	topology = unlisted(streamKind{})
	for i, shard := range []ShardID{"a", "b", "b", "c"} {
		topology.stored(lone("", lowKey), attempt(shard, time.Duration(i), time.Duration(i)))
	}
	assert.Equal(t, 3, topology.shardsOfUnknown(), "as many as have answered")
	topology = byKey()
	topology.stored(lone("lower", lowKey), attempt("lower", 0, 0))
	assert.Equal(t, 1, topology.shardsOfUnknown(), "the list tells, nothing is counted")
}

// While answers come, no listing is requested for a silence.
func TestAnswersConfirm(t *testing.T) {
	topology := byKey()
	for i := range 10 {
		now := time.Duration(i+1) * (recreateTime - time.Millisecond)
		topology.sending(at(now), true)
		topology.stored(lone("lower", lowKey), attempt("lower", now, now))
	}
	listing, _ := topology.takeRequests()
	assert.False(t, listing)
}
