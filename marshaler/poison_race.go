// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build race

package marshaler

// poison overwrites memory that is released. If somebody still reads it, the test finds wrong data, or the race detector
// reports a race. It panics if the memory was released before and is not lent again since.
func poison(b *buffer) {
	if b.data == nil {
		panic("marshaler: a message is released a second time")
	}
	for i := range b.all {
		b.all[i] = 0xdb
	}
}
