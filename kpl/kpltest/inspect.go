package kpltest

import (
	"context"
	"slices"
	"time"
)

// Record is a Kinesis record that was stored.
type Record struct {
	ShardID         string
	SequenceNumber  string
	PartitionKey    string
	ExplicitHashKey string // empty if it had none
	Data            []byte // read only
	Arrived         time.Time
}

// Records returns what a stream, given by name or ARN, stores, in the order in which it came. There is none if the
// stream does not exist.
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

// CallInfo is what is known of an API call.
type CallInfo struct {
	Operation Operation
	Stream    string // the stream's name; empty if the call names none
	Start     time.Time
	End       time.Time // zero until it ended
	Records   int       // records it brought
	Bytes     int       // bytes of data and partition keys it brought
	Failed    int       // records that were refused one by one in an answer without an error
	// Code is the error code that answered the whole call, or Reset, Cut or Canceled if there was no answer. Empty while
	// it lasts, and if there was no error.
	Code string
}

// Calls returns the calls of an operation so far, on all streams, in the order in which they came. An empty operation
// means all of them.
func (k *Kinesis) Calls(operation Operation) []CallInfo {
	k.mu.Lock()
	defer k.mu.Unlock()
	calls := slices.Clone(k.calls)
	if operation == "" {
		return calls
	}
	return slices.DeleteFunc(calls, func(c CallInfo) bool { return c.Operation != operation })
}

// MaxConcurrentCalls returns how many calls of an operation there ever were at the same time.
func (k *Kinesis) MaxConcurrentCalls(operation Operation) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.counter(operation).most
}

// WaitRecords returns nil once a stream, given by name or ARN, stores n records at least, or ctx's error.
func (k *Kinesis) WaitRecords(ctx context.Context, stream string, n int) error {
	return k.wait(ctx, func() bool {
		s, err := k.lookup(parseReference(stream))
		return err == nil && len(s.records) >= n
	})
}

// WaitCalls returns nil once n calls of an operation at least have ended, or ctx's error.
func (k *Kinesis) WaitCalls(ctx context.Context, operation Operation, n int) error {
	return k.wait(ctx, func() bool { return k.counter(operation).ended >= n })
}

// counter counts the calls of an operation.
type counter struct{ started, ended, most int }

// counter returns that of an operation. The caller holds the mutex.
func (k *Kinesis) counter(operation Operation) *counter {
	c := k.counters[operation]
	if c == nil {
		c = &counter{}
		k.counters[operation] = c
	}
	return c
}

// logStart notes a call that arrives. The caller holds the mutex.
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

// logEnd notes that a call ends. The caller holds the mutex.
func (k *Kinesis) logEnd(index int, code string, failed int) {
	info := &k.calls[index]
	info.End, info.Code, info.Failed = time.Now(), code, failed
	k.counter(info.Operation).ended++
}

// waiter is a goroutine that waits until ready returns true. It made the channel itself, so that the channel belongs to
// the waiter's synctest bubble.
type waiter struct {
	ready   func() bool // called with the mutex held
	arrived chan struct{}
}

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

// wake lets go the waiters whose condition holds. The caller holds the mutex.
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
