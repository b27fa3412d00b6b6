// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"math/rand/v2"
	"time"
)

// router finds the lane of a closed Kinesis record.
type router struct {
	shards  *shardMap
	lanes   []*lane // by index in shards.open
	unknown *lane   // for records whose shard is not known
	random  *rand.Rand
}

// setShards makes shards the ones to predict from.
func (r *router) setShards(shards *shardMap, limiter *limiter) {
	before, lanes := r.shards, r.lanes
	r.shards, r.lanes = shards, nil
	if shards == nil {
		return
	}
	for _, s := range shards.open {
		var parent *lane
		if i, ok := before.predict(s.keys.first); ok {
			parent = lanes[i]
		}
		r.lanes = append(r.lanes, limiter.childLane(s.id, parent))
	}
}

// laneOf is the lane of the shard predicted for h.
func (r *router) laneOf(h hashKey) *lane {
	if i, ok := r.shards.predict(h); ok {
		return r.lanes[i]
	}
	return r.unknown
}

// route sets k's lane, and the key of a record that has none. It reports false if its members belong to different
// shards by now, as far as keys choose shards. Readers would drop k then if it has a frame.
func (r *router) route(k *kinesisRecord, now time.Time) bool {
	if k.keyless && k.partitionKey == "" {
		r.chooseKey(k, now)
		return true
	}
	k.setLane(r.laneOf(k.hash))
	return k.movable() || k.lane == r.laneOf(k.lowest) && k.lane == r.laneOf(k.highest) && k.lane != r.unknown
}

// keyCandidates is how many random keys are tried for a keyless record. The least loaded of a few random lanes is nearly as
// good as the least loaded of all. So shards with much room fill first, even if the ranges of the shards differ in size.
const keyCandidates = 4

// chooseKey gives k, a keyless record, the partition key whose lane has the most room.
func (r *router) chooseKey(k *kinesisRecord, now time.Time) {
	var (
		bestKey  string
		bestHash hashKey
		best     *lane
	)
	for range keyCandidates {
		key := r.randomKey()
		hash := hashOf(key)
		candidate := r.laneOf(hash)
		if best == nil || candidate.load(now) < best.load(now) {
			bestKey, bestHash, best = key, hash, candidate
		}
		if len(r.lanes) < 2 {
			break
		}
	}
	k.setKey(bestKey, bestHash)
	k.setLane(best)
}

// randomKey returns a key of KeylessKeySize characters, 80 bits of it random.
func (r *router) randomKey() string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz234567"
	var key [KeylessKeySize]byte
	bits := r.random.Uint64()
	for i := range key {
		if i == len(key)/2 {
			bits = r.random.Uint64()
		}
		key[i], bits = alphabet[bits%uint64(len(alphabet))], bits/uint64(len(alphabet))
	}
	return string(key[:])
}
