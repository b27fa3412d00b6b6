// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// errEnough is returned when the maximum number of user records has been printed.
var errEnough = errors.New("enough user records")

// recordLine is the line of JSON for a user record.
type recordLine struct {
	Type           string    `json:"type"` // "record"
	Shard          string    `json:"shard"`
	SequenceNumber string    `json:"sequence_number"` // of the Kinesis record, so the same for all its user records
	Arrived        time.Time `json:"arrived,omitzero"`
	PartitionKey   string    `json:"partition_key"`
	// ExplicitHashKey is only known for members of aggregated records.
	ExplicitHashKey string `json:"explicit_hash_key,omitempty"`
	Aggregated      bool   `json:"aggregated"`
	// OutOfRange is true for all members of an aggregated record if one of them does not belong to the shard. Consumers with
	// the Kinesis Client Library skip such a record.
	OutOfRange bool `json:"out_of_range,omitempty"`

	// Signal (logs, traces, metrics or profiles), Encoding (otlp_proto or otlp_json), Items and Payload (OTLP in JSON) are set
	// if the data is OTLP. Compression (snappy, zstd or gzip) is set if the data is compressed. If it is not OTLP, Text is set
	// if it is text, otherwise Data. Error is set if it looks like OTLP and cannot be decoded.
	Signal      string          `json:"signal,omitempty"`
	Encoding    string          `json:"encoding,omitempty"`
	Compression string          `json:"compression,omitempty"`
	Items       int             `json:"items,omitempty"`
	Payload     json.RawMessage `json:"payload,omitempty"`
	Error       string          `json:"error,omitempty"`
	Text        string          `json:"text,omitempty"`
	Data        []byte          `json:"data,omitempty"`
}

// errorLine is the line of JSON for an aggregated record of which not all user records can be read.
type errorLine struct {
	Type           string `json:"type"` // "error"
	Shard          string `json:"shard"`
	SequenceNumber string `json:"sequence_number"`
	Error          string `json:"error"`
	Data           []byte `json:"data"` // of the whole Kinesis record
}

// tail prints and counts the records that a reader gives it.
type tail struct {
	decoder *decoder
	lines   *jsonLines  // nil if records are not printed as JSON
	table   *tableLines // nil if records are not printed as text
	filter  filter      // chooses the user records to print
	text    bool        // whether the summary is printed as text
	max     int         // the maximum number of user records to print; 0 means all
	printed int
	summary *summary
	stats   *stats // nil if there is no view of rates
}

func newTail(o options, stdout io.Writer) *tail {
	t := &tail{filter: o.filter, text: o.format != formatJSON, max: o.max, summary: newSummary(string(o.stream))}
	switch o.format {
	case formatText:
		t.table = &tableLines{out: stdout}
	case formatJSON, formatBoth:
		t.lines = newJSONLines(stdout)
	}
	if o.stats {
		t.stats = newStats(time.Now())
		t.decoder = newDecoder(o.signal, false)
		return t
	}
	t.decoder = newDecoder(o.signal, t.lines != nil || t.table != nil)
	return t
}

// handle prints and counts a batch. It returns errEnough after the last user record to print.
func (t *tail) handle(b batch) error {
	for _, record := range b.records {
		if err := t.handleRecord(b.shard, record); err != nil {
			return err
		}
	}
	if t.stats != nil {
		t.stats.polled(aws.ToString(b.shard.ShardId), b.lag)
		if b.ended {
			t.stats.ended(aws.ToString(b.shard.ShardId))
		}
	}
	return nil
}

// handleRecord prints and counts a Kinesis record and its user records, up to the maximum.
func (t *tail) handleRecord(shard types.Shard, record types.Record) error {
	k := kinesisRecord{
		shard: aws.ToString(shard.ShardId),
		bytes: len(record.Data) + len(aws.ToString(record.PartitionKey)),
	}
	members, err := kpl.Deaggregate(record.Data)
	k.membersLost, k.malformed = errors.Is(err, kpl.ErrMembersLost), errors.Is(err, kpl.ErrMalformedAggregate)
	k.aggregated = err == nil || k.membersLost
	if !k.aggregated {
		members = nil
		for _, message := range messagesOf(record.Data) {
			members = append(members, kpl.Member{PartitionKey: aws.ToString(record.PartitionKey), Data: message})
		}
	}
	if k.aggregated && shard.HashKeyRange != nil {
		inside, err := kpl.InHashKeyRange(members, *shard.HashKeyRange)
		if err != nil {
			return fmt.Errorf("hash keys of %s: %w", k.shard, err)
		}
		k.outOfRange = !inside
	}
	t.summary.addKinesisRecord(k)
	if t.stats != nil && !k.outOfRange {
		t.stats.kinesisRecord(k.shard, k.bytes)
	}
	b := newBudget()
	for _, m := range members {
		if err := t.handleMember(k, m, record, b); err != nil {
			return err
		}
	}
	if !k.membersLost || t.stats != nil {
		return nil
	}
	return t.print(errorLine{"error", k.shard, aws.ToString(record.SequenceNumber), err.Error(), record.Data})
}

