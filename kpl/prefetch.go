// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

// prefetchRecords is how many records have their memory fetched at a time. A processor can wait for about as many reads at
// once. With more, the first would have left its nearest cache before it is used.
const prefetchRecords = 8

// prefetchShards is the least number of shards for which prefetch pays. With fewer, the open records fit into a near cache.
const prefetchShards = 32

// prefetch reads the memory that adding the records will write to. There are at most prefetchRecords of them. It changes
// nothing.
//
// Records go into different open records, and with many shards these are in no near cache. A processor waits for several reads
// at the same time, but for writes one after the other. So the reads come first, and the writes then find their memory in the
// cache. This saves a tenth of the whole cost of a record with many shards.
func (a *aggregator) prefetch(records []userRecord) {
	if len(a.slots.first.byShard) < prefetchShards {
		return
	}
	var members [prefetchRecords]*userRecord
	var keys [prefetchRecords]*keyPlace
	var none keyPlace
	n := 0
	for i := range records {
		shard, ok := a.slots.shards.predict(records[i].hash)
		if !ok || records[i].keyless {
			continue
		}
		s := &a.slots.sharedBy(&records[i]).byShard[shard]
		list := s.open.members
		if s.empty() || len(list) == cap(list) {
			continue // it needs a new list, or its list was used just now
		}
		members[n], keys[n] = &list[:len(list)+1][len(list)], &none
		if !a.concatenates {
			keys[n] = s.partitionKeys.first(records[i].keyHash)
		}
		n++
	}
	read := a.fetched
	for i := range n { // a second loop: one read must not wait for another
		read += uint32(len(members[i].data)) + members[i].index + keys[i].hash //nolint:gosec // any number will do
		if members[i].attempts != nil {
			read++
		}
	}
	a.fetched = read
}
