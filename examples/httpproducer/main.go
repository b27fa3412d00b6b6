// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command httpproducer is a REST front end for a Kinesis stream. It is also an example of a program that uses package kpl.
// It makes one producer and puts records from many goroutines. It waits for their results, or logs the failures. It
// closes the producer when it ends.
//
//	POST /events            stores an event; answers 202 once the producer holds it, and logs it if it is not delivered
//	POST /events/confirmed  stores an event; answers 200 once the stream has it, or 502 with the reason
//	GET  /health            how many records are on their way
//	GET  /metrics           metrics of the producer, for Prometheus
//
// An event is {"partition_key": "...", "payload": <any JSON>}; the payload is stored as it is. Without a partition key
// the producer chooses the shard. When the stream can't keep up, requests take longer.
//
// Flags or the environment say what to use; run it with -help for a list. KINESIS_STREAM is required.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

func main() {
	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // A second signal ends the program at once.
	cfg, err := configFrom(os.Args[1:], os.Getenv, os.Stdout)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(ctx, cfg, logger)
	}
	if err != nil {
		logger.Error("httpproducer failed", "error", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, then drains.
func run(ctx context.Context, cfg config, logger *slog.Logger) (err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.listen)
	if err != nil {
		return fmt.Errorf("LISTEN_ADDRESS: %w", err)
	}
	m, err := newMetrics()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, m.close()) }()
	cfg.producer.Observer = m.observer
	producer, err := newProducer(ctx, cfg)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := newServer(newHandler(producer, cfg, m, logger), cfg)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	logger.Info("listening", "address", listener.Addr().String(), "stream", cfg.stream)
	warn(listener.Addr(), cfg, logger)
	if err = m.watch(producer); err == nil {
		select {
		case err = <-served:
		case <-ctx.Done():
		}
	}
	logger.Info("draining", "outstanding_records", producer.Stats().OutstandingRecords)
	return errors.Join(err, drain(server, producer, cfg))
}

// warn warns of what nobody should have in production.
func warn(address net.Addr, cfg config, logger *slog.Logger) {
	if tcp, is := address.(*net.TCPAddr); is && !tcp.IP.IsLoopback() {
		logger.Warn("listening without TLS and authentication on an address that other machines may reach",
			"address", address.String(), "what_to_do", "put a proxy with TLS and authentication in front, or listen on 127.0.0.1")
	}
	if cfg.unverified {
		logger.Warn("the certificate of Kinesis is not checked, so anybody on the way can read and change events",
			"what_to_do", "set AWS_CA_BUNDLE to a file with the authority, and leave KINESIS_VERIFY_CERTIFICATE out")
	}
}

// idleTime is how long a connection may stay open without a request.
const idleTime = 2 * time.Minute

// newServer returns a server that waits for no client without end. It has no ReadTimeout, which would end the wait for a result
// as well: the handler limits the time for the body. WriteTimeout is that of the whole request, with the wait for a result.
func newServer(handler http.Handler, cfg config) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: cfg.client,
		WriteTimeout:      cfg.grace + 2*cfg.client,
		IdleTimeout:       idleTime,
	}
}

// drain stops taking requests, lets those in flight end, then waits for the results of what they put. The error says what took
// longer than the grace. Whatever is left then ends at once, except that clients have their time to send and to take answers. All
// requests have ended when drain returns.
func drain(server *http.Server, producer *kpl.Producer, cfg config) error {
	ctx, cancel := context.WithTimeout(context.Background(), cfg.grace)
	defer cancel()
	atLast, cancelAtLast := context.WithTimeout(context.Background(), cfg.grace+2*cfg.client)
	defer cancelAtLast()
	stopped := make(chan error, 1)
	go func() { stopped <- server.Shutdown(atLast) }()
	var errs []error
	var left bool
	select {
	case err := <-stopped:
		errs = append(errs, err)
	case <-ctx.Done():
		left = true
		errs = append(errs, fmt.Errorf("requests are left after %v: %w", cfg.grace, ctx.Err()))
	}
	if err := producer.Close(ctx); err != nil { // It gives up on records that requests wait for.
		errs = append(errs, fmt.Errorf("records are left after %v: %w", cfg.grace, err))
	}
	if left {
		errs = append(errs, <-stopped)
	}
	return errors.Join(append(errs, server.Close())...)
}
