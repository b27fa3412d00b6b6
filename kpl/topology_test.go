// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

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

// lone is a record of one member, spread an aggregate of two keys, and alike an aggregate of one key, all predicted for a
// shard.
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
	t.described(at(0), describedAt(0, streamKind{described: true, maxRecordSize: 1 << 20}))
	t.list(listing(0, nil, "49", halves))
	return &t
}

// unlisted is a stream whose shards cannot be listed. It was described at 0 s as being of the kind; if that is not
// described, the description was denied.
func unlisted(kind streamKind) *topology {
	t := newTopology()
	d := describedAt(0, kind)
	if !kind.described {
		d = description{asked: at(0), outcome: describeDenied}
	}
	t.described(at(0), d)
	t.notListed(at(0), false)
	t.takeRequests()
	return &t
}

// describedAt is a description that was asked for at a time.
func describedAt(asked time.Duration, kind streamKind) description {
	return description{asked: at(asked), outcome: describeDone, kind: kind}
}

// list takes in a listing that is trusted.
func (t *topology) list(shards *shardMap) { _, _ = t.listed(shards.listed, shards) }

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
		"the first listing":     {new(newTopology()), func(t *topology) { t.list(listing(0, nil, "49", halves)) }, wants{}},
		"the same shards again": {byKey(), func(t *topology) { t.list(listing(second, t.predicting(), "49", halves)) }, wants{}},
		"other shards": {byKey(), func(t *topology) {
			t.list(listing(second, t.predicting(), "49", thirds))
		}, wants{false, true}},
		"the first listing after the stream was gone": {byKey(), func(t *topology) {
			t.noStream(at(time.Second))
			t.takeRequests()
			t.list(listing(second, nil, "50", halves))
		}, wants{false, true}},
		"no stream": {byKey(), func(t *topology) { t.noStream(at(time.Second)) }, wants{true, false}},
		"an answer after a listing found no stream": {byKey(), func(t *topology) {
			t.notListed(at(time.Second), true)
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
			t.list(listing(3*second, t.predicting(), "49", halves))
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
			byKey(), alike("lower", lowKey), attempt("child", second, 2*second), placeUnknown,
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
		"described before, no list, one key for all": {
			unlisted(streamKind{described: true}), alike("", lowKey), attempt("lower", second, 2*second), placeUnknown,
		},
		"described, no list, two keys": {
			unlisted(streamKind{described: true}), spread("", lowKey, highKey), attempt("lower", second, 2*second), placeUnknown,
		},
		"keys are ignored, no list, one key for all": {
			unlisted(automatic), alike("", lowKey), attempt("lower", second, 2*second), placeBad,
		},
	}
	for name, c := range cases {
		stored := &storedRecord{c.record, *c.attempt, "1"}
		assert.Equal(t, c.want, c.topology.judge(stored), name)
	}
}

// If a listing fails, what waits for it is decided, and the old listing goes. One key for all waits for a description.
func TestTopologyDecidesWithoutAListing(t *testing.T) {
	second := time.Second
	cases := map[string]struct {
		topology *topology
		record   *kinesisRecord
		noStream bool
		want     placement
	}{
		"two keys":                   {byKey(), spread("lower", lowKey, highKey), false, placeBad},
		"one key for all":            {byKey(), alike("lower", lowKey), false, placeUnknown},
		"one key for all, no stream": {byKey(), alike("lower", lowKey), true, placeBad},
		"one key, the stream is AUTO": {
			unlisted(streamKind{described: true, automatic: true}), alike("", lowKey), false, placeBad,
		},
		"one key, no description is to be had": {unlisted(streamKind{}), alike("", lowKey), false, placeGood},
	}
	for name, c := range cases {
		c.topology.keep(storedRecord{c.record, *attempt("lower", second, 2*second), "1"})
		judged := c.topology.notListed(at(3*second), c.noStream)
		assert.Nil(t, c.topology.predicting(), name)
		waiting := c.topology.takeWaiting()
		if c.want == placeUnknown {
			require.Len(t, waiting, 1, name)
			require.Empty(t, judged, name)
			continue
		}
		require.Empty(t, waiting, name)
		require.Len(t, judged, 1, name)
		assert.Equal(t, c.want, judged[0].place, name)
	}
}

