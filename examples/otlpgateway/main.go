// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command otlpgateway stores OTLP in a Kinesis stream. It is also an example of a program that uses packages marshaler and kpl
// together, without a Collector. It never unmarshals protobuf: it cuts the encoded requests of its clients into messages, and
// puts these into a producer.
//
//	OTLP/HTTP  POST /v1/logs, /v1/traces and /v1/metrics, protobuf or JSON, with gzip, zstd or no compression
//	OTLP/gRPC  the services for logs, traces and metrics, with gzip or no compression
//	GET /health  how many records are on their way, and how much memory is free for requests; on the port of OTLP/HTTP
//
// With -otlp-answer confirmed, a request is answered when the stream has its data. With accepted, it is answered when the
// gateway has taken all of it; what is then not delivered is counted in the log.
//
// It serves without TLS and authentication, so it listens on loopback only, unless it is told otherwise. Run it with -help for
// its flags.
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

	"google.golang.org/grpc"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

func main() {
	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // A second signal ends the program at once.
	cfg, err := configFrom(os.Args, os.Getenv, os.Stdout)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(ctx, cfg, logger)
	}
	if err != nil {
		logger.Error("otlpgateway failed", "error", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, then drains.
func run(ctx context.Context, cfg config, logger *slog.Logger) error {
	encoder, err := marshaler.New(cfg.marshaler)
	if err != nil {
		return err
	}
	listeners, err := listen(ctx, cfg)
	if err != nil {
		return err
	}
	producer, err := newProducer(ctx, cfg)
	if err != nil {
		return errors.Join(err, listeners.close())
	}
	warnOfAddresses(listeners, logger)
	g := newGateway(producer, encoder, cfg, logger)
	s := servers{newHTTPServer(g, cfg), newGRPCServer(g, cfg)}
	served := make(chan error, 2)
	go func() { served <- s.http.Serve(listeners.http) }()
	go func() { served <- s.grpc.Serve(listeners.grpc) }()
	logger.Info("listening", "http_address", listeners.http.Addr().String(), "grpc_address", listeners.grpc.Addr().String(),
		"stream", cfg.stream, "answer", cfg.answer)
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	logger.Info("draining", "outstanding_records", producer.Stats().OutstandingRecords)
	err = errors.Join(err, s.drain(producer, cfg))
	g.report()
	return err
}

// listeners are where clients connect.
type listeners struct{ http, grpc net.Listener }

func listen(ctx context.Context, cfg config) (listeners, error) {
	var l listeners
	var err error
	if l.http, err = new(net.ListenConfig).Listen(ctx, "tcp", cfg.httpAddress); err != nil {
		return l, fmt.Errorf("-otlp-http-address: %w", err)
	}
	if l.grpc, err = new(net.ListenConfig).Listen(ctx, "tcp", cfg.grpcAddress); err != nil {
		return l, errors.Join(fmt.Errorf("-otlp-grpc-address: %w", err), l.http.Close())
	}
	return l, nil
}

func (l listeners) close() error { return errors.Join(l.http.Close(), l.grpc.Close()) }

// warnOfAddresses warns if other machines can reach the program.
func warnOfAddresses(l listeners, logger *slog.Logger) {
	for _, address := range []net.Addr{l.http.Addr(), l.grpc.Addr()} {
		if tcp, ok := address.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
			logger.Warn("listening without TLS and authentication on an address that other machines may reach",
				"address", address.String(), "what_to_do", "put a proxy with TLS and authentication in front, or listen on 127.0.0.1")
		}
	}
}

// servers are what listens.
type servers struct {
	http *http.Server
	grpc *grpc.Server
}

// drain stops taking requests, lets those in flight end, and waits for the results of what they put. The error says what took
// longer than the grace. Whatever is left then ends at once, except that clients have their time to send and to take answers.
func (s servers) drain(producer *kpl.Producer, cfg config) error {
	ctx, cancel := context.WithTimeout(context.Background(), cfg.grace)
	defer cancel()
	atLast, cancelAtLast := context.WithTimeout(context.Background(), cfg.grace+2*cfg.client)
	defer cancelAtLast()
	stopped := make(chan error, 2) // by each server, when all its requests have ended
	go func() { stopped <- s.http.Shutdown(atLast) }()
	go func() {
		defer context.AfterFunc(ctx, s.grpc.Stop)()
		s.grpc.GracefulStop()
		stopped <- nil
	}()
	var errs []error
	for len(errs) < cap(stopped) && ctx.Err() == nil {
		select {
		case err := <-stopped:
			errs = append(errs, err)
		case <-ctx.Done():
		}
	}
	left := cap(stopped) - len(errs)
	if left > 0 {
		errs = append(errs, fmt.Errorf("requests are left after %v: %w", cfg.grace, ctx.Err()))
	}
	if err := producer.Close(ctx); err != nil { // It gives up on records that requests wait for.
		errs = append(errs, fmt.Errorf("records are left after %v: %w", cfg.grace, err))
	}
	for range left {
		errs = append(errs, <-stopped)
	}
	return errors.Join(append(errs, s.http.Close())...)
}
