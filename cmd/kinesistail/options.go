// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// usageError is the error for a wrong command line.
type usageError struct{ error }

// The values of the flags that allow only some values.
const (
	formatJSON    = "json"
	formatText    = "text"
	formatSummary = "summary"
	formatBoth    = "both"
)

// How often rates are shown.
const (
	defaultInterval = 5 * time.Second
	minInterval     = time.Second
)

// options is the command line.
type options struct {
	stream   streamName
	region   string
	profile  string
	role     role
	caFile   string
	endpoint string
	insecure bool
	from     start
	follow   bool
	signal   *marshaler.Signal // nil means to detect it
	filter   filter
	max      int    // 0 means no limit
	format   string // empty means defaultFormat
	stats    bool   // print rates instead of records
	interval time.Duration
	version  bool // print the version and do nothing else
}

// parseOptions reads the command line. If that asks for help, it prints the usage to stdout and returns [flag.ErrHelp]. If it is
// wrong, it returns a usageError.
func parseOptions(args []string, stdout io.Writer, now time.Time) (options, error) {
	var o options
	var stream, signal, from, only, pattern string
	flags := flag.NewFlagSet("kinesistail", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the caller prints the error
	flags.Usage = func() {}
	flags.StringVar(&stream, "stream", "", "`name` or ARN of the stream (required)")
	flags.StringVar(&o.region, "region", "", "AWS region (default: that of the ARN, the environment or the profile)")
	flags.StringVar(&o.profile, "profile", "", "profile of the AWS configuration files")
	flags.StringVar(&o.role.arn, "role-arn", "", "`ARN` of a role to assume")
	flags.StringVar(&o.role.externalID, "external-id", "", "`id` that the role wants to see when it is assumed")
	flags.StringVar(&o.caFile, "ca-file", "", "`file` of the authorities to trust, in PEM\n"+
		"(default: those of AWS_CA_BUNDLE or the system)")
	flags.StringVar(&o.endpoint, "endpoint", "", "`URL` of the service, if not the region's own")
	flags.BoolVar(&o.insecure, "insecure", false, "allow an endpoint with http://")
	flags.StringVar(&from, "from", "", "where to start: horizon (the oldest record, default), latest (needs -follow),\n"+
		"a time such as 2026-01-31T09:30:00Z, or how long ago, such as 10m")
	flags.BoolVar(&o.follow, "follow", false, "keep reading until interrupted, rather than stop at the tip")
	flags.StringVar(&signal, "signal", "", "take every record for logs, traces, metrics or profiles (default: detect it; see -only)")
	flags.IntVar(&o.max, "max", 0, "stop after this many user records (default: no limit)")
	flags.StringVar(&only, "only", "", "print only user records of these `signals`: some of logs, traces, metrics and profiles,\n"+
		"with commas between")
	flags.StringVar(&pattern, "grep", "", "print only user records in which this regular `expression` matches name=value of an\n"+
		"attribute or field, such as service.name=cart or body=.*timeout; or other text")
	flags.StringVar(&o.format, "format", "",
		"text: records and summary to read; json: both as JSON lines; summary: only a summary to read;\n"+
			"both: as json, and a summary to read on standard error (default: text on a terminal, else json)")
	flags.BoolVar(&o.stats, "stats", false, "show rates, ratios and lag of each shard instead of records, until interrupted\n"+
		"(follows the stream, from latest unless -from says otherwise)")
	flags.DurationVar(&o.interval, "interval", defaultInterval, "how often -stats shows rates, at least 1s")
	flags.BoolVar(&o.version, "version", false, "print the version and end")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(stdout, "kinesistail prints the user records of a Kinesis stream. Flags:")
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return options{}, err
	} else if err != nil {
		return options{}, usageError{err}
	}
	if o.version {
		return o, nil
	}
	o.stream = streamName(stream)
	if o.stats {
		o.follow = true
		from = cmp.Or(from, fromLatest)
	}
	from = cmp.Or(from, fromHorizon)
	var startErr, filterErr error
	o.from, startErr = parseStart(from, now)
	o.filter, filterErr = newFilter(only, pattern)
	if err := errors.Join(startErr, filterErr, o.validate(flags.Args()), o.setSignal(signal)); err != nil {
		return options{}, usageError{err}
	}
	return o, nil
}

func (o *options) validate(rest []string) error {
	var errs []error
	if len(rest) > 0 {
		errs = append(errs, fmt.Errorf("unexpected argument %q", rest[0]))
	}
	if o.stream == "" {
		errs = append(errs, errors.New("-stream is required"))
	}
	if o.stream.isARN() {
		if _, err := arn.Parse(string(o.stream)); err != nil {
			errs = append(errs, fmt.Errorf("-stream: %w", err))
		}
	}
	if o.from.latest && !o.follow {
		errs = append(errs, errors.New("-from latest needs -follow: there is nothing between latest and the tip"))
	}
	errs = append(errs, o.role.validate(), o.validateStats())
	switch o.format {
	case "", formatText, formatJSON, formatBoth:
	case formatSummary:
		if !o.filter.takesAll() {
			errs = append(errs, errors.New("-only and -grep choose the records to print: they exclude -format summary"))
		}
	default:
		errs = append(errs, fmt.Errorf("-format must be %s, %s, %s or %s, found %q",
			formatText, formatJSON, formatSummary, formatBoth, o.format))
	}
	if o.max < 0 {
		errs = append(errs, fmt.Errorf("-max must not be negative, found %d", o.max))
	}
	return errors.Join(append(errs, o.validateEndpoint())...)
}

func (o *options) validateStats() error {
	switch {
	case o.interval < minInterval:
		return fmt.Errorf("-interval must be at least %v, found %v", minInterval, o.interval)
	case o.stats && (o.max > 0 || !o.filter.takesAll()):
		return errors.New("-stats shows no records: it excludes -max, -only and -grep")
	case o.stats && o.format != "" && o.format != formatText && o.format != formatJSON:
		return fmt.Errorf("-stats needs -format %s or %s, found %q", formatText, formatJSON, o.format)
	}
	return nil
}

func (o *options) validateEndpoint() error {
	if o.endpoint == "" {
		return nil
	}
	endpoint, err := url.Parse(o.endpoint)
	switch {
	case err != nil || endpoint.Host == "" || endpoint.Scheme != "http" && endpoint.Scheme != "https":
		return errors.New("-endpoint must be a URL with http:// or https://")
	case endpoint.Scheme == "http" && !o.insecure:
		return errors.New("-endpoint with http:// sends records in the clear; allow it with -insecure")
	}
	return nil
}

func (o *options) setSignal(name string) error {
	if name == "" {
		return nil
	}
	if s, known := signalNamed(name); known {
		o.signal = &s
		return nil
	}
	return fmt.Errorf("-signal must be logs, traces, metrics or profiles, found %q", name)
}

// defaultFormat is text for people at a terminal, and JSON for programs.
func defaultFormat(stdout io.Writer) string {
	if isTerminal(stdout) {
		return formatText
	}
	return formatJSON
}
