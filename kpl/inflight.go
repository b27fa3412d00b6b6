// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

// inFlight counts what the loop has handed to others: the requests that are being sent, and the records that are being
// compressed.
type inFlight struct {
	requests    int
	partial     int // those of them that were not full
	compressing int // records that are being compressed

	sending map[*request]struct{} // the requests
}

// sent counts r, which is handed to a worker.
func (f *inFlight) sent(r *request) {
	f.requests++
	if f.sending == nil {
		f.sending = map[*request]struct{}{}
	}
	f.sending[r] = struct{}{}
	if r.partial {
		f.partial++
	}
}

// answered takes r out of the count.
func (f *inFlight) answered(r *request) {
	f.requests--
	delete(f.sending, r)
	if r.partial {
		f.partial--
	}
}

// compresses counts a record that is handed over to be compressed.
func (f *inFlight) compresses() { f.compressing++ }

// compressed takes such a record out of the count.
func (f *inFlight) compressed() { f.compressing-- }
