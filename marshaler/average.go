// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

// average follows a number that changes slowly.
type average struct {
	mean   float64 // 0 while nothing is known
	spread float64 // mean deviation from the mean, as a part of the mean
}

// averageWeight is the weight of the latest number.
const averageWeight = .125

// learn takes in a number. It must be above 0.
func (a *average) learn(found float64) {
	if a.mean == 0 {
		a.mean = found
		return
	}
	off := found/a.mean - 1
	a.mean += averageWeight * (found - a.mean)
	a.spread += averageWeight * (max(off, -off) - a.spread)
}
