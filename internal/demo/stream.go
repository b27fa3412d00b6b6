// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// streamReader reads the demo's stream with kinesistail.
type streamReader struct {
	bin      string
	endpoint string
}

// line is a line of kinesistail. It is a user record or, as the last line, the summary.
type line struct {
	Type string `json:"type"`

	// Of a record.
	Shard          string          `json:"shard"`
	SequenceNumber string          `json:"sequence_number"`
	Signal         string          `json:"signal"`
	Items          json.RawMessage `json:"items"` // a number; in a summary, a number for each signal
	Payload        json.RawMessage `json:"payload"`

	// Of a summary.
	UserRecords          int     `json:"user_records"`
	KinesisRecords       int     `json:"kinesis_records"`
	AggregatedRecords    int     `json:"aggregated_records"`
	AggregationRatio     float64 `json:"aggregation_ratio"`
	Bytes                int     `json:"bytes"`
	UndecodableRecords   int     `json:"undecodable_records"`
	MalformedAggregates  int     `json:"malformed_aggregates"`
	OutOfRangeAggregates int     `json:"out_of_range_aggregates"`
	Shards               []shard `json:"shards"`
}

// shard is the part of a summary for one shard.
type shard struct {
	Shard          string `json:"shard"`
	UserRecords    int    `json:"user_records"`
	KinesisRecords int    `json:"kinesis_records"`
	Bytes          int    `json:"bytes"`
}

// contents is what is in the stream.
type contents struct {
	summary line
	items   items
	samples []line // a user record of each signal
}

// read returns what is in the stream.
func (r *streamReader) read(ctx context.Context) (contents, error) {
	f, err := r.run(ctx)
	if err != nil {
		return contents{}, err
	}
	<-f.exited // It ends by itself.
	if err := f.stop(); err != nil {
		return contents{}, err
	}
	found := contents{summary: f.summary, samples: f.samples}
	if err := json.Unmarshal(f.summary.Items, &found.items); err != nil {
		return contents{}, fmt.Errorf("kinesistail's summary: %w", err)
	}
	return found, nil
}

// follow reads the stream as it grows, until the follower is stopped.
func (r *streamReader) follow(ctx context.Context) (*follower, error) { return r.run(ctx, "-follow") }

func (r *streamReader) run(ctx context.Context, flags ...string) (*follower, error) {
	stdout, stdoutWriter := io.Pipe()
	args := append([]string{"-stream", streamName, "-endpoint", r.endpoint, "-insecure"}, flags...)
	c, err := start(ctx, filepath.Join(r.bin, "kinesistail"), awsEnvironment(), stdoutWriter, os.Stderr, args...)
	if err != nil {
		return nil, err
	}
	f := &follower{child: c, sequenceNumbers: map[string]bool{}, done: make(chan struct{})}
	go f.consume(stdout)
	return f, nil
}

// follower is a running kinesistail and what it has printed.
type follower struct {
	*child

	done chan struct{} // closed when all output has been read

	mu              sync.Mutex
	seen            items
	sequenceNumbers map[string]bool
	summary         line
	samples         []line
	err             error
}

// stop ends kinesistail. It returns an error if kinesistail failed, or if its output could not be read.
func (f *follower) stop() error {
	err := f.child.stop()
	<-f.done
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(err, f.err)
}

// items returns the items read so far.
func (f *follower) items() items {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen
}

// kinesisRecords returns the number of Kinesis records read so far.
func (f *follower) kinesisRecords() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.sequenceNumbers)
}

// consume reads the output of kinesistail up to its end.
func (f *follower) consume(stdout *io.PipeReader) {
	defer close(f.done)
	lines := json.NewDecoder(stdout)
	for {
		var l line
		err := lines.Decode(&l)
		if err == nil {
			err = f.take(l)
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				f.mu.Lock()
				f.err = fmt.Errorf("kinesistail's output: %w", err)
				f.mu.Unlock()
			}
			_ = stdout.CloseWithError(err)
			return
		}
	}
}

// take counts a line.
func (f *follower) take(l line) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l.Type == "summary" {
		f.summary = l
		return nil
	}
	f.sequenceNumbers[l.Shard+"/"+l.SequenceNumber] = true
	var (
		count *int
		n     int
	)
	switch l.Signal {
	case "logs":
		count = &f.seen.Logs
	case "traces":
		count = &f.seen.Traces
	case "metrics":
		count = &f.seen.Metrics
	default:
		return nil // The summary counts what can't be decoded.
	}
	if err := json.Unmarshal(l.Items, &n); err != nil {
		return err
	}
	if *count == 0 {
		f.samples = append(f.samples, l)
	}
	*count += n
	return nil
}
