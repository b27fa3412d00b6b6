// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// verdict collects what became of the items of one push. It also counts and logs them.
type verdict struct {
	signal    marshaler.Signal
	telemetry *telemetry

	delivered int        // items that the service stored; with FireAndForget, those that the producer accepted
	dropped   int        // items that will never be accepted
	left      int        // items that should be sent again
	tooLarge  []*message // what is too large for the stream or for something in front of it, and can be cut
	cause     error      // of the first message that is left; if there is none, of the first dropped item
	code      codes.Code
}

// reject takes in the items of which no messages could be made, once.
func (v *verdict) reject(r *request) {
	for _, rejected := range r.rejected {
		outcome, fields := kpl.OutcomeRejected.String(), []zap.Field(nil)
		if size, ok := errors.AsType[*marshaler.ItemSizeError](rejected.err); ok {
			outcome, fields = outcomeOversize, []zap.Field{zap.String("resource", size.Resource)}
		} else if failed, ok := errors.AsType[*marshaler.EncodingError](rejected.err); ok {
			fields = []zap.Field{zap.String("resource", failed.Resource)}
		}
		v.telemetry.itemsPut(v.signal, outcome, rejected.items)
		v.drop(rejected.items, rejected.err, fields...)
	}
	r.rejected = nil
}

// drop takes in items that the producer or the service will never accept.
func (v *verdict) drop(items int, err error, more ...zap.Field) {
	v.telemetry.dropped(v.signal, items, err, more...)
	v.dropped += items
	if v.cause == nil {
		v.cause, v.code = err, codes.InvalidArgument
	}
}

// finished takes in a message with its Result. The producer may not have accepted the message: it was too large, there was no
// room for it in time, or the producer was closed.
func (v *verdict) finished(m *message, result kpl.Result) {
	switch outcome := result.Outcome(); outcome {
	case kpl.OutcomeSuccess:
		v.telemetry.messageStored(v.signal, m.Items, m.plain)
		v.delivered += m.Items
		m.finish()
	case kpl.OutcomeRejected:
		if m.Items > 1 && hasCode(result, kpl.CodeTooLarge) { // halves of it may be small enough
			v.tooLarge = append(v.tooLarge, m)
			return
		}
		v.telemetry.itemsPut(v.signal, outcome.String(), m.Items)
		v.drop(m.Items, result.Err)
		m.finish()
	default:
		if m.Items > 1 && outcome == kpl.OutcomeUnavailable && hasCode(result, kpl.CodeRequestTooLarge) {
			v.telemetry.cut(v.signal, m.Items, len(m.Data), result.Err)
			v.tooLarge = append(v.tooLarge, m)
			return
		}
		v.leave(m, outcome, result.Err)
	}
}

// hasCode reports whether a failure has a code.
func hasCode(result kpl.Result, code string) bool {
	failure, ok := errors.AsType[*kpl.RecordError](result.Err)
	return ok && failure.Code == code
}

// leave takes in a message that should be sent again.
func (v *verdict) leave(m *message, outcome kpl.Outcome, err error) {
	v.telemetry.itemsPut(v.signal, outcome.String(), m.Items)
	if v.left == 0 {
		v.cause, v.code = err, codeOf(outcome)
	}
	v.left += m.Items
}

// codeOf returns the status code that names an outcome for clients and for the error.type of exporterhelper's metrics.
// All of them tell an OTLP client to try again: ResourceExhausted and PermissionDenied would make it drop the data.
func codeOf(outcome kpl.Outcome) codes.Code {
	switch outcome {
	case kpl.OutcomeExpired:
		return codes.DeadlineExceeded
	case kpl.OutcomeCanceled:
		return codes.Canceled
	case kpl.OutcomeClosed:
		return codes.Aborted
	default:
		return codes.Unavailable
	}
}

// err returns the one error of the push.
//
// err never joins a permanent error with a retryable one: the whole would count as permanent, and good data would be
// dropped.
//
// If some items were delivered and all others will never be accepted, the error is nil, as OTLP's own partial success is
// a success. With an error the Collector would count, log and report the delivered items as lost, and nobody could send
// anything again. The dropped items are in the metrics and in the log. So the error is permanent only if nothing was
// delivered.
func (v *verdict) err() error {
	total := v.delivered + v.dropped + v.left
	switch {
	case v.left > 0:
		cause := fmt.Errorf("%d of %d %s not delivered: %w", v.left, total, itemsOf(v.signal), v.cause)
		return &pushError{v.code, v.left, cause}
	case v.dropped > 0 && v.delivered == 0:
		return consumererror.NewPermanent(
			&pushError{v.code, 0, fmt.Errorf("%d %s dropped: %w", v.dropped, itemsOf(v.signal), v.cause)},
		)
	}
	return nil
}

// itemsOf names what is counted.
func itemsOf(s marshaler.Signal) string {
	switch s {
	case marshaler.Logs:
		return "log records"
	case marshaler.Traces:
		return "spans"
	default:
		return "data points"
	}
}

// pushError is an error with a gRPC status code, which receivers hand on to their clients and exporterhelper to its
// metrics.
type pushError struct {
	code  codes.Code
	left  int // items that are worth another attempt
	cause error
}

func (e *pushError) Error() string { return e.cause.Error() }

func (e *pushError) Unwrap() error { return e.cause }

// GRPCStatus is how package status finds the code.
func (e *pushError) GRPCStatus() *status.Status { return status.New(e.code, e.Error()) }
