// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"cmp"
	"errors"
	"fmt"
)

// Errors of records that Put did not accept. Put and its siblings return them inside a [*RecordError].
var (
	// ErrClosed is the error after [Producer.Close] was called. It is also the error of records that Close gave up on.
	ErrClosed = errors.New("kpl: the producer is closed")
	// ErrInvalidRecord is wrapped by the error for a user record that the service would never accept. Such a record has no
	// stream, a name or an ARN that no stream can have, a partition key of more than 256 characters, or an explicit hash key
	// that is no 128-bit number. If the name or the ARN is wrong, the outcome is [OutcomeUnavailable], because nothing is
	// wrong with the data.
	ErrInvalidRecord = errors.New("kpl: invalid user record")
	// ErrRecordTooLarge is wrapped by the [*SizeError] for data and partition key over [Config.MaxRecordSize].
	ErrRecordTooLarge = errors.New("kpl: user record too large")
)

// Errors that a [*RecordError] wraps, one for each [Outcome] but success. The one of OutcomeClosed is [ErrClosed].
var (
	ErrThrottled   = errors.New("kpl: the shard is throttled")
	ErrExpired     = errors.New("kpl: the record was not delivered within its TTL")
	ErrRejected    = errors.New("kpl: the service rejected the record")
	ErrUnavailable = errors.New("kpl: the stream accepts no records")
	ErrCanceled    = errors.New("kpl: the record was canceled before it was sent")
)

// errNoStream is wrapped by the error of a record for a stream that cannot be. Nothing is wrong with the data of the record.
var errNoStream = fmt.Errorf("%w: there is no such stream", ErrInvalidRecord)

// SizeError says by how much a user record is too large.
type SizeError struct {
	Size  int // bytes of data and partition key
	Limit int // the most that is allowed, in bytes
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("%v: %d bytes with its partition key, the limit is %d", ErrRecordTooLarge, e.Size, e.Limit)
}

// Unwrap returns [ErrRecordTooLarge].
func (*SizeError) Unwrap() error { return ErrRecordTooLarge }

// RecordError is why a user record was not delivered.
type RecordError struct {
	Outcome Outcome
	// Code and Message are those of the last attempt; empty if there was none. Code may also be one of the Code constants.
	Code, Message string
	// RequestID is that of the last attempt; empty if there was none or it had no answer.
	RequestID string
	// Attempts is how often the record was sent.
	Attempts int
	// Cause is why Put did not accept the record: [ErrClosed], the error of a context, or an error that wraps
	// [ErrInvalidRecord] or [ErrRecordTooLarge]. It is nil for a record that Put accepted.
	Cause error
}

// notAccepted is the error of a record that Put did not accept.
func notAccepted(cause error) *RecordError {
	outcome := OutcomeCanceled
	switch {
	case errors.Is(cause, errNoStream):
		outcome = OutcomeUnavailable
	case errors.Is(cause, ErrInvalidRecord), errors.Is(cause, ErrRecordTooLarge):
		outcome = OutcomeRejected
	case errors.Is(cause, ErrClosed):
		outcome = OutcomeClosed
	}
	return &RecordError{Outcome: outcome, Cause: cause}
}

func (e *RecordError) Error() string {
	switch {
	case e.Cause != nil && e.Outcome == OutcomeCanceled:
		return fmt.Sprintf("%v: %v", ErrCanceled, e.Cause)
	case e.Cause != nil:
		return e.Cause.Error()
	case e.Code == "":
		return fmt.Sprintf("%v (attempts: %d)", e.sentinel(), e.Attempts)
	default:
		return fmt.Sprintf("%v (attempts: %d, last: %s: %s)", e.sentinel(), e.Attempts, e.Code,
			withRequestID(e.Message, e.RequestID))
	}
}

// Unwrap returns the error of the outcome and the cause, so that errors.Is(err, [ErrExpired]) and
// errors.Is(err, [ErrRecordTooLarge]) work.
func (e *RecordError) Unwrap() []error {
	var list []error
	if sentinel := e.sentinel(); sentinel != nil {
		list = append(list, sentinel)
	}
	if e.Cause != nil {
		list = append(list, e.Cause)
	}
	return list
}

// sentinel is the error of the outcome; nil for success.
func (e *RecordError) sentinel() error {
	switch e.Outcome {
	case OutcomeThrottled:
		return ErrThrottled
	case OutcomeExpired:
		return ErrExpired
	case OutcomeRejected:
		return ErrRejected
	case OutcomeUnavailable:
		return ErrUnavailable
	case OutcomeCanceled:
		return ErrCanceled
	case OutcomeClosed:
		return ErrClosed
	case OutcomeSuccess:
	}
	return nil
}

// Retryable reports whether the same record may be accepted if it is put again. It is false for a rejected record only.
func (e *RecordError) Retryable() bool { return e.Outcome != OutcomeRejected }

// withRequestID returns a message with the id of its request, if there is one.
func withRequestID(message, id string) string {
	if id == "" {
		return message
	}
	return cmp.Or(message, "no message") + " (request id " + id + ")"
}
