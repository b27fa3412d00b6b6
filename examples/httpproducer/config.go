// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// config is what the program is told.
type config struct {
	listen     string // address to listen on
	stream     string // name or ARN
	region     string // empty: where the SDK finds one
	endpoint   string // empty: that of the region
	unverified bool   // the certificate of the endpoint is not checked
	producer   kpl.Config
	grace      time.Duration // how long a drain may take
	client     time.Duration // how long a client may take to send a request, and again to take its answer
}

// clientTime is the time that clients have. It is a part of the grace, so that no slow client uses up a drain.
const clientTime = 10 * time.Second

// configFrom reads the arguments. A flag that is not there has the value of the environment variable of its name, in capitals
// and with underscores. The error is flag.ErrHelp if help was requested, which is written to help.
func configFrom(args []string, getenv func(string) string, help io.Writer) (config, error) {
	cfg := config{client: clientTime, producer: kpl.Config{}.WithDefaults()}
	p := &cfg.producer
	flags := flag.NewFlagSet("httpproducer", flag.ContinueOnError)
	flags.StringVar(&cfg.stream, "kinesis-stream", "", "`name` or ARN of the stream; required")
	flags.StringVar(&cfg.region, "aws-region", "", "`region` of the stream; where the AWS SDK finds one if empty")
	flags.StringVar(&cfg.endpoint, "kinesis-endpoint", "", "`URL` of the service; that of the region if empty")
	verify := flags.Bool("kinesis-verify-certificate", true, "check the certificate of the service; false is for emulators only")
	flags.StringVar(&cfg.listen, "listen-address", "127.0.0.1:8080", "`address` to listen on; there is no TLS")
	flags.DurationVar(&p.RecordMaxBufferedTime, "record-max-buffered-time", p.RecordMaxBufferedTime,
		"how long an event may wait for others to share a request with; less is faster, more is cheaper")
	flags.DurationVar(&p.RecordTTL, "record-ttl", p.RecordTTL, "how long to try to deliver an event")
	flags.IntVar(&p.MaxOutstandingRecords, "max-outstanding-records", p.MaxOutstandingRecords,
		"most events on their way; at this bound, requests take longer")
	flags.Var((*format)(&p.AggregationFormat), "aggregation-format",
		"how events share a Kinesis record: `kpl`, concatenated or none")
	flags.BoolVar(&p.FailIfThrottled, "fail-if-throttled", false, "give up an event at once if its shard throttles it")
	if err := parse(flags, args, getenv, help); err != nil {
		return config{}, err
	}
	cfg.unverified = !*verify
	if cfg.stream == "" {
		return config{}, errors.New("KINESIS_STREAM must be set to the name or ARN of a stream")
	}
	if p.RecordMaxBufferedTime == 0 {
		p.RecordMaxBufferedTime = kpl.NoBuffering
	}
	// Every record that the producer holds has its result by then.
	cfg.grace = p.RecordTTL + p.RequestTimeout + 4*time.Second
	return cfg, nil
}

// format is an aggregation format as the value of a flag. The producer checks it.
type format kpl.AggregationFormat

func (f *format) String() string         { return string(*f) }
func (f *format) Set(value string) error { *f = format(value); return nil }

// parse reads the arguments, and the environment for flags that are not among them.
func parse(flags *flag.FlagSet, args []string, getenv func(string) string, help io.Writer) error {
	flags.SetOutput(io.Discard) // the error is logged, once and without the usage
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(help, usage)
		flags.SetOutput(help)
		flags.PrintDefaults()
		return err
	case err != nil:
		return err
	case flags.NArg() > 0:
		return fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var errs []error
	flags.VisitAll(func(f *flag.Flag) {
		value := getenv(variable(f))
		if given[f.Name] || value == "" {
			return
		}
		if err := f.Value.Set(value); err != nil {
			errs = append(errs, fmt.Errorf("%s=%q: %w", variable(f), value, err))
		}
	})
	return errors.Join(errs...)
}

// variable is the environment variable of a flag.
func variable(f *flag.Flag) string { return strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_")) }

const usage = `httpproducer takes events over HTTP and stores them in a Kinesis stream.

  POST /events            answers 202 once the producer holds the event
  POST /events/confirmed  answers 200 once the stream has the event, or 502 with the reason
  GET  /health            how many events are on their way
  GET  /metrics           metrics of the producer, for Prometheus

An event is {"partition_key": "...", "payload": <any JSON>}. There is neither TLS nor authentication. Credentials are those that
the AWS SDK finds. Each flag can also be set by an environment variable: -kinesis-stream by KINESIS_STREAM, and so on.

`
