// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// statsLine is what arrived in an interval, as a line of JSON.
type statsLine struct {
	Type    string    `json:"type"` // "stats"
	Time    time.Time `json:"time"`
	Seconds float64   `json:"seconds"` // length of the interval
	Total   rates     `json:"total"`
	// Shards are the shards that are read, ordered by id.
	Shards []shardRates `json:"shards"`
}

// shardRates are the rates of a shard.
type shardRates struct {
	Shard string `json:"shard"`
	rates
}

// rates say how fast records were read in an interval, and how well they are packed. Ratios are 0 if there were no records.
type rates struct {
	KinesisRecords float64 `json:"kinesis_records_per_second"`
	UserRecords    float64 `json:"user_records_per_second"`
	Items          float64 `json:"items_per_second"`
	Bytes          float64 `json:"bytes_per_second"` // data and partition keys, as the service counts them
	// AggregationRatio is the number of user records for each Kinesis record.
	AggregationRatio float64 `json:"aggregation_ratio"`
	// CompressionRatio is the bytes of user records before compression for each byte of them that is stored.
	CompressionRatio float64 `json:"compression_ratio"`
	// LagMillis is how long before now the newest record arrived that was read, in milliseconds. 0 means that all were read. In
	// the total it is that of the shard that is most behind.
	LagMillis int64 `json:"lag_ms"`
}

// counts are what the rates of an interval are computed from.
type counts struct{ kinesisRecords, userRecords, items, bytes, stored, plain int }

func (c *counts) add(other counts) {
	c.kinesisRecords += other.kinesisRecords
	c.userRecords += other.userRecords
	c.items += other.items
	c.bytes += other.bytes
	c.stored += other.stored
	c.plain += other.plain
}

func (c *counts) rates(seconds float64, lag time.Duration) rates {
	ratio := func(a, b float64) float64 {
		if b <= 0 {
			return 0
		}
		return a / b
	}
	return rates{
		KinesisRecords:   ratio(float64(c.kinesisRecords), seconds),
		UserRecords:      ratio(float64(c.userRecords), seconds),
		Items:            ratio(float64(c.items), seconds),
		Bytes:            ratio(float64(c.bytes), seconds),
		AggregationRatio: ratio(float64(c.userRecords), float64(c.kinesisRecords)),
		CompressionRatio: ratio(float64(c.plain), float64(c.stored)),
		LagMillis:        lag.Milliseconds(),
	}
}

// stats counts what is read in the current interval. Its clock is that of its callers.
type stats struct {
	since  time.Time
	shards map[string]*shardStats
}

type shardStats struct {
	counts
	lag   time.Duration
	ended bool // the shard is read to its end
}

func newStats(now time.Time) *stats { return &stats{now, map[string]*shardStats{}} }

func (s *stats) shard(id string) *shardStats {
	found := s.shards[id]
	if found == nil {
		found = new(shardStats)
		s.shards[id] = found
	}
	return found
}

// kinesisRecord counts a Kinesis record. Bytes are those of its data and of its key.
func (s *stats) kinesisRecord(shard string, bytes int) {
	s.shard(shard).add(counts{kinesisRecords: 1, bytes: bytes})
}

// userRecord counts a user record, of which stored bytes are in the stream.
func (s *stats) userRecord(shard string, decoded otlp, stored int) {
	plain := cmp.Or(decoded.plain, stored)
	s.shard(shard).add(counts{userRecords: 1, items: decoded.items, stored: stored, plain: plain})
}

// polled notes an answer of a shard: how far behind its newest record the reader is.
func (s *stats) polled(shard string, lag time.Duration) { s.shard(shard).lag = lag }

// ended notes that a shard was read to its end. It is not in the intervals that follow.
func (s *stats) ended(shard string) {
	found := s.shard(shard)
	found.ended, found.lag = true, 0
}

// take returns the rates of the interval that ends now, and begins the next one.
func (s *stats) take(now time.Time) statsLine {
	line := statsLine{Type: "stats", Time: now.UTC(), Seconds: now.Sub(s.since).Seconds(), Shards: []shardRates{}}
	var total counts
	var lag time.Duration
	for id, shard := range s.shards {
		line.Shards = append(line.Shards, shardRates{id, shard.rates(line.Seconds, shard.lag)})
		total.add(shard.counts)
		lag = max(lag, shard.lag)
		shard.counts = counts{}
		if shard.ended {
			delete(s.shards, id)
		}
	}
	slices.SortFunc(line.Shards, func(a, b shardRates) int { return cmp.Compare(a.Shard, b.Shard) })
	line.Total = total.rates(line.Seconds, lag)
	s.since = now
	return line
}

// clearScreen moves to the upper left corner of a terminal and clears it.
const clearScreen = "\x1b[H\x1b[2J"

// writeText writes the rates as a table.
func (l *statsLine) writeText(w io.Writer, stream string) error {
	_, err := fmt.Fprintf(w, "%s at %s, rates of the last %.0f s\n\n", visible(stream), l.Time.Format(time.RFC3339), l.Seconds)
	if err != nil {
		return err
	}
	// Flush of the table returns the errors of what is printed to it.
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "SHARD\tRECORDS/S\tUSER RECORDS/S\tITEMS/S\tKB/S\tAGGREGATION\tCOMPRESSION\tLAG\t\n")
	row := func(name string, r rates) {
		fmt.Fprintf(table, "%s\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%v\t\n", visible(name), r.KinesisRecords, r.UserRecords,
			r.Items, r.Bytes/1000, r.AggregationRatio, r.CompressionRatio, time.Duration(r.LagMillis)*time.Millisecond)
	}
	for _, shard := range l.Shards {
		row(shard.Shard, shard.rates)
	}
	row("all", l.Total)
	return table.Flush()
}
