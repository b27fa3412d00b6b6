// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// drainTime is how long calls in flight may take when the server stops.
const drainTime = 2 * time.Second

// options are the command line.
type options struct {
	listen   string
	config   kpltest.Config
	streams  []kpltest.Stream
	tls      bool
	throttle float64
	latency  time.Duration
}

// run serves until ctx ends. As soon as it listens, it writes to stdout where, and how clients get there. It warns on stderr if
// other machines can reach it. If the usage is requested, run writes it to stdout and returns flag.ErrHelp.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stdout)
	if err != nil {
		return err
	}
	fake, err := newKinesis(o)
	if err != nil {
		return err
	}
	listener, err := listen(ctx, o.listen)
	if err != nil {
		return err
	}
	url := "http://" + reachable(listener.Addr())
	var trust string
	if o.tls {
		identity, err := newIdentity()
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		defer identity.remove()
		url, trust = "https://"+reachable(listener.Addr()), identity.howToTrust()
		listener = securedListener{listener, identity.config()}
	}
	warnOfAddress(listener.Addr(), stderr)
	if _, err := io.WriteString(stdout, announcement(url, o)+trust); err != nil {
		return errors.Join(err, listener.Close())
	}
	return serve(ctx, listener, newMux(fake), drainTime)
}

// serve answers calls until ctx ends. Then it waits for the calls in flight, at most for the time drain.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, drain time.Duration) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetHTTP2(true)
	server.Protocols.SetUnencryptedHTTP2(true) // AWS's SDK for Java speaks it with http:// endpoints.
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	var err error
	if server.Shutdown(shutdown) != nil { // Calls that hang because of a fault do not end by themselves.
		err = server.Close()
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// parse reads the command line. It writes the usage to help if that is requested, and returns flag.ErrHelp then.
func parse(args []string, help io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("kinesisfake", flag.ContinueOnError)
	flags.StringVar(&o.listen, "listen", "127.0.0.1:4567", "`address` to listen on; port 0 picks a free one. "+
		"In a container, 0.0.0.0:4567: publish it on 127.0.0.1 only, because no permissions are checked")
	flags.Func("stream", "create a stream, given as `name:shards`; may be repeated", func(text string) error {
		s, err := parseStream(text)
		o.streams = append(o.streams, s)
		return err
	})
	flags.BoolVar(&o.tls, "tls", false, "serve https with a self-signed certificate, and print how to trust it")
	flags.BoolVar(&o.config.ShardLimits, "limits", false, "throttle shards beyond 1,000 records/s and 1 MiB/s")
	flags.Float64Var(&o.throttle, "throttle", 0, "`fraction` of records to throttle at random, 0 to 1")
	flags.Func("latency", "`time` that each call takes, such as 20ms", func(text string) (err error) {
		o.latency, err = parseDuration(text)
		return err
	})
	flags.StringVar(&o.config.Account, "account", "000000000000", "account `id` in ARNs")
	flags.StringVar(&o.config.Region, "region", "us-east-1", "`region` in ARNs")
	flags.SetOutput(io.Discard) // main prints the error, once and without the usage
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(help, usage)
		flags.SetOutput(help)
		flags.PrintDefaults()
		return options{}, err
	} else if err != nil {
		return options{}, fmt.Errorf("%w (kinesisfake -help lists the flags)", err)
	}
	switch {
	case flags.NArg() > 0:
		return options{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case !(o.throttle >= 0 && o.throttle <= 1): // This is also true for NaN.
		return options{}, fmt.Errorf("-throttle must be from 0 to 1, found %v", o.throttle)
	case o.latency < 0:
		return options{}, fmt.Errorf("-latency must not be negative, found %v", o.latency)
	}
	return o, nil
}

// parseDuration reads a time. A number without a unit gets an error that shows what may be meant.
func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if _, number := strconv.ParseFloat(text, 64); err != nil && number == nil {
		return 0, fmt.Errorf("has no unit: write %[1]sms or %[1]ss", text)
	}
	return d, err
}

// parseStream reads name:shards.
func parseStream(text string) (kpltest.Stream, error) {
	name, count, _ := strings.Cut(text, ":")
	shards, err := strconv.Atoi(count)
	if err != nil || shards < 1 || shards > 10_000 {
		return kpltest.Stream{}, errors.New("must be name:shards with 1 to 10000 shards")
	}
	return kpltest.Stream{Name: name, Shards: shards}, nil
}

func newKinesis(o options) (*kpltest.Kinesis, error) {
	fake := kpltest.New(o.config)
	for _, s := range o.streams {
		if err := fake.CreateStream(s); err != nil {
			return nil, fmt.Errorf("-stream: %w", err)
		}
	}
	if o.throttle > 0 {
		fake.Inject(kpltest.FailRecordFraction(kpltest.CodeThrottled, o.throttle))
	}
	if o.latency > 0 {
		fake.Inject(kpltest.Latency(o.latency))
	}
	return fake, nil
}

// listen listens on an address of this machine.
func listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("-listen: %w", err)
	}
	return listener, nil
}

func newMux(fake *kpltest.Kinesis) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", fake.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok\n")
	})
	return mux
}
