// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// summary is the last line of JSON. Of the aggregated records that consumers with the Kinesis Client Library skip it has
// only the number: their user records were sent again and are also elsewhere in the stream.
type summary struct {
	Type   string `json:"type"` // "summary"
	Stream string `json:"stream"`

	UserRecords    int `json:"user_records"`
	KinesisRecords int `json:"kinesis_records"`
	// AggregatedRecords is how many of the Kinesis records are in the KPL's format.
	AggregatedRecords int `json:"aggregated_records"`
	// AggregationRatio is the number of user records divided by the number of Kinesis records; 0 if there are none.
	AggregationRatio float64 `json:"aggregation_ratio"`
	// Bytes is the size of the data and partition keys of the Kinesis records, as the service counts it.
	Bytes int `json:"bytes"`

	Items items `json:"items"`
	// UndecodableRecords is how many of the user records are not OTLP.
	UndecodableRecords int `json:"undecodable_records"`
	// MalformedAggregates is how many Kinesis records have the frame of an aggregated record, but a message that cannot be
	// parsed. Each counts as one user record.
	MalformedAggregates int `json:"malformed_aggregates"`
	// IncompleteAggregates is how many aggregated records have members that cannot be read.
	IncompleteAggregates int `json:"incomplete_aggregates"`
	// OutOfRangeAggregates is how many aggregated records consumers skip because a member does not belong to the shard.
	OutOfRangeAggregates int `json:"out_of_range_aggregates"`

	// Shards are the shards with at least one record, ordered by id.
	Shards []*shardSummary `json:"shards"`
}

// items counts log records, spans, data points and samples.
type items struct {
	Logs     int `json:"logs"`     // log records
	Traces   int `json:"traces"`   // spans
	Metrics  int `json:"metrics"`  // data points
	Profiles int `json:"profiles"` // samples
}

// shardSummary is the part of a summary for one shard.
type shardSummary struct {
	Shard          string `json:"shard"`
	UserRecords    int    `json:"user_records"`
	KinesisRecords int    `json:"kinesis_records"`
	Bytes          int    `json:"bytes"`
}

// kinesisRecord describes a Kinesis record for the summary.
type kinesisRecord struct {
	shard      string
	bytes      int
	aggregated bool
	malformed  bool
	// membersLost is true if not all members can be read.
	membersLost bool
	outOfRange  bool
}

func newSummary(stream string) *summary {
	return &summary{Type: "summary", Stream: stream, Shards: []*shardSummary{}}
}

func (s *summary) addKinesisRecord(k kinesisRecord) {
	if k.outOfRange {
		s.OutOfRangeAggregates++
		return
	}
	if k.aggregated {
		s.AggregatedRecords++
	}
	if k.malformed {
		s.MalformedAggregates++
	}
	if k.membersLost {
		s.IncompleteAggregates++
	}
	s.KinesisRecords++
	s.Bytes += k.bytes
	shard := s.shard(k.shard)
	shard.KinesisRecords++
	shard.Bytes += k.bytes
}

func (s *summary) addUserRecord(shard string, decoded otlp, isOTLP bool) {
	s.UserRecords++
	s.shard(shard).UserRecords++
	if !isOTLP {
		s.UndecodableRecords++
		return
	}
	switch decoded.signal {
	case marshaler.Logs:
		s.Items.Logs += decoded.items
	case marshaler.Traces:
		s.Items.Traces += decoded.items
	case marshaler.Metrics:
		s.Items.Metrics += decoded.items
	case marshaler.Profiles:
		s.Items.Profiles += decoded.items
	}
}

// shard returns the entry of a shard, and adds it in its place if it is new.
func (s *summary) shard(id string) *shardSummary {
	i, found := slices.BinarySearchFunc(s.Shards, id, func(e *shardSummary, id string) int {
		return cmp.Compare(e.Shard, id)
	})
	if !found {
		s.Shards = slices.Insert(s.Shards, i, &shardSummary{Shard: id})
	}
	return s.Shards[i]
}

// close computes the figures that need all records.
func (s *summary) close() {
	if s.KinesisRecords > 0 {
		s.AggregationRatio = float64(s.UserRecords) / float64(s.KinesisRecords)
	}
}

// writeText writes the summary as text.
func (s *summary) writeText(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(format string, args ...any) { fmt.Fprintf(table, format+"\t\n", args...) } // Flush returns the error.
	row("stream %s:\t", visible(s.Stream))
	row("user records\t%d", s.UserRecords)
	row("Kinesis records\t%d", s.KinesisRecords)
	row("of these aggregated\t%d", s.AggregatedRecords)
	row("user records a Kinesis record\t%.1f", s.AggregationRatio)
	row("bytes\t%d", s.Bytes)
	row("log records\t%d", s.Items.Logs)
	row("spans\t%d", s.Items.Traces)
	row("data points\t%d", s.Items.Metrics)
	row("samples of profiles\t%d", s.Items.Profiles)
	row("not OTLP\t%d", s.UndecodableRecords)
	row("malformed aggregates\t%d", s.MalformedAggregates)
	row("incomplete aggregates\t%d", s.IncompleteAggregates)
	row("aggregates out of range\t%d", s.OutOfRangeAggregates)
	for _, shard := range s.Shards {
		row("%s\t%d user records, %d Kinesis records, %d bytes",
			visible(shard.Shard), shard.UserRecords, shard.KinesisRecords, shard.Bytes)
	}
	return table.Flush()
}
