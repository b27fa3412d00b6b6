package kpl

import (
	"slices"
	"time"
)

// putAll takes in new records, of which it keeps copies.
func (p *pipeline) putAll(now time.Time, records []userRecord) {
	for some := range slices.Chunk(records, prefetchRecords) {
		p.aggregator.prefetch(some)
		for i := range some {
			p.put(now, &some[i])
		}
	}
}
