package kpl

import "context"

// Producer sends user records to Kinesis streams. One producer serves any number of streams and callers; make one and
// keep it for the life of the program. All methods are safe for concurrent use.
type Producer struct{}

// New returns a running producer, or an error if config is not valid. Close it to release what it holds.
func New(client Client, config Config) (*Producer, error) { panic("skeleton") }

// Put accepts one record and returns; done is called with its Result later, exactly once, from a goroutine of the
// producer. done must return soon and must not wait for the producer (not Put, Flush or Close); it may be nil.
//
// Put blocks while the producer is full, until ctx ends. It returns an error, and done is never called, if the record
// was not accepted: ctx's error, [ErrClosed], or one that wraps [ErrInvalidRecord] or [ErrRecordTooLarge].
func (p *Producer) Put(ctx context.Context, record UserRecord, done func(Result)) error {
	panic("skeleton")
}

// PutWait puts one record and waits for its Result. The error is that of Put, or ctx's if ctx ends first: the record
// is then still on its way and may well be stored. A record that failed is no error here: see Result.Err.
func (p *Producer) PutWait(ctx context.Context, record UserRecord) (Result, error) {
	panic("skeleton")
}

// Flush sends what is buffered without waiting for more, and returns once every record put before the call has its
// Result, or with ctx's error.
func (p *Producer) Flush(ctx context.Context) error { panic("skeleton") }

// Close stops accepting records, sends what is buffered and waits for all Results. When ctx ends first it fails the rest
// with [OutcomeClosed] and returns ctx's error. Either way every record has its Result and every goroutine of the
// producer has ended when Close returns. Further calls do nothing and return nil.
func (p *Producer) Close(ctx context.Context) error { panic("skeleton") }

// Stats is a snapshot of a producer.
type Stats struct {
	// RecordsReceived counts the user records that Put ever accepted.
	RecordsReceived int64
	// OutstandingRecords and OutstandingBytes are what has been accepted and has no Result yet.
	OutstandingRecords, OutstandingBytes int
}

// Stats returns a snapshot of the producer's counts.
func (p *Producer) Stats() Stats { panic("skeleton") }
