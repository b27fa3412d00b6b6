// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package otlp sends logs to a collector, as requests of OTLP that are already encoded.
package otlp

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// The protocols.
const (
	HTTP = "http"
	GRPC = "grpc"
)

// ErrFull means that the collector has no room for a request now: it asks to send the request again later.
var ErrFull = errors.New("the collector asks to send the request again later")

// Connection is one connection to a collector. It stays open between requests.
type Connection interface {
	// Send sends a request and waits for the answer. The error wraps ErrFull if the collector has no room.
	Send(ctx context.Context, request []byte) error
	Close() error
}

// Dial returns a connection for a protocol. It is opened by the first request.
func Dial(protocol, address string) (Connection, error) {
	switch protocol {
	case HTTP:
		return dialHTTP(address), nil
	case GRPC:
		return dialGRPC(address)
	default:
		return nil, fmt.Errorf("there is no protocol %q, only %s and %s", protocol, HTTP, GRPC)
	}
}

// checkAnswer returns an error if the collector has dropped some of a request that it has accepted.
func checkAnswer(answer []byte) error {
	response := plogotlp.NewExportResponse()
	if err := response.UnmarshalProto(answer); err != nil {
		return fmt.Errorf("the answer of the collector: %w", err)
	}
	if dropped := response.PartialSuccess(); dropped.RejectedLogRecords() > 0 {
		return fmt.Errorf("the collector has dropped %d log records: %s", dropped.RejectedLogRecords(), dropped.ErrorMessage())
	}
	return nil
}
