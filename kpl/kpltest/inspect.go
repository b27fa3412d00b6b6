// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"context"
	"slices"
	"time"
)

// Record is a Kinesis record that was stored.
type Record struct {
	ShardID         string    // the shard that stores the record
	SequenceNumber  string    // compares as text in the order in which records were stored
	PartitionKey    string    // as the caller gave it
	ExplicitHashKey string    // empty if the record had none
	Data            []byte    // must not be changed
	Arrived         time.Time // when the record was stored
}

// Records returns the Kinesis records of a stream, given by name or ARN, in the order in which they were stored. If the stream
// does not exist, there are none.
func (k *Kinesis) Records(stream string) []Record {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, err := k.lookup(parseReference(stream))
	if err != nil {
		return nil
	}
	return s.copyRecords()
}

func (s *stream) copyRecords() []Record {
	records := make([]Record, len(s.records))
	for i, record := range s.records {
		records[i] = *record
	}
	return records
}

// CallInfo describes an API call.
type CallInfo struct {
	Operation Operation // the operation that was called
	Stream    string    // the name of the stream; empty if the call names none
	Start     time.Time // when the call arrived
	End       time.Time // when the call ended; zero before
	Records   int       // how many records the caller sent
	Bytes     int       // bytes of data and partition keys of these records
	Failed    int       // how many of these records got an error code of their own
	// Code is the error code that answered the whole call. Without a complete answer it is Reset, Cut or Canceled. It is
	// empty before the call ends, and if the whole call did not fail.
	Code string
}

// Calls returns the calls of an operation until now, on all streams, in the order in which they arrived. With an empty
// operation it returns the calls of all operations.
func (k *Kinesis) Calls(operation Operation) []CallInfo {
	k.mu.Lock()
	defer k.mu.Unlock()
	calls := slices.Clone(k.calls)
	if operation == "" {
		return calls
	}
	return slices.DeleteFunc(calls, func(c CallInfo) bool { return c.Operation != operation })
}

// MaxConcurrentCalls returns the largest number of calls of an operation that were open at the same time.
func (k *Kinesis) MaxConcurrentCalls(operation Operation) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.counter(operation).most
}

// WaitRecords waits until a stream, given by name or ARN, stores at least n Kinesis records. If ctx ends first, it returns the
// error of ctx.
func (k *Kinesis) WaitRecords(ctx context.Context, stream string, n int) error {
	return k.wait(ctx, func() bool {
		s, err := k.lookup(parseReference(stream))
		return err == nil && len(s.records) >= n
	})
}

// WaitCalls waits until at least n calls of an operation have ended. If ctx ends first, it returns the error of ctx.
func (k *Kinesis) WaitCalls(ctx context.Context, operation Operation, n int) error {
	return k.wait(ctx, func() bool { return k.counter(operation).ended >= n })
}

// counter counts the calls of an operation. most is the largest number of calls that were open at the same time.
type counter struct{ started, ended, most int }

// counter returns the counter of an operation. The caller holds the mutex.
func (k *Kinesis) counter(operation Operation) *counter {
	c := k.counters[operation]
	if c == nil {
		c = &counter{}
		k.counters[operation] = c
	}
	return c
}

// logStart adds a call to the log and returns its index. The caller holds the mutex.
func (k *Kinesis) logStart(c *Call) (index int) {
	info := CallInfo{Operation: c.Operation, Stream: c.Stream, Start: time.Now(), Records: len(c.Records)}
	for i := range c.Records {
		info.Bytes += len(c.Records[i].Data) + len(deref(c.Records[i].PartitionKey))
	}
	k.calls = append(k.calls, info)
	counter := k.counter(c.Operation)
	counter.started++
	counter.most = max(counter.most, counter.started-counter.ended)
	return len(k.calls) - 1
}

// logEnd adds the end of a call to the log. The caller holds the mutex.
func (k *Kinesis) logEnd(index int, code string, failed int) {
	info := &k.calls[index]
	info.End, info.Code, info.Failed = time.Now(), code, failed
	k.counter(info.Operation).ended++
}

// waiter is a goroutine that waits until ready returns true. The goroutine makes the channel itself, so that the channel
// belongs to the same synctest bubble as the goroutine.
type waiter struct {
	ready   func() bool   // called with the mutex held
	arrived chan struct{} // closed when ready has returned true
}

// wait waits until ready returns true, or returns the error of ctx. ready is called with the mutex held.
func (k *Kinesis) wait(ctx context.Context, ready func() bool) error {
	k.mu.Lock()
	if ready() {
		k.mu.Unlock()
		return nil
	}
	w := waiter{ready, make(chan struct{})}
	k.waiters = append(k.waiters, w)
	k.mu.Unlock()
	select {
	case <-w.arrived:
		return nil
	case <-ctx.Done():
		k.mu.Lock()
		defer k.mu.Unlock()
		k.waiters = slices.DeleteFunc(k.waiters, func(other waiter) bool { return other.arrived == w.arrived })
		return ctx.Err()
	}
}

// wake ends the waits whose condition has become true. The caller holds the mutex.
func (k *Kinesis) wake() {
	k.waiters = slices.DeleteFunc(k.waiters, func(w waiter) bool {
		if !w.ready() {
			return false
		}
		close(w.arrived)
		return true
	})
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
