// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMemberPoolGivesEmptyListsWithRoom(t *testing.T) {
	var p memberPool
	for round := range 3 { // after the first round, the lists have been used before
		for _, records := range []int{1, 2, 3, 4, 5, 16, 17, 100, 1 << maxPooled, 1<<maxPooled + 1} {
			list := p.get(records)
			what := fmt.Sprintf("%d records, round %d", records, round)
			assert.Empty(t, list, what)
			assert.GreaterOrEqual(t, cap(list), records, what)
			for i := range list[:cap(list)] {
				require.Equal(t, userRecord{}, list[:cap(list)][i], what)
			}
			for range records {
				list = append(list, userRecord{partitionKey: "used"})
			}
			p.put(list)
		}
	}
}

// A list of any room may be put; what comes back must have the room that was asked for.
func TestMemberPoolTakesListsOfOddRoom(t *testing.T) {
	var p memberPool
	for room := range 300 {
		p.put(make([]userRecord, 0, room))
	}
	for records := 1; records < 300; records++ {
		assert.GreaterOrEqual(t, cap(p.get(records)), records)
	}
}

func TestAGrownListKeepsItsRecords(t *testing.T) {
	var p memberPool
	list := p.get(1)
	for i := range uint32(1000) {
		if len(list) == cap(list) {
			list = p.grow(list)
		}
		list = append(list, userRecord{index: i})
	}
	for i := range list {
		require.Equal(t, uint32(i), list[i].index)
	}
}
