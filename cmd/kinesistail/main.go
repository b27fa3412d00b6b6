// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command kinesistail reads a Kinesis stream and prints its user records and a summary at the end. It deaggregates the
// aggregated records of the KPL and decodes OTLP. On a terminal each user record is a line to read. In a pipe or a file it is a
// line of JSON.
//
//	kinesistail -stream telemetry                          # everything up to now, and the summary
//	kinesistail -stream telemetry -from 10m                # what arrived in the last ten minutes
//	kinesistail -stream telemetry -from latest -follow     # what arrives from now on, until interrupted
//	kinesistail -stream telemetry -format summary          # the summary alone, for people
//
//	kinesistail -stream telemetry -only logs -grep 'service.name=cart|body=.*timeout'
//	kinesistail -stream telemetry -stats                   # rates, ratios and lag of each shard, until interrupted
//
// -grep takes a regular expression in the syntax of Go. It looks for it in "name=value" of each attribute and each field of OTLP,
// for example service.name=cart, body=timeout, name=GET /, severityText=ERROR. In other data it looks at the whole text.
// User records that are not printed for -only or -grep still count in the summary.
//
// Characters that cannot be seen are escaped in all output, so records cannot send commands to a terminal.
//
// It finds credentials and the region as the AWS CLI does. It reads each shard at most 5 times a second. That is the limit
// of the service for all consumers of the stream together.
//
// Each line of JSON has a "type". A line of type "record" has shard, sequence_number, arrived, partition_key and aggregated. It
// has explicit_hash_key if the user record was in an aggregated record and has one. It has out_of_range if consumers skip it.
//
// If the user record is OTLP, the line has signal, encoding, items and payload (OTLP in JSON), and compression (snappy, zstd or
// gzip) if the OTLP is compressed. Otherwise the line has data (base64). If data that looks like OTLP is not decoded, error says
// why: it is damaged, or to decode it would take too much time and memory. Limits are 32 MiB before compression for one user
// record, 64 MiB before compression and 4 million values for one Kinesis record, and values nested 1,000 deep.
//
// Keys of more than 1,024 bytes are cut.
//
// A line of type "error" is for an aggregated record with members that cannot be read. It has shard, sequence_number, error, and
// the data of the whole Kinesis record. The members that can be read have lines of their own.
//
// With -stats there is a line of type "stats" for each interval, and none for records. It has time, seconds, total and shards.
// Each of shards, and total, has kinesis_records_per_second, user_records_per_second, items_per_second, bytes_per_second,
// aggregation_ratio, compression_ratio (bytes before compression for each stored byte), and lag_ms: how far behind its newest
// record the shard was read.
//
// The last line has the type "summary":
//
//	stream                   as given
//	user_records             user records that a consumer gets; those out of range are not counted, here and below
//	kinesis_records          records as the service stores them
//	aggregated_records       how many of the Kinesis records are in the KPL's format
//	aggregation_ratio        user records for each Kinesis record
//	bytes                    data and partition keys, as the service counts them
//	items                    logs (log records), traces (spans), metrics (data points)
//	undecodable_records      user records that are not OTLP
//	malformed_aggregates     Kinesis records that begin and end like an aggregated record but are none; each is one user record
//	incomplete_aggregates    aggregated records with members that cannot be read; the others count as user records
//	out_of_range_aggregates  aggregated records that the Kinesis Client Library skips, because a member is not of the shard
//	shards                   for each shard that had records: shard, user_records, kinesis_records, bytes
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "kinesistail:", visibleLines(err.Error()))
	if _, wrong := errors.AsType[usageError](err); wrong {
		fmt.Fprintln(os.Stderr, "kinesistail -h lists the flags.")
		os.Exit(2)
	}
	os.Exit(1)
}

// run is the program. It reads a stream up to its newest record, or until ctx ends if it follows the stream. It ends earlier if
// enough user records are printed. It prints the summary, unless the first
// call failed.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	opts, err := parseOptions(args, stdout, time.Now())
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if opts.version {
		_, err := fmt.Fprintln(stdout, versionText(debug.ReadBuildInfo()))
		return err
	}
	client, err := newClient(ctx, opts)
	if err != nil {
		return err
	}
	opts.format = cmp.Or(opts.format, defaultFormat(stdout))
	t := newTail(opts, stdout)
	r := reader{client: client, stream: opts.stream, from: opts.from, follow: opts.follow}
	if opts.stats {
		r.interval = opts.interval
		r.tick = func(now time.Time) error { return t.showStats(now, stdout) }
	}
	err = r.read(ctx, t.handle)
	switch {
	case errors.Is(err, errEnough):
		err = nil
	case opts.follow && ctx.Err() != nil:
		err = nil // Whoever follows a stream can only stop by interrupting it.
	case ctx.Err() != nil:
		err = errors.New("interrupted before the end of the stream")
	}
	if err != nil && !r.answered {
		return explain(err) // There is nothing to sum up.
	}
	return errors.Join(explain(err), t.finish(stdout, stderr))
}