// Without a listing, a description counts if it was asked for after the record was stored. What it proves stays proven for the
// key and the shard, as long as answers come.
func TestTopologyProvesKeysByDescriptions(t *testing.T) {
	second, described := time.Second, streamKind{described: true}
	topology := unlisted(described)
	judge := func(shard ShardID, key hashKey, start time.Duration) placement {
		a := attempt(shard, start, start+second)
		record := alike("", key)
		topology.stored(record, a)
		return topology.judge(&storedRecord{record, *a, "1"})
	}
	requested := func() bool {
		_, description := topology.takeRequests()
		return description
	}
	assert.Equal(t, placeUnknown, judge("a", lowKey, second))
	assert.True(t, requested())
	topology.described(at(2*second), describedAt(2*second, described))
	assert.Equal(t, placeGood, judge("a", lowKey, second), "stored before it was asked for")
	assert.Equal(t, placeGood, judge("a", lowKey, 3*second), "proven")
	assert.False(t, requested())
	assert.Equal(t, placeUnknown, judge("b", lowKey, 3*second), "another shard")
	assert.Equal(t, placeUnknown, judge("a", highKey, 3*second), "another key")
	assert.True(t, requested())
	topology.described(at(4*second), describedAt(4*second, described))
	assert.Equal(t, placeGood, judge("a", highKey, 3*second))
	assert.Equal(t, placeGood, judge("a", hashKey{high: 1 << 62}, 5*second), "between two keys that are proven")
	assert.Equal(t, placeUnknown, judge("a", lowKey, 5*second+recreateTime), "after a silence")
	topology.described(at(20*second), describedAt(20*second, streamKind{described: true, automatic: true}))
	assert.Equal(t, placeGood, judge("a", lowKey, 20*second), "proven, whoever has chosen")
	assert.Equal(t, placeBad, judge("b", lowKey, 20*second))
	topology.noStream(at(21 * second))
	assert.Equal(t, placeBad, judge("a", lowKey, 22*second), "gone; the next stream may ignore keys, too")
}

// A description that was asked for before the stream was gone is about another stream. One with another time of creation tells
// that the stream was recreated.
func TestTopologyTellsDescriptionsOfOtherStreams(t *testing.T) {
	second := time.Second
	topology := byKey()
	topology.noStream(at(2 * second))
	topology.takeRequests()
	topology.described(at(3*second), describedAt(second, streamKind{described: true}))
	assert.Equal(t, streamKind{}, topology.kindOfStream())
	_, wanted := topology.takeRequests()
	assert.True(t, wanted)

	topology = byKey()
	topology.described(at(second), describedAt(second, streamKind{described: true, created: at(-second)}))
	assert.True(t, topology.predicting().known())
	topology.described(at(2*second), describedAt(2*second, streamKind{described: true, created: at(second)}))
	assert.False(t, topology.predicting().known())
	topology.described(at(3*second), description{asked: at(3 * second), outcome: describeNoStream})
	assert.Equal(t, streamKind{}, topology.kindOfStream())
}

// A record that waited while the stream was recreated is not judged by what the new stream is like, even if its shard has the
// same id and serves all keys now.
func TestTopologyTellsRecordsOfOlderStreams(t *testing.T) {
	second := time.Second
	for name, c := range map[string]struct {
		first, number string // sequence numbers: the first of the shard, and that of the record
		listed        time.Duration
		want          placement
	}{
		"older than the shard":               {"200", "199", 10 * second, placeBad},
		"older, with fewer digits":           {"200", "99", 10 * second, placeBad},
		"as old as the shard":                {"200", "200", 10 * second, placeGood},
		"newer, with more digits":            {"200", "1000", 10 * second, placeGood},
		"the number of the shard is unknown": {"", "199", 10 * second, placeBad},
		"too soon for another stream":        {"200", "199", 2*second + recreateTime - 1, placeGood},
		"too soon, the number is unknown":    {"", "199", 2*second + recreateTime - 1, placeGood},
		"just late enough":                   {"200", "199", 2*second + recreateTime, placeBad},
	} {
		topology, shards := newTopology(), []shard{{"lower", hashRange{minHashKey, maxHashKey}}}
		m := newShardMap(shards, nil, at(c.listed))
		m.identify(map[ShardID]string{"lower": c.first}, nil, at(c.listed))
		topology.list(m)
		stored := storedRecord{spread("lower", lowKey, highKey), *attempt("lower", second, 2*second), c.number}
		assert.Equal(t, c.want, topology.judge(&stored), name)
	}
}

