// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package result has the data that a measured program and the sink give to the driver.
package result

import "time"

// Run is what a program prints, as JSON, after it has sent telemetry for a while.
type Run struct {
	Items  int           `json:"items"`   // items that were sent in the measured part
	Bytes  int           `json:"bytes"`   // bytes of OTLP of the requests with these items
	CPU    time.Duration `json:"cpu"`     // user and system time of the process in the measured part
	Wall   time.Duration `json:"wall"`    // of the measured part
	Alloc  uint64        `json:"alloc"`   // bytes of heap allocated in the measured part
	Allocs uint64        `json:"allocs"`  // allocations in the measured part
	PeakKB int           `json:"peak_kb"` // the peak of resident memory, in KiB
	IdleKB int           `json:"idle_kb"` // resident memory before the first request, in KiB; 0 if unknown
	Queue  int           `json:"queue"`   // the size of the queue that was filled, in bytes; 0 if none was
	Sink   Counts        `json:"sink"`

	Latencies []time.Duration `json:"latencies,omitempty"` // of requests, where these were measured
}

// Counts is what the sink has been sent.
type Counts struct {
	Calls    int `json:"calls"`     // of PutRecords
	Records  int `json:"records"`   // in them
	Bytes    int `json:"bytes"`     // of data and partition keys
	PutUnits int `json:"put_units"` // payload units of 25,600 bytes, rounded up for each record
	Wire     int `json:"wire"`      // bytes of the requests, heads included
}
