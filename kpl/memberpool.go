// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"math/bits"
	"sync"
)

// memberPool keeps lists of user records that nobody needs any more, so that they are used again instead of becoming garbage.
// The streams of a producer share one pool. It is safe for concurrent use.
//
// The capacity of a list is a power of two. So a list fits all Kinesis records of about its size, and not only those with
// exactly as many members. That matters if a thousand records of different sizes are open at a time.
type memberPool struct {
	classes [maxPooled + 1]sync.Pool // of *[]userRecord, empty, with room for 1<<i at least
}

// minPooled and maxPooled are the logarithms of the capacities that are worth keeping.
const (
	minPooled = 2
	maxPooled = 15
)

// get returns an empty list with room for the given number of records, which is positive.
func (p *memberPool) get(records int) []userRecord {
	class := bits.Len(uint(records - 1))
	if class < minPooled || class > maxPooled {
		return make([]userRecord, 0, records)
	}
	if list, _ := p.classes[class].Get().(*[]userRecord); list != nil {
		return *list
	}
	return make([]userRecord, 0, 1<<class)
}

// put takes a list that nothing else refers to.
func (p *memberPool) put(list []userRecord) {
	class := bits.Len(uint(cap(list))) - 1
	if class < minPooled || class > maxPooled {
		return
	}
	clear(list)
	list = list[:0]
	p.classes[class].Put(&list)
}

// grow returns a list with the records of a full one and room for as many again. It takes the full one.
func (p *memberPool) grow(list []userRecord) []userRecord {
	longer := append(p.get(2*cap(list)), list...)
	p.put(list)
	return longer
}
