// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

// inFlight counts the requests that are being sent.
type inFlight struct {
	requests int
	partial  int // those of them that were not full
}

// sent counts r, which is handed to a worker.
func (f *inFlight) sent(r *request) {
	f.requests++
	if r.partial {
		f.partial++
	}
}

// answered takes r out of the count.
func (f *inFlight) answered(r *request) {
	f.requests--
	if r.partial {
		f.partial--
	}
}
