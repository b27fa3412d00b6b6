// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// When a request is answered with success.
const (
	confirmed = "confirmed" // the stream has its data
	accepted  = "accepted"  // the gateway has its data
)

// config is what the program is told.
type config struct {
	httpAddress, grpcAddress string
	answer                   string // confirmed or accepted
	maxBody                  int    // bytes of a request, not compressed
	memory                   int    // bytes of all requests that are not answered or not delivered
	timeout                  time.Duration

	stream, region, endpoint string // an empty region or endpoint is that of the SDK
	producer                 kpl.Config
	marshaler                marshaler.Config

	grace  time.Duration // how long a drain may take
	client time.Duration // how long a client may take to send a request, and again to take its answer
}

// clientTime is the time that clients have. It is a part of the grace, so that no slow client uses up a drain.
const clientTime = 10 * time.Second

// configFrom reads the arguments. A flag that is not there has the value of the environment variable of its name, in capitals
// and with underscores. The error is flag.ErrHelp if help was requested, which is written to help.
func configFrom(args []string, getenv func(string) string, help io.Writer) (config, error) {
	cfg := config{client: clientTime}
	var maxBody, memory int
	var attributes, compression string
	flags := flag.NewFlagSet("otlpgateway", flag.ContinueOnError)
	flags.StringVar(&cfg.stream, "kinesis-stream", "", "`name` or ARN of the stream; required")
	flags.StringVar(&cfg.region, "aws-region", "", "`region` of the stream; where the AWS SDK finds one if empty")
	flags.StringVar(&cfg.endpoint, "kinesis-endpoint", "", "`URL` of the service; that of the region if empty")
	flags.StringVar(&attributes, "kinesis-key-attributes", "",
		"`names` of resource attributes, separated by commas, that make the partition key; random keys if empty")
	flags.StringVar(&compression, "kinesis-compression", "none", "of messages: none, snappy, zstd or gzip")
	flags.StringVar(&cfg.httpAddress, "otlp-http-address", "127.0.0.1:4318", "`address` for OTLP/HTTP; there is no TLS")
	flags.StringVar(&cfg.grpcAddress, "otlp-grpc-address", "127.0.0.1:4317", "`address` for OTLP/gRPC; there is no TLS")
	flags.StringVar(&cfg.answer, "otlp-answer", confirmed, "when a request succeeds: `confirmed` when the stream has its data, "+
		"accepted when the gateway has it")
	flags.DurationVar(&cfg.timeout, "otlp-timeout", 8*time.Second,
		"how long a request may wait to be confirmed; clients should wait longer")
	flags.IntVar(&maxBody, "otlp-max-body-mib", 8, "largest request, decompressed, in `MiB`")
	flags.IntVar(&memory, "otlp-memory-mib", 64, "room for requests that are not answered or not delivered, in `MiB`")
	flags.SetOutput(help)
	flags.Usage = func() { usage(flags) }
	if err := parse(flags, args[1:], getenv); err != nil {
		return config{}, err
	}
	cfg.maxBody, cfg.memory = maxBody<<20, memory<<20
	if err := cfg.check(); err != nil {
		return config{}, err
	}
	cfg.setProducer()
	cfg.marshaler = marshaler.Config{
		Encoding:     marshaler.OTLPProto,
		TargetSize:   cfg.producer.AggregationMaxSize,
		MaxSize:      cfg.producer.MaxRecordSize,
		Compression:  marshaler.Compression(compression),
		SignalMarker: true,
		Key:          marshaler.KeyConfig{ResourceAttributes: strings.FieldsFunc(attributes, func(r rune) bool { return r == ',' })},
	}
	return cfg, nil
}

// parse reads the arguments, and the environment for flags that are not among them.
func parse(flags *flag.FlagSet, args []string, getenv func(string) string) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
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
			errs = append(errs, fmt.Errorf("%s: %w", variable(f), err))
		}
	})
	return errors.Join(errs...)
}

// variable is the environment variable of a flag.
func variable(f *flag.Flag) string { return strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_")) }

func usage(flags *flag.FlagSet) {
	fmt.Fprint(flags.Output(), `otlpgateway takes OTLP over HTTP and gRPC and stores it in a Kinesis stream.

It has neither TLS nor authentication. Credentials are those that the AWS SDK finds. Each flag can also be set by an environment
variable: -kinesis-stream by KINESIS_STREAM, and so on.

`)
	flags.PrintDefaults()
}

// check returns an error that names the flag that is wrong.
func (c *config) check() error {
	switch {
	case c.stream == "":
		return errors.New("-kinesis-stream must be set to the name or ARN of a stream")
	case c.answer != confirmed && c.answer != accepted:
		return fmt.Errorf("-otlp-answer must be %s or %s, found %q", confirmed, accepted, c.answer)
	case c.timeout < time.Second:
		return fmt.Errorf("-otlp-timeout must be at least 1s, found %v", c.timeout)
	case c.maxBody < 1<<20:
		return errors.New("-otlp-max-body-mib must be at least 1")
	case c.memory < max(4*c.maxBody, 2*maxWindow):
		return fmt.Errorf("-otlp-memory-mib must be at least %d and four times -otlp-max-body-mib, which is %d",
			2*maxWindow>>20, c.maxBody>>20)
	}
	return nil
}

// setProducer configures the producer. The budget of the gateway is the only bound of what waits, and a request that must be
// confirmed is answered in time.
func (c *config) setProducer() {
	c.producer.MaxOutstandingBytes, c.producer.MaxOutstandingRecords = kpl.Unbounded, kpl.Unbounded
	if c.answer == confirmed {
		c.producer.RecordMaxBufferedTime = kpl.NoBuffering // while a call is in flight, records wait for others all the same
		c.producer.RequestTimeout = min(c.timeout/2, c.producer.WithDefaults().RequestTimeout)
		c.producer.RecordTTL = c.timeout - c.producer.RequestTimeout
	}
	c.producer = c.producer.WithDefaults()
	// Every record that the producer holds has its result by then.
	c.grace = c.producer.RecordTTL + c.producer.RequestTimeout + 4*time.Second
}

// credentialsTimeout is how long one call for credentials may take. It bounds PutRecords calls too.
const credentialsTimeout = 5 * time.Second

// newProducer returns a producer with credentials as the SDK finds them.
func newProducer(ctx context.Context, cfg config) (*kpl.Producer, error) {
	// A call for credentials that is never answered would stop all requests without a timeout here.
	client := awshttp.NewBuildableClient().WithTimeout(credentialsTimeout)
	loaded, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(cfg.region), awsconfig.WithHTTPClient(client),
		awsconfig.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = client }))
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	if loaded.Region == "" {
		return nil, errors.New("-aws-region must be set to the region of the stream")
	}
	return kpl.NewFromConfig(loaded, cfg.producer, func(o *kinesis.Options) {
		if cfg.endpoint != "" {
			o.BaseEndpoint = aws.String(cfg.endpoint)
		}
	})
}
