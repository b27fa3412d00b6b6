// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

// callers is what the loop knows about the goroutines that put records.
type callers struct {
	filling bool // somebody has begun to put a batch and does not wait for it yet
	blocked bool // somebody waits for room in the producer
}