// The same holds if only descriptions are to be had. The time of creation tells.
func TestTopologyTellsRecordsOfOlderDescribedStreams(t *testing.T) {
	second := time.Second
	first := streamKind{described: true, created: at(0)}
	automatic := streamKind{described: true, automatic: true, created: at(5 * second)}
	for name, c := range map[string]struct {
		before, after streamKind
		described     time.Duration
		want          placement
	}{
		"the same stream":                     {first, first, 10 * second, placeGood},
		"another stream":                      {first, streamKind{described: true, created: at(5 * second)}, 10 * second, placeBad},
		"another stream, before the record":   {first, streamKind{described: true, created: at(second)}, 3 * second, placeGood},
		"the first description":               {streamKind{}, first, 10 * second, placeBad},
		"the first description, soon after":   {streamKind{}, first, 3 * second, placeGood},
		"nobody says when it was created":     {streamKind{described: true}, streamKind{described: true}, 10 * second, placeGood},
		"the first, and nobody says when":     {streamKind{}, streamKind{described: true}, 10 * second, placeGood},
		"another stream that ignores keys":    {first, automatic, 10 * second, placeBad},
		"it is only the last one that counts": {streamKind{described: true, created: at(-second)}, first, 10 * second, placeBad},
	} {
		topology := newTopology()
		if c.before.described {
			topology.described(at(0), describedAt(0, c.before))
		}
		topology.notListed(at(0), false)
		topology.described(at(c.described), describedAt(c.described, c.after))
		stored := storedRecord{alike("", lowKey), *attempt("lower", second, 2*second), "1"}
		topology.stored(stored.kinesisRecord, &stored.attempt)
		assert.Equal(t, c.want, topology.judge(&stored), name)
	}
}

// A description that is older than the proof that keys are ignored does not count against it.
func TestTopologyBelievesTheNewerOfProofAndDescription(t *testing.T) {
	second := time.Second
	topology := byKey()
	topology.stored(lone("lower", lowKey), attempt("upper", second, 2*second))
	topology.list(listing(3*second, topology.predicting(), "49", halves))
	require.True(t, topology.kindOfStream().automatic)
	topology.described(at(4*second), describedAt(second, streamKind{described: true}))
	assert.True(t, topology.kindOfStream().automatic)
	topology.described(at(5*second), describedAt(4*second, streamKind{described: true}))
	assert.False(t, topology.kindOfStream().automatic)
}

// If many records agree with their keys, a description is requested. If none is to be had, the records are believed.
func TestTopologyNoticesThatKeysChooseAgain(t *testing.T) {
	for denied, automatic := range map[bool]bool{false: true, true: false} {
		topology := byKey()
		topology.described(at(0), describedAt(1, streamKind{described: true, automatic: true}))
		if denied {
			topology.described(at(0), description{asked: at(2), outcome: describeDenied})
		}
		topology.takeRequests()
		for i := range firstAgreement {
			assert.True(t, topology.kindOfStream().automatic)
			topology.stored(lone("", lowKey), attempt("lower", time.Duration(i), time.Duration(i)))
		}
		_, description := topology.takeRequests()
		assert.True(t, description)
		assert.Equal(t, automatic, topology.kindOfStream().automatic)
	}
	agreement := agreement{needed: 2}
	for _, step := range []struct{ agrees, enough bool }{
		{true, false}, {false, false}, {true, false}, {true, true}, {true, false}, {true, false}, {true, false}, {true, true},
	} {
		assert.Equal(t, step.enough, agreement.count(step.agrees))
	}
}