// print prints a line, if records are printed.
func (t *tail) print(line any) (err error) {
	switch {
	case t.lines != nil:
		err = t.lines.write(line)
	case t.table != nil:
		switch line := line.(type) {
		case recordLine:
			err = t.table.record(line)
		case errorLine:
			err = t.table.failure(line)
		}
	}
	if err != nil {
		return fmt.Errorf("print a record: %w", err)
	}
	return nil
}

// handleMember counts a user record of k, and prints it if the filter takes it.
func (t *tail) handleMember(k kinesisRecord, m kpl.Member, record types.Record, b *budget) error {
	decoded, err := t.decoder.decode(m.Data, b)
	if !k.outOfRange {
		t.summary.addUserRecord(k.shard, decoded, err == nil)
		if t.stats != nil {
			t.stats.userRecord(k.shard, decoded, len(m.Data))
		}
	}
	if t.stats != nil {
		return nil
	}
	if taken, filterErr := t.filter.takes(decoded, err == nil, m.Data); filterErr != nil || !taken {
		return filterErr
	}
	t.printed++
	line := recordLine{
		Type:            "record",
		Shard:           k.shard,
		SequenceNumber:  aws.ToString(record.SequenceNumber),
		Arrived:         aws.ToTime(record.ApproximateArrivalTimestamp).UTC(),
		PartitionKey:    shortKey(m.PartitionKey),
		ExplicitHashKey: shortKey(m.ExplicitHashKey),
		Aggregated:      k.aggregated,
		OutOfRange:      k.outOfRange,
	}
	if err != nil {
		if line.Text = decoded.text; line.Text == "" {
			line.Data = m.Data
		}
		if err != errNotOTLP { //nolint:errorlint // Data that nothing shows to be OTLP is no error.
			line.Error = err.Error()
		}
	} else {
		line.Signal, line.Encoding = decoded.signal.String(), string(decoded.encoding)
		line.Items, line.Payload = decoded.items, decoded.payload
	}
	if (err == nil || line.Text != "") && decoded.compression != marshaler.NoCompression {
		line.Compression = string(decoded.compression)
	}
	if err := t.print(line); err != nil {
		return err
	}
	if t.printed == t.max {
		return errEnough
	}
	return nil
}

// shortKey returns a key as it is printed. Many members of a record may share one key of megabytes.
func shortKey(key string) string {
	const most = 4 * kpl.MaxPartitionKeyLength // bytes of the longest key that the service takes
	if len(key) <= most {
		return key
	}
	return key[:most] + "..."
}

// showStats prints the rates of the interval that ends now: as a table that replaces the one before, or as a line of JSON.
func (t *tail) showStats(now time.Time, stdout io.Writer) (err error) {
	line := t.stats.take(now)
	if t.lines != nil {
		err = t.lines.write(line)
	} else {
		var screen bytes.Buffer
		if isTerminal(stdout) {
			screen.WriteString(clearScreen)
		}
		if err = line.writeText(&screen, t.summary.Stream); err == nil {
			_, err = screen.WriteTo(stdout) // at once, so that the screen does not flicker
		}
	}
	if err != nil {
		return fmt.Errorf("print the rates: %w", err)
	}
	return nil
}

// finish prints the summary. After records it is a line of JSON on stdout; without records it is text on stdout. If the format
// asks for both, the line goes to stdout and the text to stderr.
func (t *tail) finish(stdout, stderr io.Writer) error {
	t.summary.close()
	var err error
	if t.lines != nil {
		err = t.lines.write(t.summary)
	}
	if t.text {
		out := stdout
		if t.lines != nil {
			out = stderr
		}
		err = errors.Join(err, t.summary.writeText(out))
	}
	if err != nil {
		return fmt.Errorf("print the summary: %w", err)
	}
	return nil
}
