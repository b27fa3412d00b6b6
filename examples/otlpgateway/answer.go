// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// answer is what a client is told of a request that was taken: OTLP's partial success, if some of it was dropped or changed.
type answer struct {
	rejected int    // items
	reason   string // of the first one; if there is none, what was changed
}

// reject takes in items that are dropped.
func (a *answer) reject(items int, err error) {
	if a.rejected == 0 {
		a.reason = err.Error()
	}
	a.rejected += items
}

// response is an Export*ServiceResponse of OTLP.
type response interface {
	MarshalProto() ([]byte, error)
	MarshalJSON() ([]byte, error)
}

// response returns the response of a signal's service.
func (a *answer) response(signal marshaler.Signal) response {
	switch signal {
	case marshaler.Logs:
		r := plogotlp.NewExportResponse()
		r.PartialSuccess().SetRejectedLogRecords(int64(a.rejected))
		r.PartialSuccess().SetErrorMessage(a.reason)
		return r
	case marshaler.Traces:
		r := ptraceotlp.NewExportResponse()
		r.PartialSuccess().SetRejectedSpans(int64(a.rejected))
		r.PartialSuccess().SetErrorMessage(a.reason)
		return r
	default:
		r := pmetricotlp.NewExportResponse()
		r.PartialSuccess().SetRejectedDataPoints(int64(a.rejected))
		r.PartialSuccess().SetErrorMessage(a.reason)
		return r
	}
}

// retryTime is after how long clients should send again what was not taken.
const retryTime = time.Second

// Why a request is not even looked at.
var (
	errBodyTooLarge = errors.New("the request is too large")
	errSlowClient   = errors.New("the request did not arrive in time")
)

// failure returns what a client is told about a request that was not taken. It is the error of a *status.Status, in both
// protocols. Its code says whether the client should try again.
func failure(code codes.Code, cause error) error {
	s := status.New(code, cause.Error())
	if code == codes.Unavailable {
		if detailed, err := s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retryTime)}); err == nil {
			return detailed.Err()
		}
	}
	return s.Err()
}
