// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/wire"
)

// Producer sends user records to Kinesis streams. One producer serves any number of streams and callers; make one and
// keep it for the life of the program. All methods are safe for concurrent use.
//
// The producer starts a few goroutines for each stream with its first record. It ends them, and forgets what it has
// learned about the stream, once no record of the stream has been on its way for [StreamIdleTime]. The next record starts
// them again.
type Producer struct {
	shared

	closeIdle func()         // closes connections that nobody else uses
	retired   sync.WaitGroup // streams that are ending because nobody uses them; none is added once closed is true

	mu       sync.RWMutex // guards the fields below, and is held while a record is handed to its stream
	streams  map[string]*stream
	received int64               // records that streams which are forgotten now have received
	down     map[string]struct{} // streams that accepted no records when they were forgotten
	closed   bool
}

// Stats is a snapshot of a producer.
type Stats struct {
	// RecordsReceived counts the user records that Put ever accepted.
	RecordsReceived int64
	// RecordsDelivered counts those that ended with [OutcomeSuccess].
	RecordsDelivered int64
	// OutstandingRecords and OutstandingBytes (of data and partition keys) are the records that have no Result yet. Records
	// for which Put is just about to return count too.
	OutstandingRecords, OutstandingBytes int
}

// NewFromConfig returns a running producer that calls the service as awsConfig says, or the error of [Config.Validate].
// It calls through [NewHTTPClient], unless awsConfig has an HTTP client that is not the SDK's own. The functions change the
// options of the client, for example its endpoint. Close the producer to release what it holds.
//
// The producer bounds its own calls. It cannot bound those for credentials: all calls of awsConfig.Credentials share one call to
// STS, to a container's agent and so on, and that call has no deadline. If it is never answered, nothing is sent any more.
// So load awsConfig with an HTTP client that has a timeout, for both kinds of credentials:
//
//	client := awshttp.NewBuildableClient().WithTimeout(5 * time.Second)
//	config.LoadDefaultConfig(ctx, config.WithHTTPClient(client),
//		config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = client }))
func NewFromConfig(awsConfig aws.Config, config Config, optFns ...func(*kinesis.Options)) (*Producer, error) {
	client, made := newHTTPClient(awsConfig.HTTPClient, config.WithDefaults().MaxConnections)
	if made {
		awsConfig.HTTPClient = client
	}
	p, err := New(kinesis.NewFromConfig(awsConfig, optFns...), config)
	if err == nil && made {
		p.closeIdle = client.CloseIdleConnections
	}
	return p, err
}

// New returns a running producer that calls the service through client, or the error of [Config.Validate]. Close it to
// release what it holds.
func New(client Client, config Config) (*Producer, error) {
	config = config.WithDefaults()
	if err := config.Validate(); err != nil {
		return nil, err
	}
	p := &Producer{closeIdle: func() {}, streams: map[string]*stream{}, down: map[string]struct{}{}}
	p.client, p.config = client, config
	p.encoding = wire.NewEncoding(config.WireProtocol == WireAuto && !cborDisabled(), unrelatedToEncoding)
	p.admission.maxRecords, p.admission.maxBytes = config.MaxOutstandingRecords, config.MaxOutstandingBytes
	p.admission.onBlock = p.wake
	return p, nil
}

// Put accepts one record and returns; done is called with its Result later, exactly once, from a goroutine of the
// producer. done must return soon and must not wait for the producer (not Put, FlushWait or Close); it may be nil.
//
// Put blocks while the producer is full, until ctx ends. It returns a [*RecordError], and never calls done, if it did not
// accept the record. The error wraps ctx's error, [ErrClosed], [ErrInvalidRecord] or [ErrRecordTooLarge].
func (p *Producer) Put(ctx context.Context, record UserRecord, done func(Result)) error {
	r, err := newUserRecord(&record, p.config.largestUserRecord())
	if err == nil {
		r.done = done
		err = p.put(ctx, record.Stream, &r, nil)
	}
	if err != nil {
		return notAccepted(err)
	}
	return nil
}

