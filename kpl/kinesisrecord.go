// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import "time"

// kinesisRecord is an entry of a PutRecords call: one user record as it is, or several in one.
type kinesisRecord struct {
	// members are its user records. bodySize is the length in bytes of their AggregatedRecord message, or of their data one
	// after the other if the record is plain.
	members  []userRecord
	bodySize int

	// lowest and highest are the limits of the members' hash keys. Readers want both in the range of the shard.
	lowest, highest hashKey

	// received is when the oldest member was received. deadline is when to send the record at the latest.
	received, deadline time.Time
	// limited is when the record came to the limiter, and held is how long it was there.
	limited time.Time
	held    time.Duration

	// partitionKey and hash are the keys that the service sees. A keyless record gets them when it is closed.
	partitionKey string
	hash         hashKey
	keyless      bool

	// plain is set if the record never gets a frame: its data is that of the members, one after the other. They are of one kind.
	plain bool
	kind  Kind
	// part is set if the record is a part of one that was not accepted. It goes in a request of its own.
	part bool

	// lane is that of the shard for which the record is predicted.
	lane *lane

	// compressed is the data as one compressed frame; nil if the data is sent as it is. It is a pointer, because a slot has a
	// record, and slots should be small.
	compressed *[]byte
}

// joined reports whether the record has more than one member. Such a record can be taken apart.
func (k *kinesisRecord) joined() bool { return len(k.members) > 1 }

// framed reports whether the record is sent in the KPL's format. Readers drop such a record if its shard does not serve all
// members, so the place where it was stored needs a verdict.
func (k *kinesisRecord) framed() bool { return k.joined() && !k.plain }

// movable reports whether all members belong to one shard, whatever the shards are.
func (k *kinesisRecord) movable() bool { return !k.joined() || k.lowest == k.highest }

// dataSize is the exact length of the record's data on the wire.
func (k *kinesisRecord) dataSize() int {
	switch {
	case k.compressed != nil:
		return len(*k.compressed)
	case !k.joined():
		return len(k.members[0].data)
	case k.plain:
		return k.bodySize
	}
	return frameBytes + k.bodySize
}

// size is what counts against the limits of the service: data and outer partition key.
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

// setOuterKeys sets the keys that the service sees, once all members are in. A keyless record gets its keys later.
//
// useFirst says that the key of the first member becomes the outer key, because all members have it or because the record is
// plain. Some readers know only the outer key: AWS Lambda makes its batches for each. Members that were part of a larger
// record may have no room for it in maxSize.
func (k *kinesisRecord) setOuterKeys(useFirst bool, maxSize int) {
	if k.keyless {
		return
	}
	first := &k.members[0]
	k.hash = first.hash
	k.partitionKey = outerPartitionKey
	if !k.joined() || useFirst && k.dataSize()+len(first.partitionKey) <= maxSize {
		k.partitionKey = first.partitionKey
	}
}

// setKey gives a keyless record and all its members the partition key that was made for it.
func (k *kinesisRecord) setKey(key string, hash hashKey) {
	k.partitionKey, k.hash = key, hash
	k.lowest, k.highest = hash, hash
}

// setCompressed makes data, which nobody writes to any more, the data that is sent. If it is empty, the data is sent as it is.
func (k *kinesisRecord) setCompressed(data []byte) {
	k.compressed = nil
	if len(data) > 0 {
		k.compressed = &data
	}
}

// setPart says that the record goes in a request of its own.
func (k *kinesisRecord) setPart() { k.part = true }

// limit notes that the record comes to the limiter.
func (k *kinesisRecord) limit(now time.Time) { k.limited = now }

// release notes that the limiter has let the record go.
func (k *kinesisRecord) release(now time.Time) { k.held = now.Sub(k.limited) }

// setLane makes l the lane of the shard that the record is predicted for.
func (k *kinesisRecord) setLane(l *lane) { k.lane = l }

// outerPartitionKey points to the partition key that the service sees. It is valid and must not be changed as long as k is.
func (k *kinesisRecord) outerPartitionKey() *string { return &k.partitionKey }

// keyOf is the partition key that readers see of the member r.
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
