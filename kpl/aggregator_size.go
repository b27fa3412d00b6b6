// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

// growth is by how many bytes the body of the open record of s grows with r. It also sets r's indexes in the tables.
func (a *aggregator) growth(s *slot, r *userRecord) int {
	if a.concatenates {
		return s.growthOfData(r)
	}
	return s.growth(r)
}

// roomFor is the most bytes that the body of the open record of s may have when it is sent with r in it. r has its indexes in the
// tables.
func (a *aggregator) roomFor(s *slot, r *userRecord) int {
	room := a.config.AggregationMaxSize - a.frame
	switch {
	case r.keyless:
		return room - KeylessKeySize
	case a.concatenates: // the key of the first member is the outer key
		if !s.empty() {
			r = s.open.member(0)
		}
		return room - len(r.partitionKey)
	case r.keyIndex == 0 && s.partitionKeys.size <= 1: // All members share the key, so it is also the outer key.
		return room - len(r.partitionKey)
	}
	return room - len(outerPartitionKey)
}

// fillsRecord reports whether r nearly fills a Kinesis record, as long as nothing is compressed. Such a record goes by itself and
// without a frame. Otherwise it would close a half full aggregate before its time.
func (a *aggregator) fillsRecord(r *userRecord) bool {
	return a.frame+r.size() > a.config.AggregationMaxSize/8*7
}

// fillsCompressed reports whether r nearly fills a Kinesis record that is compressed.
func (a *aggregator) fillsCompressed(r *userRecord) bool {
	return r.size() > a.plainSize(r.kind, a.config.AggregationMaxSize)/8*7
}

// plainSize is how many bytes of data, before compression, make size bytes.
func (a *aggregator) plainSize(kind Kind, size int) int {
	return a.slots.ofKind(kind).ratio.plain(size)
}

// sentSize is how large the data of a record will be when it is sent. If it will be compressed, that is a guess.
func (a *aggregator) sentSize(k *kinesisRecord) int {
	if !a.compresses {
		return k.dataSize()
	}
	return a.slots.ofKind(k.kind).ratio.compressed(k.dataSize())
}

// compressed learns from k, which was compressed.
func (a *aggregator) compressed(k *kinesisRecord) {
	if k.compressed != nil {
		a.slots.ofKind(k.kind).ratio.learn(k.bodySize, len(*k.compressed), a.config.AggregationMaxSize)
	}
}

// unused is how many bytes of PUT units the open records would leave unused if they closed now, without their outer keys.
func (a *aggregator) unused() int {
	sum := 0
	a.eachOpen(func(k *kinesisRecord) { sum += unusedOf(a.sentSize(k)) })
	return sum
}
