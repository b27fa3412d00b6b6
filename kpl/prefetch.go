package kpl

// prefetchRecords is how many records' memory is fetched at a time: as many as a processor waits for at once, and few
// enough that the first ones are still in its nearest cache when it is their turn.
const prefetchRecords = 8

// prefetchShards is from how many shards on open records are so many that their memory is in no near cache.
const prefetchShards = 32

// prefetch reads the memory that adding the records, prefetchRecords at most, will write to. It changes nothing.
//
// Each record goes into another open record than the one before. With many of these, the place is in no near cache, and
// profiles show the processor at a halt on the writes, which it completes one after another. For reads it waits side by
// side, and the writes then find their memory at hand.
func (a *aggregator) prefetch(records []userRecord) {
	if len(a.byShard) < prefetchShards {
		return
	}
	var members [prefetchRecords]*userRecord
	var keys [prefetchRecords]*keyPlace
	n := 0
	for i := range records {
		shard, ok := a.shards.predict(records[i].hash)
		if !ok || records[i].keyless {
			continue
		}
		s := a.slotOf(shard)
		list := s.open.members
		if s.empty() || len(list) == cap(list) {
			continue // another list is needed, or has been used just now
		}
		members[n], keys[n] = &list[:len(list)+1][len(list)], s.partitionKeys.first(records[i].keyHash)
		n++
	}
	read := a.fetched
	for i := range n { // in a loop of its own: what a read waits for must not hold up the next
		read += uint32(len(members[i].data)) + members[i].index + keys[i].hash //nolint:gosec // any number will do
		if members[i].attempts != nil {
			read++
		}
	}
	a.fetched = read
}
