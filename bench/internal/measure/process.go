// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Process is the id of another process that is measured.
type Process int

// CPU returns the user and system time that the process has used since it started.
func (p Process) CPU() (time.Duration, error) {
	// Linux makes the id of the clock from that of the process, see clock_getcpuclockid(3). The clock counts nanoseconds; those
	// of /proc count hundredths of a second.
	const sumOfThreads = 2
	var used unix.Timespec
	err := unix.ClockGettime(int32(^p)<<3|sumOfThreads, &used) //nolint:gosec // the ids of processes are small
	return time.Duration(used.Nano()), err
}

// PeakKB returns the most memory that the process has had resident since it started or since ForgetPeak, in KiB.
func (p Process) PeakKB() (int, error) { return status(p.file("status"), "VmHWM") }

// ResidentKB returns the memory that the process has resident, in KiB.
func (p Process) ResidentKB() (int, error) { return status(p.file("status"), "VmRSS") }

// ForgetPeak makes what is resident now the peak.
func (p Process) ForgetPeak() error { return os.WriteFile(p.file("clear_refs"), []byte("5"), 0) }

func (p Process) file(name string) string { return "/proc/" + strconv.Itoa(int(p)) + "/" + name }
