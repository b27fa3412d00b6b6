package kpl

import (
	"errors"
	"fmt"
)

// Errors that [Producer.Put] and its siblings return when they do not accept a record; there is no Result for it then.
var (
	// ErrClosed is returned after [Producer.Close] was called.
	ErrClosed = errors.New("kpl: the producer is closed")
	// ErrInvalidRecord is wrapped by the error for a user record that the service would refuse whatever happens: no
	// stream, a partition key over 256 characters, an explicit hash key that is no 128-bit number.
	ErrInvalidRecord = errors.New("kpl: invalid user record")
	// ErrRecordTooLarge is wrapped by the [*SizeError] for data and partition key over [Config.MaxRecordSize].
	ErrRecordTooLarge = errors.New("kpl: user record too large")
)

// Errors that a [Result] wraps in its [*RecordError], one for each [Outcome] but success.
var (
	ErrThrottled   = errors.New("kpl: the shard is throttled")
	ErrExpired     = errors.New("kpl: the record was not delivered within its TTL")
	ErrRejected    = errors.New("kpl: the service rejected the record")
	ErrUnavailable = errors.New("kpl: the stream accepts no records")
	ErrCanceled    = errors.New("kpl: the record was canceled before it was sent")
)

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
	// Code and Message are those of the last attempt; empty if there was none.
	Code, Message string
	// Attempts is how often the record was sent.
	Attempts int
}

func (e *RecordError) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("%v (attempts: %d)", e.Unwrap(), e.Attempts)
	}
	return fmt.Sprintf("%v (attempts: %d, last: %s: %s)", e.Unwrap(), e.Attempts, e.Code, e.Message)
}

// Unwrap returns the sentinel of the outcome, so that errors.Is(err, [ErrExpired]) and the like work.
func (e *RecordError) Unwrap() error {
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

// Retryable reports whether the same record may be accepted if it is put again. Only a rejected record never will be.
func (e *RecordError) Retryable() bool { return e.Outcome != OutcomeRejected }
