package main

import (
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

	// Signal (logs, traces or metrics), Encoding (otlp_proto or otlp_json), Items and Payload (OTLP in JSON) are set if the
	// data is OTLP. Compression (snappy, zstd or gzip) is set if the OTLP is compressed. Data is set if it is not OTLP.
	Signal      string          `json:"signal,omitempty"`
	Encoding    string          `json:"encoding,omitempty"`
	Compression string          `json:"compression,omitempty"`
	Items       int             `json:"items,omitempty"`
	Payload     json.RawMessage `json:"payload,omitempty"`
	Data        []byte          `json:"data,omitempty"`
}

// tail prints and counts the records that a reader gives it.
type tail struct {
	decoder *decoder
	lines   *json.Encoder // nil if records are not printed
	text    bool          // whether the summary is printed as text
	max     int           // the maximum number of user records; 0 means all
	printed int
	summary *summary
}

func newTail(o options, stdout io.Writer) (*tail, error) {
	t := &tail{text: o.format != formatJSON, max: o.max, summary: newSummary(string(o.stream))}
	if o.format != formatSummary {
		t.lines = json.NewEncoder(stdout)
		t.lines.SetEscapeHTML(false)
	}
	var err error
	t.decoder, err = newDecoder(o.signal, t.lines != nil)
	return t, err
}

// handle prints and counts a batch. It returns errEnough after the last user record to print.
func (t *tail) handle(b batch) error {
	for _, record := range b.records {
		if err := t.handleRecord(b.shard, record); err != nil {
			return err
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
	k.aggregated, k.malformed = err == nil, errors.Is(err, kpl.ErrMalformedAggregate)
	if err != nil {
		members = []kpl.Member{{PartitionKey: aws.ToString(record.PartitionKey), Data: record.Data}}
	}
	if k.aggregated && shard.HashKeyRange != nil {
		inside, err := kpl.InHashKeyRange(members, *shard.HashKeyRange)
		if err != nil {
			return fmt.Errorf("hash keys of %s: %w", k.shard, err)
		}
		k.outOfRange = !inside
	}
	t.summary.addKinesisRecord(k)
	for _, m := range members {
		if err := t.handleMember(k, m, record); err != nil {
			return err
		}
	}
	return nil
}

// handleMember prints and counts a user record of k.
func (t *tail) handleMember(k kinesisRecord, m kpl.Member, record types.Record) error {
	decoded, err := t.decoder.decode(m.Data)
	isOTLP := err == nil
	if !k.outOfRange {
		t.summary.addUserRecord(k.shard, decoded, isOTLP)
	}
	t.printed++
	if t.lines != nil {
		line := recordLine{
			Type:            "record",
			Shard:           k.shard,
			SequenceNumber:  aws.ToString(record.SequenceNumber),
			Arrived:         aws.ToTime(record.ApproximateArrivalTimestamp).UTC(),
			PartitionKey:    m.PartitionKey,
			ExplicitHashKey: m.ExplicitHashKey,
			Aggregated:      k.aggregated,
			OutOfRange:      k.outOfRange,
		}
		if isOTLP {
			line.Signal, line.Encoding = decoded.signal.String(), string(decoded.encoding)
			line.Items, line.Payload = decoded.items, decoded.payload
			if decoded.compression != marshaler.NoCompression {
				line.Compression = string(decoded.compression)
			}
		} else {
			line.Data = m.Data
		}
		if err := t.lines.Encode(line); err != nil {
			return fmt.Errorf("print a record: %w", err)
		}
	}
	if t.printed == t.max {
		return errEnough
	}
	return nil
}

// finish prints the summary. After records it is a line of JSON on stdout; without records it is text on stdout. If the format
// asks for both, the line goes to stdout and the text to stderr.
func (t *tail) finish(stdout, stderr io.Writer) error {
	t.summary.close()
	var err error
	if t.lines != nil {
		err = t.lines.Encode(t.summary)
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
