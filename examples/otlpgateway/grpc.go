// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // registers it
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// Flow control of OTLP/gRPC, in bytes. streamWindow is what a client may send of a request that waits for room. connectionWindow
// is what it may send of all its requests before it hears of the server.
const (
	streamWindow     = 64 << 10
	connectionWindow = 4 << 20
)

// newGRPCServer returns a server of the three OTLP services.
func newGRPCServer(g *gateway, cfg config) *grpc.Server {
	server := grpc.NewServer(
		grpc.ForceServerCodecV2(bytesCodec{}),
		grpc.InTapHandle(withCancel),
		grpc.MaxRecvMsgSize(cfg.maxBody),
		grpc.StaticStreamWindowSize(streamWindow),
		grpc.StaticConnWindowSize(connectionWindow),
		grpc.MaxConcurrentStreams(maxWaiters),
		grpc.ConnectionTimeout(cfg.client),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: idleTime}),
	)
	for signal, name := range []string{
		marshaler.Logs:    "opentelemetry.proto.collector.logs.v1.LogsService",
		marshaler.Traces:  "opentelemetry.proto.collector.trace.v1.TraceService",
		marshaler.Metrics: "opentelemetry.proto.collector.metrics.v1.MetricsService",
	} {
		server.RegisterService(&grpc.ServiceDesc{
			ServiceName: name,
			// On the wire, this is a method with one request and one response. Unlike a method that is declared so, its handler
			// is called before the request is read.
			Streams: []grpc.StreamDesc{{
				StreamName:    "Export",
				ServerStreams: true,
				Handler: func(_ any, stream grpc.ServerStream) error {
					return g.export(marshaler.Signal(signal), stream, cfg.client) //nolint:gosec // it is small
				},
			}},
		}, nil)
	}
	return server
}

// export serves a request of a signal. The client has a limited time to send it. If it takes longer, gRPC answers with CANCELED,
// after which clients try again.
func (g *gateway) export(signal marshaler.Signal, stream grpc.ServerStream, patience time.Duration) error {
	ctx := stream.Context()
	leased := &lease{budget: g.memory}
	if err := leased.grow(ctx, g.maxBody); err != nil {
		return g.retryable(err)
	}
	received := &message{pool: g.bodies}
	slow := time.AfterFunc(patience, cancelOf(ctx))
	err := stream.RecvMsg(received)
	slow.Stop()
	if err != nil {
		leased.release()
		received.free()
		return err
	}
	leased.resize(received.bytes)
	taken, err := g.store(ctx, request{signal: signal, body: received.body, lease: leased})
	if err != nil {
		return err
	}
	response, err := taken.response(signal).MarshalProto()
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	return stream.SendMsg(response)
}

// message is a request as its bytes.
type message struct {
	pool  mem.BufferPool
	body  mem.Buffer // nil until the request is received
	bytes int        // of memory
}

func (m *message) free() {
	if m.body != nil {
		m.body.Free()
	}
}

// bytesCodec hands requests over as they came, and sends responses that are encoded already.
type bytesCodec struct{}

// Name returns the name of the codec that clients use.
func (bytesCodec) Name() string { return "proto" }

// Marshal returns a response.
func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	response, ok := v.([]byte)
	if !ok {
		return nil, status.Errorf(codes.Internal, "a response of type %T", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(response)}, nil
}

// Unmarshal copies a request into one piece of memory.
func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(*message)
	if !ok {
		return status.Errorf(codes.Internal, "a request of type %T", v)
	}
	m.body = data.MaterializeToBuffer(m.pool)
	m.bytes = 1 << sizeOf(data.Len())
	return nil
}

// cancelKey is the key of the function that cancels a context.
type cancelKey struct{}

// withCancel makes it possible to cancel a stream, which gRPC has nothing for.
func withCancel(ctx context.Context, _ *tap.Info) (context.Context, error) {
	ctx, cancel := context.WithCancel(ctx)
	return context.WithValue(ctx, cancelKey{}, cancel), nil
}

func cancelOf(ctx context.Context) context.CancelFunc {
	if cancel, ok := ctx.Value(cancelKey{}).(context.CancelFunc); ok {
		return cancel
	}
	return func() {}
}
