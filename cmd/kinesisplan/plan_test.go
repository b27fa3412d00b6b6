// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// usual is a load of 1 MiB a second: 4,096 items of 256 bytes.
func usual() load {
	return load{
		items: 4096, itemBytes: 256, ratio: 1, peak: 1, fill: 1, readers: 1, recordSize: 51_200, recordTime: 100 * time.Millisecond,
		cores: 1, cpu: 2, queue: 64 << 20, signals: 1, answer: 50 * time.Millisecond,
	}
}

func TestPlan(t *testing.T) {
	tests := []struct {
		name   string
		change func(*load)
		check  func(t *testing.T, p plan)
	}{
		{"a full shard", func(*load) {}, func(t *testing.T, p plan) {
			assert.InDelta(t, 1<<20, p.bytes, 0)
			assert.InDelta(t, 1, p.shards, 0)
			assert.InDelta(t, 1, p.collectors, 0)
			assert.InDelta(t, 1.15*40.96+12, p.units, 0.001, "a MiB has 40.96 units")
			assert.InDelta(t, 1.15*20.48+12, p.records, 0.001)
		}},
		{"room in shards", func(l *load) { l.fill = 0.8 }, func(t *testing.T, p plan) {
			assert.InDelta(t, 2, p.shards, 0)
		}},
		{"a peak", func(l *load) { l.peak = 2.5 }, func(t *testing.T, p plan) {
			assert.InDelta(t, 3, p.shards, 0)
			assert.InDelta(t, 2.5*(1<<20), p.peakBytes, 0)
			assert.InDelta(t, 1.15*40.96+12, p.units, 0.001, "the bill is about the average")
			assert.Equal(t, 64*time.Second*2/5, p.buffered)
		}},
		{"compression", func(l *load) { l.ratio = 0.25 }, func(t *testing.T, p plan) {
			assert.InDelta(t, 1<<18, p.bytes, 0)
			assert.InDelta(t, (128+2.8*64)*(1<<20), p.memory, 1)
			assert.Equal(t, 256*time.Second, p.buffered)
		}},
		{"records limit the shards", func(l *load) { l.collectors = 200 }, func(t *testing.T, p plan) {
			assert.InDelta(t, 3, p.shards, 0, "200 collectors with 12 records a second each")
			assert.InDelta(t, 200, p.collectors, 0)
		}},
		{"a short linger", func(l *load) { l.recordTime = 20 * time.Millisecond }, func(t *testing.T, p plan) {
			assert.InDelta(t, 1.15*40.96+50, p.units, 0.001)
		}},
		{"records of one and a half units", func(l *load) { l.recordSize = 38_400 }, func(t *testing.T, p plan) {
			assert.InDelta(t, 1.15*40.96*4/3+12, p.units, 0.001)
		}},
		{"CPU time", func(l *load) { l.items, l.cpu = 1_000_000, 2.8 }, func(t *testing.T, p plan) {
			assert.InDelta(t, 4, p.collectors, 0)
		}},
		{"memory", func(l *load) { l.signals = 3 }, func(t *testing.T, p plan) {
			assert.InDelta(t, (128+2.4*3*64)*(1<<20), p.memory, 1)
			assert.InDelta(t, p.memory*1.25, p.limit, 1)
		}},
		{"calls in flight", func(l *load) { l.items *= 32 }, func(t *testing.T, p plan) {
			assert.InDelta(t, 7, p.requests, 0, "128 a second for 50 ms")
			assert.InDelta(t, 20, p.pushes, 0, "131 a second for 150 ms")
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := usual()
			test.change(&l)
			require.NoError(t, l.check())
			test.check(t, newPlan(l))
		})
	}
}

func TestBill(t *testing.T) {
	p := plan{bytes: 1 << 20, billed: 1.5 * (1 << 20), units: 50, shards: 2}
	b := newBill(p, 2, 1024, prices{
		shardHour: 0.5, millionUnits: 10, streamHour: 0.25, in: 0.1, out: 0.01,
		advantageIn: 0.05, advantageOut: 0.005, advantageFloor: 1.75 * (1 << 20),
	})
	assert.InDelta(t, 1024, b.shards, 1e-9)
	assert.InDelta(t, 50*3600*1024/1e6*10, b.units, 1e-9)
	assert.InDelta(t, b.shards+b.units, b.provisioned, 1e-9)
	assert.InDelta(t, 256+3600*1.5*0.1+3600*2*0.01, b.standard, 1e-9) // 1 MiB/s for 1,024 hours are 3,600 GB
	assert.InDelta(t, 3600*1.75*0.05+3600*2*0.005, b.advantage, 1e-9, "more is billed than was written, and as much as was read")
}

func TestCheck(t *testing.T) {
	tests := map[string]struct {
		change func(*load)
		want   string
	}{
		"no items":          {func(l *load) { l.items = 0 }, "-items must be more than 0"},
		"no linger":         {func(l *load) { l.recordTime = 0 }, "-linger must be more than 0"},
		"peak under 1":      {func(l *load) { l.peak = 0.5 }, "-peak must be at least 1"},
		"in percent":        {func(l *load) { l.fill = 80 }, "-fill must be at most 1"},
		"negative readers":  {func(l *load) { l.readers = -1 }, "must not be negative"},
		"too large records": {func(l *load) { l.recordSize = 11 << 20 }, "-record must be at most"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := usual()
			test.change(&l)
			assert.ErrorContains(t, l.check(), test.want)
		})
	}
}
