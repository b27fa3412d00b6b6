// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"slices"
)

// epochs counts the records that have no Result yet. A call of FlushWait ends the current epoch. It waits until no record of
// this epoch or an earlier one is left.
type epochs struct {
	outstanding int // records in all of them

	list  []epoch // the last one takes new records
	first uint32  // the number of the first of them
}

// epoch is the user records that were put between two calls of FlushWait.
type epoch struct {
	outstanding int
	flushed     chan<- struct{} // of the FlushWait that ended it; nil for the current one
}

func newEpochs() epochs { return epochs{list: []epoch{{}}} }

// enter counts a new record, and returns the number of its epoch.
func (e *epochs) enter() uint32 {
	last := len(e.list) - 1
	e.list[last].outstanding++
	e.outstanding++
	return e.first + uint32(last) //nolint:gosec // the number may wrap around
}

// leave takes the members out of the count.
func (e *epochs) leave(members []userRecord) {
	e.outstanding -= len(members)
	if len(e.list) == 1 { // the usual case, without a look at each member
		e.list[0].outstanding -= len(members)
		return
	}
	for i := range members {
		e.list[members[i].epoch-e.first].outstanding--
	}
}

// next begins another epoch. The channel is closed when the epoch that ends now has no record left.
func (e *epochs) next(flushed chan<- struct{}) {
	e.list[len(e.list)-1].flushed = flushed
	e.list = append(e.list, epoch{})
}

// done removes the first epoch and returns its channel, if a Flush has ended the epoch and no record of it is left.
func (e *epochs) done() (flushed chan<- struct{}, ok bool) {
	if len(e.list) == 1 || e.list[0].outstanding > 0 {
		return nil, false
	}
	flushed = e.list[0].flushed
	e.list = slices.Delete(e.list, 0, 1)
	e.first++
	return flushed, true
}
