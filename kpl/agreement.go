// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

// agreement notices that the shards of records agree with their keys, in a stream that is known to ignore keys. An
// automatic stream stores a record on the shard of its key only by chance. If many records in a row agree, keys may choose
// the shards again.
type agreement struct {
	records int // in a row
	needed  int // how many are enough
}

// firstAgreement and lastAgreement limit how many records are enough. The number doubles each time, because a stream of one
// shard always agrees.
const firstAgreement, lastAgreement = 64, 1 << 20

// count takes in whether a record agrees, and reports whether enough do.
func (a *agreement) count(agrees bool) bool {
	if !agrees {
		a.records = 0
		return false
	}
	a.records++
	if a.records < a.needed {
		return false
	}
	a.records, a.needed = 0, min(2*a.needed, lastAgreement)
	return true
}
