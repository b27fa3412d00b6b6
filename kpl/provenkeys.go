// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

// provenKeys has the hash keys that shards were proven to serve. The keys of a shard are one range. So a shard serves all keys
// between two that it serves.
type provenKeys map[ShardID]hashRange

// has reports whether a shard is proven to serve a hash key.
func (p provenKeys) has(shard ShardID, hash hashKey) bool {
	keys, ok := p[shard]
	return ok && keys.contains(hash)
}

// add takes in that a shard serves a hash key.
func (p provenKeys) add(shard ShardID, hash hashKey) {
	keys, ok := p[shard]
	switch {
	case !ok && len(p) == maxShards:
		return
	case !ok:
		keys = hashRange{hash, hash}
	case hash.less(keys.first):
		keys.first = hash
	case keys.last.less(hash):
		keys.last = hash
	}
	p[shard] = keys
}
