// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import "time"

// SplitShard closes a shard of a stream, given by name or ARN, and opens two shards in its place. It returns their ids. The upper
// shard starts at startingHashKey; if that is empty, in the middle. It returns an error if the shard is not open, or if
// startingHashKey is not a hash key of the shard or is its first one.
func (k *Kinesis) SplitShard(stream, shardID, startingHashKey string) (lower, upper string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.split(parseReference(stream), shardID, startingHashKey)
}

// split does what SplitShard does. The caller holds the mutex.
func (k *Kinesis) split(ref reference, shardID, startingHashKey string) (lower, upper string, err error) {
	s, err := k.lookup(ref)
	if err != nil {
		return "", "", err
	}
	parent, err := s.openShard(shardID)
	if err != nil {
		return "", "", err
	}
	at, err := parent.splitPoint(startingHashKey)
	if err != nil {
		return "", "", err
	}
	now := time.Now()
	s.closeShard(parent, now, k.nextSequence())
	low := s.addShard(parent.start, at.previous(), now, k.nextSequence())
	high := s.addShard(at, parent.end, now, k.nextSequence())
	low.parent, high.parent = parent.id, parent.id
	return low.id, high.id, nil
}

// splitPoint returns the first hash key of the upper shard after a split.
func (sh *shard) splitPoint(startingHashKey string) (hashKey, error) {
	if sh.start == sh.end {
		return hashKey{}, newError(CodeInvalidArgument, "Shard %s has a single hash key.", sh.id)
	}
	if startingHashKey == "" {
		return sh.start.middle(sh.end), nil
	}
	at, wellFormed, inRange := parseHashKey(startingHashKey)
	if !wellFormed || !inRange || at.compare(sh.start) <= 0 || at.compare(sh.end) > 0 {
		return hashKey{}, newError(CodeInvalidArgument,
			"NewStartingHashKey %s must be in the range of shard %s from %s to %s, and not its first key.",
			startingHashKey, sh.id, sh.start, sh.end)
	}
	return at, nil
}

// MergeShards closes two adjacent shards of a stream, given by name or ARN, and opens one shard in their place. It returns the
// id of that shard. The order of the two does not matter. It returns an error if one is not open, or if they are not adjacent.
func (k *Kinesis) MergeShards(stream, shardID, adjacentShardID string) (merged string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.merge(parseReference(stream), shardID, adjacentShardID)
}

// merge does what MergeShards does. The caller holds the mutex.
func (k *Kinesis) merge(ref reference, shardID, adjacentShardID string) (merged string, err error) {
	s, err := k.lookup(ref)
	if err != nil {
		return "", err
	}
	parent, err := s.openShard(shardID)
	if err != nil {
		return "", err
	}
	adjacent, err := s.openShard(adjacentShardID)
	if err != nil {
		return "", err
	}
	low, high := parent, adjacent
	if high.start.compare(low.start) < 0 {
		low, high = high, low
	}
	if low.end == maxHashKey || low.end.next() != high.start {
		return "", newError(CodeInvalidArgument, "Shards %s and %s in stream %s are not adjacent.",
			shardID, adjacentShardID, s.Name)
	}
	now := time.Now()
	s.closeShard(parent, now, k.nextSequence())
	s.closeShard(adjacent, now, k.nextSequence())
	child := s.addShard(low.start, high.end, now, k.nextSequence())
	child.parent, child.adjacentParent = parent.id, adjacent.id
	return child.id, nil
}