// PutWait puts one record and waits for its Result. The error is that of the Result: nil, or why the record was not
// delivered.
//
// If ctx ends while PutWait waits, it returns ctx's error and an empty Result. The record is then still on its way, and may
// be stored.
func (p *Producer) PutWait(ctx context.Context, record UserRecord) (Result, error) {
	results := make(chan Result, 1)
	if err := p.Put(ctx, record, func(result Result) { results <- result }); err != nil {
		return Result{Err: err}, err
	}
	select {
	case result := <-results:
		return result, result.Err
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// put admits r and hands it to its stream. The batch is what r is a part of; nil if nothing.
func (p *Producer) put(ctx context.Context, name string, r *userRecord, batch *Batch) error {
	if err := p.admission.enter(ctx, r.size()); err != nil {
		return err
	}
	err := p.hand(name, r, batch)
	for err == errNotOpen { //nolint:errorlint // it is never wrapped
		if err = checkStream(name); err != nil {
			break
		}
		p.open(name)
		err = p.hand(name, r, batch)
	}
	if err != nil {
		p.admission.leave(1, r.size())
	}
	return err
}

// errNotOpen says that a stream has no pipeline yet.
var errNotOpen = errors.New("kpl: the stream's pipeline does not run")

// hand gives r to the loop of its stream. The error is ErrClosed or errNotOpen.
func (p *Producer) hand(name string, r *userRecord, batch *Batch) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return ErrClosed
	}
	s := p.streams[name]
	if s == nil {
		return errNotOpen
	}
	if batch != nil {
		batch.fill(s)
	}
	s.put(r)
	return nil
}

// open starts the pipeline of a stream, unless it runs or the producer is closed.
func (p *Producer) open(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.streams[name] != nil || p.closed {
		return
	}
	_, down := p.down[name]
	delete(p.down, name)
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) //nolint:gosec // jitter
	p.streams[name] = startStream(&p.shared, name, down, p.retire, random)
}

// Flush makes the producer send what is buffered without waiting for more. It does not wait for the Results.
func (p *Producer) Flush() { p.post(func(i *inbox) { i.flush = true }) }

// FlushWait does what Flush does, and returns once every record that was put before the call has its Result, or with ctx's
// error.
func (p *Producer) FlushWait(ctx context.Context) error {
	streams := p.all()
	flushed := make([]chan struct{}, len(streams))
	for i, s := range streams {
		flushed[i] = make(chan struct{})
		s.post(func(in *inbox) { in.flushed = append(in.flushed, flushed[i]) })
	}
	for i, s := range streams {
		select {
		case <-flushed[i]:
		case <-s.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Close stops accepting records, sends what is buffered and waits for all Results. When ctx ends first, it fails the rest
// with [OutcomeClosed] and returns ctx's error. Either way, every record has its Result and every goroutine of the producer
// has ended when Close returns.
//
// Further calls wait in the same way. If several wait at a time, the first of their contexts that ends is the one that
// counts.
func (p *Producer) Close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.admission.close()
	streams := p.all()
	for _, s := range streams {
		s.post(func(i *inbox) { i.drain = true })
	}
	var err error
	for _, s := range streams {
		if !s.drains(ctx) {
			err = ctx.Err()
			s.abort()
		}
	}
	for _, s := range streams {
		s.join()
	}
	p.retired.Wait()
	p.closeIdle()
	return err
}

// Stats returns a snapshot of the producer's counts.
func (p *Producer) Stats() Stats {
	stats := Stats{RecordsDelivered: p.delivered.Load()}
	stats.OutstandingRecords, stats.OutstandingBytes = p.admission.outstanding()
	p.mu.RLock()
	defer p.mu.RUnlock()
	stats.RecordsReceived = p.received
	for _, s := range p.streams {
		stats.RecordsReceived += s.received()
	}
	return stats
}

// maxDown is how many names of streams the producer remembers because they accepted no records when they were forgotten. If
// there are more, the Observer is not told when the others accept records again.
const maxDown = 10_000

// retire forgets a stream that has been idle, and ends its goroutines, unless something has come for it in the meantime.
// Only the stream's loop calls it, and ends if it returns true.
func (p *Producer) retire(s *stream) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || !s.unused() {
		return false
	}
	delete(p.streams, s.name)
	p.received += s.received()
	if s.pipeline.down() && len(p.down) < maxDown {
		p.down[s.name] = struct{}{}
	}
	p.retired.Go(s.join)
	return true
}

// all returns the streams that there are.
func (p *Producer) all() []*stream {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return slices.Collect(maps.Values(p.streams))
}

// post leaves something for the loop of every stream.
func (p *Producer) post(write func(*inbox)) {
	for _, s := range p.all() {
		s.post(write)
	}
}

// wake makes every stream look again at who is blocked.
func (p *Producer) wake() { p.post(func(*inbox) {}) }

// cancel makes every stream drop what its callers have given up on.
func (p *Producer) cancel() { p.post(func(i *inbox) { i.cancel = true }) }
