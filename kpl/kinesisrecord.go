package kpl

import "time"

// kinesisRecord is an entry of a PutRecords call: one user record as it is, or several as an aggregated record.
type kinesisRecord struct {
	members  []userRecord
	bodySize int // bytes of the AggregatedRecord message with these members

	lowest, highest hashKey // of the members' hash keys: readers want all of them in the range of one shard

	received time.Time // of the oldest member
	deadline time.Time // when to send it at the latest

	// partitionKey and hash are the outer keys. Of a keyless record they are not known before it is closed.
	partitionKey string
	hash         hashKey
	keyless      bool

	lane *lane // the shard it is predicted for
}

// aggregated reports whether the record goes in the KPL's format: it does if it has more than one member.
func (k *kinesisRecord) aggregated() bool { return len(k.members) > 1 }

// movable reports whether readers find all members wherever the record lands.
func (k *kinesisRecord) movable() bool { return !k.aggregated() || k.lowest == k.highest }

// dataSize is the exact length of the record's data on the wire.
func (k *kinesisRecord) dataSize() int {
	if k.aggregated() {
		return frameBytes + k.bodySize
	}
	return len(k.members[0].data)
}

// size is what the record counts against the limits of the service: data and outer partition key.
func (k *kinesisRecord) size() int { return k.dataSize() + len(k.partitionKey) }

// predictedShard is the shard the record is meant for; empty if the shards are not known.
func (k *kinesisRecord) predictedShard() ShardID {
	if k.lane == nil {
		return ""
	}
	return k.lane.id
}

// member returns the i-th member.
func (k *kinesisRecord) member(i int) *userRecord { return &k.members[i] }

// append makes a copy of r a member. The body grows by growth bytes. A list of members that is full grows out of the pool.
func (k *kinesisRecord) append(r *userRecord, growth int, pool *memberPool) {
	if len(k.members) == cap(k.members) {
		k.members = pool.grow(k.members)
	}
	k.members = append(k.members, *r)
	k.bodySize += growth
	if r.hash.less(k.lowest) {
		k.lowest = r.hash
	}
	if k.highest.less(r.hash) {
		k.highest = r.hash
	}
}

// advance lets the record go earlier, for a member that was received then and has the given deadline.
func (k *kinesisRecord) advance(received, deadline time.Time) {
	if received.Before(k.received) {
		k.received = received
	}
	if deadline.Before(k.deadline) {
		k.deadline = deadline
	}
}

// setOuterKeys settles the keys the service sees, once all members are in. Those of a keyless record come later.
func (k *kinesisRecord) setOuterKeys() {
	if k.keyless {
		return
	}
	first := &k.members[0]
	k.hash = first.hash
	k.partitionKey = outerPartitionKey
	if !k.aggregated() {
		k.partitionKey = first.partitionKey
	}
}

// setKey gives a keyless record, and with it every member, the one partition key made for it.
func (k *kinesisRecord) setKey(key string, hash hashKey) {
	k.partitionKey, k.hash = key, hash
	k.lowest, k.highest = hash, hash
}

// setLane makes l the lane of the shard that the record is predicted for.
func (k *kinesisRecord) setLane(l *lane) { k.lane = l }

// keyOf is the partition key that readers see of r, which is a member.
func (k *kinesisRecord) keyOf(r *userRecord) string {
	if r.keyless {
		return k.partitionKey
	}
	return r.partitionKey
}

// canceled reports whether the caller of any member has given up on it.
func (k *kinesisRecord) canceled() bool {
	for i := range k.members {
		if k.members[i].canceled() {
			return true
		}
	}
	return false
}
