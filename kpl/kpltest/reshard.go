package kpltest

import "time"

// SplitShard closes a shard of a stream, given by name or ARN, and opens two in its place, of which it returns the ids.
// The upper one starts at startingHashKey; empty makes them halves.
func (k *Kinesis) SplitShard(stream, shardID, startingHashKey string) (lower, upper string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.split(parseReference(stream), shardID, startingHashKey)
}

// split is SplitShard. The caller holds the mutex.
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

// splitPoint returns where the upper of two shards starts that take the shard's place.
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

// MergeShards closes two adjacent shards of a stream, given by name or ARN, and opens one in their place, of which it
// returns the id.
func (k *Kinesis) MergeShards(stream, shardID, adjacentShardID string) (merged string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.merge(parseReference(stream), shardID, adjacentShardID)
}

// merge is MergeShards. The caller holds the mutex.
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
