// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

func TestParseStart(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]start{
		"horizon":                   {},
		"latest":                    {latest: true},
		"10m":                       {at: now.Add(-10 * time.Minute)},
		"1h30m":                     {at: now.Add(-90 * time.Minute)},
		"0s":                        {at: now},
		"2026-01-31T09:30:00Z":      {at: time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)},
		"2026-01-31T10:30:00+01:00": {at: time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)},
		"2026-01-31T12:00:00Z":      {at: now},
	} {
		got, err := parseStart(value, now)
		require.NoError(t, err, value)
		assert.Equal(t, want.latest, got.latest, value)
		assert.True(t, want.at.Equal(got.at), "%s: %v", value, got.at)
	}
	for value, want := range map[string]string{
		"":                     "-from must be horizon, latest, a time",
		"now":                  `found "now"`,
		"10":                   "such as 10m",
		"2026-01-31":           "such as 2026-01-31T09:30:00Z",
		"-10m":                 "is in the future",
		"2026-01-31T12:00:01Z": "is in the future",
	} {
		_, err := parseStart(value, now)
		require.ErrorContains(t, err, want, value)
	}
}

// A start in the past holds for shards and for their children, and also when an iterator expires before the first record.
func TestReadFromATime(t *testing.T) {
	for name, fault := range map[string]kpltest.Fault{
		"no fault": nil,
		"iterator expired": kpltest.Times(1, kpltest.ForOperation(kpltest.OpGetRecords,
			kpltest.FailCall(kpltest.CodeExpiredIterator))),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
				put(t, k, lowestHashKey+" too old")
				gap(t)
				from := time.Now()
				put(t, k, lowestHashKey+" parent")
				_, _, err := k.SplitShard(stream, "shardId-000000000000", "")
				require.NoError(t, err)
				put(t, k, lowestHashKey+" child")
				gap(t)
				if fault != nil {
					k.Inject(fault)
				}

				var got collector
				r := newReader(k)
				r.from = start{at: from}
				require.NoError(t, r.read(t.Context(), got.handle))
				assert.Equal(t, []string{"parent", "child"}, got.data)
			})
		})
	}
}
