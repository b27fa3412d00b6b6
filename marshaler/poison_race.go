// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build race

package marshaler

// poison overwrites memory that is released. If somebody still reads it, the test finds wrong data, or the race detector
// reports a race.
func poison(data []byte) {
	for i := range data {
		data[i] = 0xdb
	}
}
