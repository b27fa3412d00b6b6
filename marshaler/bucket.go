// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"
	"math/big"

	"github.com/cespare/xxhash/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// bucketOf returns the bucket of a trace id: XXH64 of its 16 bytes, modulo the number of buckets. The hash takes in the whole id,
// because the ids of X-Ray begin with the time. It must never change: the spans of a trace would go to two shards. ADR 29 says
// why there are buckets.
func bucketOf(id pcommon.TraceID, buckets int) int {
	return int(xxhash.Sum64(id[:]) % unsigned(buckets)) //nolint:gosec // less than buckets
}

// newBuckets returns where the messages of each bucket go. The hash keys lie in the middle of equal parts of all hash keys.
func newBuckets(n int) []destination {
	all := make([]destination, n)
	for i := range all {
		place := big.NewInt(int64(2*i + 1))
		place.Lsh(place, 127).Div(place, big.NewInt(int64(n)))
		all[i] = destination{key: fmt.Sprintf("trace-%04d", i), hashKey: place.String()}
	}
	return all
}

// groupTraces puts each item into the bucket of its trace. Items without a trace have no key.
func (k *keyer) groupTraces(p push, g *grouper) {
	type stream struct {
		name   string
		groups []int // 1 + the group of each bucket, 0 if there is none yet; the last one is for items without a trace
	}
	var streams []stream
	open := func(name string) []int {
		for i := range streams {
			if streams[i].name == name {
				return streams[i].groups
			}
		}
		streams = append(streams, stream{name, make([]int, len(k.buckets)+1)})
		return streams[len(streams)-1].groups
	}
	var groups []int
	name, resource, position := "", -1, 0
	p.eachRecord(func(r *record) {
		if r.resource != resource {
			if resource = r.resource; k.route != nil {
				name = k.route(p.attributes(resource))
			}
			groups = open(name)
		}
		bucket := len(k.buckets)
		if !r.traceID.IsEmpty() {
			bucket = bucketOf(r.traceID, len(k.buckets))
		}
		if groups[bucket] == 0 {
			var to destination
			if bucket < len(k.buckets) {
				to = k.buckets[bucket]
			}
			to.stream = name
			groups[bucket] = 1 + g.add(to)
		}
		g.put(position, groups[bucket]-1)
		position++
	})
}
