// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

// ShardOf returns the shard to which records with the given keys go, as the listing says that the producer has at the moment,
// and how many open shards that listing has. It is for callers that count what they hold for each shard.
//
// The explicit hash key may be empty, as in a [UserRecord]. Ok is false if nobody knows the shard: the producer has had no
// record of the stream yet or has forgotten it since ([StreamIdleTime]), its shards are not listed, or its keys choose no
// shard (record distribution AUTO). Then there are 0 open shards. Ok is also false for an empty partition key, for which the
// producer chooses a shard, and for an explicit hash key that Put does not accept.
//
// A reshard may change the answer at any time. ShardOf asks nobody and waits for nobody. With keys of up to 256 bytes it does not
// allocate memory.
func (p *Producer) ShardOf(stream, partitionKey, explicitHashKey string) (shard ShardID, openShards int, ok bool) {
	p.mu.RLock()
	s := p.streams[stream]
	p.mu.RUnlock()
	if s == nil {
		return "", 0, false
	}
	shards := s.listing.Load()
	if !shards.known() {
		return "", 0, false
	}
	openShards = len(shards.open)
	if partitionKey == "" {
		return "", openShards, false
	}
	var hash hashKey
	if explicitHashKey == "" {
		hash = hashOf(partitionKey)
	} else if parsed, err := parseHashKey(explicitHashKey); err == nil {
		hash = parsed
	} else {
		return "", openShards, false
	}
	i, ok := shards.predict(hash)
	if !ok { // the stream was resharded between two pages of the listing
		return "", openShards, false
	}
	return shards.open[i].id, openShards, true
}