// A listing that lacks the shards of answers three times in a row is not used for a minute.
func TestTopologyLosesTrustInListings(t *testing.T) {
	second := time.Second
	topology := byKey()
	now := time.Duration(0)
	contradict := func() error {
		now += second
		topology.stored(lone("lower", lowKey), attempt("foreign", now, now))
		now += second
		_, err := topology.listed(at(now), listing(now, topology.predicting(), "49", halves))
		return err
	}
	require.NoError(t, contradict())
	require.NoError(t, contradict())
	topology.stored(lone("lower", lowKey), attempt("lower", now, now)) // a listed shard answers, too
	for range maxContradictions - 1 {
		require.NoError(t, contradict())
	}
	require.ErrorIs(t, contradict(), errListingNotTrusted)
	assert.False(t, topology.predicting().known())
	require.NoError(t, contradict(), "it is reported once")
	assert.False(t, topology.predicting().known())
	topology.takeRequests()
	topology.stored(lone("", lowKey), attempt("foreign", now, now+distrustTime))
	wanted, _ := topology.takeRequests()
	assert.True(t, wanted, "it is tried again")
	_, err := topology.listed(at(now), listing(now+distrustTime, nil, "49", []shard{{"foreign", hashRange{minHashKey, maxHashKey}}}))
	require.NoError(t, err)
	assert.True(t, topology.predicting().known())
}

func TestTopologyChecksSizes(t *testing.T) {
	const limit = 1 << 20
	topology := byKey()
	assert.Equal(t, sizeFits, topology.checkSize(at(0), limit))
	assert.Equal(t, sizeTooLarge, topology.checkSize(at(describeInterval-1), limit+1))
	_, wanted := topology.takeRequests()
	assert.False(t, wanted)
	assert.Equal(t, sizeUnknown, topology.checkSize(at(describeInterval), limit+1))
	_, wanted = topology.takeRequests()
	assert.True(t, wanted)
	topology.described(at(0), describedAt(describeInterval, streamKind{described: true, maxRecordSize: 2 * limit}))
	assert.Equal(t, sizeFits, topology.checkSize(at(describeInterval), limit+1))
	topology.described(at(0), description{asked: at(time.Hour), outcome: describeDenied})
	assert.Equal(t, sizeFits, topology.checkSize(at(time.Hour), 3*limit), "the service will say")
	assert.Equal(t, sizeFits, new(newTopology()).checkSize(at(0), 100*limit))
}

func TestTopologyKeepsTheListingIfNothingWaits(t *testing.T) {
	topology := byKey()
	assert.Empty(t, topology.notListed(at(time.Second), false))
	assert.True(t, topology.predicting().known())
}

func TestTopologyWaitsForTheFirstDescription(t *testing.T) {
	topology := newTopology()
	topology.keep(storedRecord{alike("", lowKey), *attempt("lower", 0, time.Second), "1"})
	assert.Empty(t, topology.notListed(at(time.Second), false), "the description may still come")
	topology.described(at(time.Second), description{asked: at(0), outcome: describeDenied})
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
		"described":      {func(*topology) {}, described},
		"described anew": {func(t *topology) { t.described(at(time.Second), describedAt(time.Second, automatic)) }, automatic},
		"no later answer": {func(t *topology) {
			t.described(at(second), description{asked: at(second), outcome: describeDenied})
		}, described},
		"a proof": {func(t *topology) {
			misplaced(t)
			t.list(listing(3*second, t.predicting(), "49", halves))
		}, streamKind{automatic: true, maxRecordSize: 1 << 20}},
		"a misplaced record, the listing is older": {func(t *topology) {
			misplaced(t)
			t.list(listing(second, t.predicting(), "49", halves))
		}, described},
		"a misplaced record, the stream is another": {func(t *topology) {
			misplaced(t)
			t.list(listing(3*second, t.predicting(), "50", halves))
		}, streamKind{}},
		"gone": {func(t *topology) { t.noStream(at(time.Second)) }, streamKind{}},
		"gone, it was described AUTO": {func(t *topology) {
			t.described(at(time.Second), describedAt(time.Second, automatic))
			t.list(listing(second, nil, "49", halves))
			t.noStream(at(time.Second))
		}, streamKind{automatic: true}},
		"recreated": {func(t *topology) { t.list(listing(second, t.predicting(), "50", thirds)) }, streamKind{}},
		"resharded": {func(t *topology) {
			t.list(listing(second, t.predicting(), "49", append(halves[:1:1], thirds[2])))
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
	topology.described(at(time.Second), describedAt(time.Second, streamKind{described: true, automatic: true}))
	assert.Nil(t, topology.predicting(), "keys do not choose")
	assert.Equal(t, 2, topology.shardsOfUnknown())
	topology.noStream(at(time.Second))
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
