// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
)

type grpcConnection struct{ *grpc.ClientConn }

func dialGRPC(address string) (grpcConnection, error) {
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	return grpcConnection{conn}, err
}

// Send sends a request.
func (c grpcConnection) Send(ctx context.Context, request []byte) error {
	var answer []byte
	err := c.Invoke(ctx, "/opentelemetry.proto.collector.logs.v1.LogsService/Export", request, &answer,
		grpc.ForceCodecV2(encoded{}))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	switch status.Code(err) {
	case codes.OK:
		return checkAnswer(answer)
	case codes.Unavailable, codes.ResourceExhausted:
		return fmt.Errorf("%w: %w", ErrFull, err)
	default:
		return err
	}
}

// encoded is a codec for messages that are already encoded.
type encoded struct{}

// Name returns the name in the content type.
func (encoded) Name() string { return "proto" }

// Marshal returns the bytes of a request.
func (encoded) Marshal(request any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(request.([]byte))}, nil
}

// Unmarshal sets the bytes of an answer.
func (encoded) Unmarshal(data mem.BufferSlice, answer any) error {
	*answer.(*[]byte) = data.Materialize()
	return nil
}
