// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command httpproducer is a REST front end for a Kinesis stream. It is also an example of a program that uses package kpl.
// It makes one producer and puts records from many goroutines. It waits for their results, or logs the failures. It
// closes the producer when it ends.
//
//	POST /events            stores an event; answers 202 once the producer holds it, and logs it if it is not delivered
//	POST /events/confirmed  stores an event; answers 200 once the stream has it, or 502 with the reason
//	GET  /health            how many records are on their way
//
// An event is {"partition_key": "...", "payload": <any JSON>}; the payload is stored as it is. Without a partition key
// the producer chooses the shard. When the stream can't keep up, requests take longer.
//
// The environment says what to use: KINESIS_STREAM (name or ARN, required), AWS_REGION, KINESIS_ENDPOINT (default: that
// of the region), LISTEN_ADDRESS (default: 127.0.0.1:8080), and the credentials that the AWS SDK looks for.
package main

import (
	"context"
	"errors"
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
	cfg, err := configFrom(os.Getenv)
	if err == nil {
		err = run(ctx, cfg, logger)
	}
	if err != nil {
		logger.Error("httpproducer failed", "error", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, then drains.
func run(ctx context.Context, cfg config, logger *slog.Logger) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.listen)
	if err != nil {
		return fmt.Errorf("LISTEN_ADDRESS: %w", err)
	}
	producer, err := newProducer(ctx, cfg)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := newServer(newHandler(producer, cfg, logger), cfg)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	logger.Info("listening", "address", listener.Addr().String(), "stream", cfg.stream)
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	logger.Info("draining", "outstanding_records", producer.Stats().OutstandingRecords)
	return errors.Join(err, drain(server, producer, cfg.grace))
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

// drain lets requests in flight end, then waits for the results of what they put. The error says what took longer than
// grace.
func drain(server *http.Server, producer *kpl.Producer, grace time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	var errs []error
	if err := server.Shutdown(ctx); err != nil {
		errs = append(errs, fmt.Errorf("requests are left after %v: %w", grace, err))
	}
	if err := producer.Close(ctx); err != nil {
		errs = append(errs, fmt.Errorf("records are left after %v: %w", grace, err))
	}
	return errors.Join(append(errs, server.Close())...)
}
