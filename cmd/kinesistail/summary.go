package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// summary is what was read, as the last line of JSON has it. It leaves the aggregated records out that consumers with
// the Kinesis Client Library skip, except for their number: their user records are elsewhere in the stream once more.
type summary struct {
	Type   string `json:"type"` // "summary"
	Stream string `json:"stream"`

	UserRecords    int `json:"user_records"`
	KinesisRecords int `json:"kinesis_records"`
	// AggregatedRecords is how many of the Kinesis records are in the KPL's format.
	AggregatedRecords int `json:"aggregated_records"`
	// AggregationRatio is user records for each Kinesis record; 0 if there are none.
	AggregationRatio float64 `json:"aggregation_ratio"`
	// Bytes is the data and partition keys of the Kinesis records, as the service counts them.
	Bytes int `json:"bytes"`

	Items items `json:"items"`
	// UndecodableRecords is how many of the user records are not OTLP.
	UndecodableRecords int `json:"undecodable_records"`
	// MalformedAggregates is how many Kinesis records have the frame of an aggregated record around something else.
	// Each counts as a user record.
	MalformedAggregates int `json:"malformed_aggregates"`
	// OutOfRangeAggregates is how many aggregated records consumers skip, because a member does not belong to the shard.
	OutOfRangeAggregates int `json:"out_of_range_aggregates"`

	// Shards has the shards that a record was read from, by id.
	Shards []*shardSummary `json:"shards"`
}

// items is how many there are of each signal.
type items struct {
	Logs    int `json:"logs"`    // log records
	Traces  int `json:"traces"`  // spans
	Metrics int `json:"metrics"` // data points
}

// shardSummary is the part of a summary that one shard has.
type shardSummary struct {
	Shard          string `json:"shard"`
	UserRecords    int    `json:"user_records"`
	KinesisRecords int    `json:"kinesis_records"`
	Bytes          int    `json:"bytes"`
}

// kinesisRecord is what a summary wants to know of a Kinesis record.
type kinesisRecord struct {
	shard      string
	bytes      int
	aggregated bool
	malformed  bool
	outOfRange bool
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
	}
}

// shard returns the entry of a shard; the entries stay sorted.
func (s *summary) shard(id string) *shardSummary {
	i, found := slices.BinarySearchFunc(s.Shards, id, func(e *shardSummary, id string) int {
		return cmp.Compare(e.Shard, id)
	})
	if !found {
		s.Shards = slices.Insert(s.Shards, i, &shardSummary{Shard: id})
	}
	return s.Shards[i]
}

// close works out what only the end can tell.
func (s *summary) close() {
	if s.KinesisRecords > 0 {
		s.AggregationRatio = float64(s.UserRecords) / float64(s.KinesisRecords)
	}
}

// writeText writes the summary as text for people.
func (s *summary) writeText(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(format string, args ...any) { fmt.Fprintf(table, format+"\t\n", args...) } // Flush returns the error.
	row("stream %s:\t", s.Stream)
	row("user records\t%d", s.UserRecords)
	row("Kinesis records\t%d", s.KinesisRecords)
	row("of these aggregated\t%d", s.AggregatedRecords)
	row("user records a Kinesis record\t%.1f", s.AggregationRatio)
	row("bytes\t%d", s.Bytes)
	row("log records\t%d", s.Items.Logs)
	row("spans\t%d", s.Items.Traces)
	row("data points\t%d", s.Items.Metrics)
	row("not OTLP\t%d", s.UndecodableRecords)
	row("malformed aggregates\t%d", s.MalformedAggregates)
	row("aggregates out of range\t%d", s.OutOfRangeAggregates)
	for _, shard := range s.Shards {
		row("%s\t%d user records, %d Kinesis records, %d bytes",
			shard.Shard, shard.UserRecords, shard.KinesisRecords, shard.Bytes)
	}
	return table.Flush()
}
