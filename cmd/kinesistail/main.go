// Command kinesistail reads a Kinesis stream and prints what is in it: one line of JSON for each user record, with
// aggregated records of the KPL taken apart and OTLP decoded, and a summary at the end.
//
//	kinesistail -stream telemetry                          # everything up to now, and the summary
//	kinesistail -stream telemetry -from latest -follow     # what comes in, until interrupted
//	kinesistail -stream telemetry -format summary          # the summary alone, for people
//
// It finds credentials and the region as the AWS CLI does, and keeps to the service's 5 reads a second of each shard,
// which it shares with the stream's other consumers.
//
// Each line of JSON has a "type". A "record" has shard, sequence_number, arrived, partition_key, explicit_hash_key (of
// members of aggregated records), aggregated, and out_of_range where consumers skip it; if it is OTLP also signal,
// encoding, compression if it is compressed (with snappy, zstd or gzip, up to 32 MiB of OTLP), items and payload (OTLP in
// JSON), else data (base64). The "summary", which comes last, has:
//
//	stream                   as given
//	user_records             records as a consumer gets them; those out of range are not counted, here and below
//	kinesis_records          records as the service stores them
//	aggregated_records       how many of these are in the KPL's format
//	aggregation_ratio        user records for each Kinesis record
//	bytes                    data and partition keys, as the service counts them
//	items                    logs (log records), traces (spans), metrics (data points)
//	undecodable_records      user records that are not OTLP
//	malformed_aggregates     Kinesis records framed as aggregated that are not; each counts as a user record
//	out_of_range_aggregates  aggregated records that the Kinesis Client Library skips, as a member is not of the shard
//	shards                   for each shard that had records: shard, user_records, kinesis_records, bytes
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "kinesistail:", err)
		os.Exit(1)
	}
}

// run is the program: it reads the stream that args name until its tip, until enough records are printed, or, if it is
// to follow the stream, until ctx ends. The summary is printed in any case.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	opts, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	client, err := newClient(ctx, opts)
	if err != nil {
		return err
	}
	t, err := newTail(opts, stdout)
	if err != nil {
		return err
	}
	r := reader{client: client, stream: opts.stream, latest: opts.from == fromLatest, follow: opts.follow}
	err = r.read(ctx, t.handle)
	switch {
	case errors.Is(err, errEnough):
		err = nil
	case opts.follow && ctx.Err() != nil:
		err = nil // Whoever follows a stream can only stop by interrupting it.
	case ctx.Err() != nil:
		err = errors.New("interrupted before the end of the stream")
	}
	return errors.Join(err, t.finish(stdout, stderr))
}
