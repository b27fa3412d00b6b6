// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package measure measures the CPU time and the memory that a process uses.
package measure

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"syscall"
	"time"
)

// Usage is what a process has used since it started, or in a part of that time.
type Usage struct {
	CPU    time.Duration // user and system time
	Wall   time.Duration
	Alloc  uint64 // bytes of heap
	Allocs uint64
}

// Meter sums what is used between Start and Stop. Both may be called again.
type Meter struct {
	Sum Usage

	start Usage
	began time.Time
}

// Start begins a measured part.
func (m *Meter) Start() {
	m.began = time.Now()
	m.start = now()
}

// Stop ends a measured part.
func (m *Meter) Stop() {
	end := now()
	m.Sum.CPU += end.CPU - m.start.CPU
	m.Sum.Wall += time.Since(m.began)
	m.Sum.Alloc += end.Alloc - m.start.Alloc
	m.Sum.Allocs += end.Allocs - m.start.Allocs
}

// now returns what the process has used until now, without the wall time.
func now() Usage {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // it has no way to fail with these arguments
	}
	samples := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/allocs:objects"}}
	metrics.Read(samples)
	return Usage{
		CPU:    time.Duration(usage.Utime.Nano() + usage.Stime.Nano()),
		Alloc:  samples[0].Value.Uint64(),
		Allocs: samples[1].Value.Uint64(),
	}
}

// PeakKB returns the most memory that the process has had resident, in KiB.
func PeakKB() (int, error) { return status(self, "VmHWM") }

// ResidentKB returns the memory that the process has resident, in KiB.
func ResidentKB() (int, error) { return status(self, "VmRSS") }

const self = "/proc/self/status"

// status returns an entry of a status file of /proc, in KiB.
func status(file, name string) (int, error) {
	opened, err := os.Open(file) //nolint:gosec // one of /proc
	if err != nil {
		return 0, err
	}
	defer opened.Close() //nolint:errcheck // it was only read
	for lines := bufio.NewScanner(opened); lines.Scan(); {
		var size int
		if n, _ := fmt.Sscanf(lines.Text(), name+": %d kB", &size); n == 1 {
			return size, nil
		}
	}
	return 0, fmt.Errorf("%s has no %s", file, name)
}

// ForgetPeak gives unused memory back to the system and resets the peak, so that PeakKB is the peak from now on.
func ForgetPeak() error {
	debug.FreeOSMemory()
	return os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}
