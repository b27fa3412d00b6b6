// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"errors"
	"os"
	"runtime"
	"runtime/pprof"
)

// Profile names the files that profiles are written to. An empty name means none.
type Profile struct{ CPU, Heap string }

// Start starts to profile. The function that it returns ends that and writes the files.
func (p Profile) Start() (stop func() error, err error) {
	if p.Heap != "" {
		runtime.MemProfileRate = 64 << 10
	}
	if p.CPU == "" {
		return p.writeHeap, nil
	}
	file, err := os.Create(p.CPU)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return errors.Join(file.Close(), p.writeHeap())
	}, nil
}

func (p Profile) writeHeap() error {
	if p.Heap == "" {
		return nil
	}
	file, err := os.Create(p.Heap)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("allocs").WriteTo(file, 0), file.Close())
}
