// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command core measures a producer library without an exporter. It puts user records of 200 bytes with random partition
// keys, unless flags say otherwise. The PutRecords requests of the library are discarded.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/measure"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/result"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

func main() {
	if err := run(context.Background(), os.Args, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args, err)
		os.Exit(1)
	}
}

// producer is a running producer of a library.
type producer interface {
	// put puts a record into one of the streams.
	put(ctx context.Context, stream int, key string, data []byte) error
	// close waits until everything was sent.
	close(ctx context.Context) error
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	shards := flags.Int("shards", 1, "of each stream")
	streams := flags.Int("streams", 1, "how many streams")
	items := flags.Int("items", 1_000_000, "user records to be measured")
	size := flags.Int("size", 200, "bytes of data in a user record")
	keyless := flags.Bool("keyless", false, "user records have no partition key")
	format := flags.String("format", string(kpl.AggregationKPL), "how user records share a Kinesis record")
	profile := flags.String("cpuprofile", "", "write a CPU profile of the measured part to this file")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	open := func() (producer, error) { return newKPL(*shards, *streams, kpl.AggregationFormat(*format)) }
	keys := newRandomKeys()
	if *keyless {
		keys = randomKeys{}
	}
	data := make([]byte, *size)
	if _, err := send(ctx, open, keys, data, *streams, *items/5); err != nil { // to warm up
		return err
	}
	runtime.GC()
	stop, err := measure.Profile{CPU: *profile}.Start()
	if err != nil {
		return err
	}
	used, err := send(ctx, open, keys, data, *streams, *items)
	if err != nil {
		return err
	}
	if err := stop(); err != nil {
		return err
	}
	measured := result.Run{
		Items: *items, Bytes: *items * *size,
		CPU: used.CPU, Wall: used.Wall, Alloc: used.Alloc, Allocs: used.Allocs,
	}
	if measured.PeakKB, err = measure.PeakKB(); err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(measured)
}

// send puts so many records with that data into a new producer and closes it.
func send(
	ctx context.Context, open func() (producer, error), keys randomKeys, data []byte, streams, items int,
) (used measure.Usage, err error) {
	p, err := open()
	if err != nil {
		return used, err
	}
	var meter measure.Meter
	meter.Start()
	for i := range items {
		if err := p.put(ctx, i%streams, keys.key(i), data); err != nil {
			return used, err
		}
	}
	err = p.close(ctx)
	meter.Stop()
	return meter.Sum, err
}

// randomKeys are partition keys. They are parts of one text, so that they take little memory. Without a text there are no keys.
type randomKeys struct{ text string }

// keyLength is the length of a partition key, and numberOfKeys is the number of keys. There are far more keys than records
// in the producer, so that no two of these records have the same key.
const (
	keyLength    = 16
	numberOfKeys = 1 << 20
)

func newRandomKeys() randomKeys {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the keys need to be the same each time
	text := make([]byte, 0, numberOfKeys+keyLength)
	for len(text) < cap(text) {
		text = fmt.Appendf(text, "%016x", random.Uint64())
	}
	return randomKeys{string(text)}
}

// key returns the i-th key. After the last key comes the first one again.
func (k randomKeys) key(i int) string {
	if k.text == "" {
		return ""
	}
	start := i % numberOfKeys
	return k.text[start : start+keyLength]
}
