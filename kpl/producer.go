package kpl

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/wire"
)

// Producer sends user records to Kinesis streams. One producer serves any number of streams and callers; make one and
// keep it for the life of the program. All methods are safe for concurrent use.
type Producer struct {
	client    Client
	config    Config
	admission admission
	filling   atomic.Int64 // batches that are being put and not yet waited for
	delivered atomic.Int64 // records
	buffers   freeBuffers
	encoding  *wire.Encoding
	members   memberPool

	mu      sync.RWMutex // guards the fields below; a record is handed to its stream under it
	streams map[string]*stream
	closed  bool
}

// New returns a running producer, or an error if config is not valid. Close it to release what it holds.
func New(client Client, config Config) (*Producer, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if config.Observer == nil {
		config.Observer = NopObserver{}
	}
	p := &Producer{
		client: client, config: config, streams: map[string]*stream{},
		encoding: wire.NewEncoding(config.WireProtocol == WireAuto, unrelatedToEncoding),
	}
	p.admission.maxRecords, p.admission.maxBytes = config.MaxOutstandingRecords, config.MaxOutstandingBytes
	p.admission.onBlock = p.wake
	return p, nil
}

// Put accepts one record and returns; done is called with its Result later, exactly once, from a goroutine of the
// producer. done must return soon and must not wait for the producer (not Put, Flush or Close); it may be nil.
//
// Put blocks while the producer is full, until ctx ends. It returns an error, and done is never called, if the record
// was not accepted: ctx's error, [ErrClosed], or one that wraps [ErrInvalidRecord] or [ErrRecordTooLarge].
func (p *Producer) Put(ctx context.Context, record UserRecord, done func(Result)) error {
	r, err := newUserRecord(&record, p.config.MaxRecordSize)
	if err != nil {
		return err
	}
	r.done = done
	return p.put(ctx, record.Stream, &r)
}

// PutWait puts one record and waits for its Result. The error is that of Put, or ctx's if ctx ends first: the record
// is then still on its way and may well be stored. A record that failed is no error here: see Result.Err.
func (p *Producer) PutWait(ctx context.Context, record UserRecord) (Result, error) {
	results := make(chan Result, 1)
	if err := p.Put(ctx, record, func(result Result) { results <- result }); err != nil {
		return Result{}, err
	}
	select {
	case result := <-results:
		return result, nil
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// put admits r and hands it to its stream.
func (p *Producer) put(ctx context.Context, name string, r *userRecord) error {
	if err := p.admission.enter(ctx, r.size()); err != nil {
		return err
	}
	err := p.hand(name, r)
	if err == errNotOpen { //nolint:errorlint // it is never wrapped
		p.open(name)
		err = p.hand(name, r)
	}
	if err != nil {
		p.admission.leave(1, r.size())
	}
	return err
}

// errNotOpen says that a stream has no pipeline yet.
var errNotOpen = errors.New("kpl: the stream's pipeline does not run")

// hand gives r to the loop of its stream. The error is ErrClosed or errNotOpen.
func (p *Producer) hand(name string, r *userRecord) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return ErrClosed
	}
	s := p.streams[name]
	if s == nil {
		return errNotOpen
	}
	s.put(r)
	return nil
}

// open starts the pipeline of a stream, unless it runs or the producer is closed.
func (p *Producer) open(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.streams[name] == nil && !p.closed {
		p.streams[name] = startStream(p, name, rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))) //nolint:gosec // jitter
	}
}

// Flush sends what is buffered without waiting for more, and returns once every record put before the call has its
// Result, or with ctx's error.
func (p *Producer) Flush(ctx context.Context) error {
	streams := p.all()
	flushed := make([]chan struct{}, len(streams))
	for i, s := range streams {
		flushed[i] = make(chan struct{})
		s.post(func(m *mail) { m.flushes = append(m.flushes, flushed[i]) })
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

// Close stops accepting records, sends what is buffered and waits for all Results. When ctx ends first it fails the
// rest with [OutcomeClosed] and returns ctx's error. Either way every record has its Result and every goroutine of
// the producer has ended when Close returns. Further calls do nothing and return nil.
func (p *Producer) Close(ctx context.Context) error {
	p.mu.Lock()
	closed := p.closed
	p.closed = true
	p.mu.Unlock()
	if closed {
		return nil
	}
	p.admission.close()
	streams := p.all()
	for _, s := range streams {
		s.post(func(m *mail) { m.drain = true })
	}
	var err error
	for _, s := range streams {
		select {
		case <-s.drained:
		case <-ctx.Done():
			err = ctx.Err()
			s.abort()
		}
	}
	for _, s := range streams {
		s.join()
	}
	return err
}

// Stats returns a snapshot of the producer's counts.
func (p *Producer) Stats() Stats {
	stats := p.admission.stats()
	stats.RecordsDelivered = p.delivered.Load()
	return stats
}

// all returns the streams that there are.
func (p *Producer) all() []*stream {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return slices.Collect(maps.Values(p.streams))
}

// post tells every stream something.
func (p *Producer) post(news func(*mail)) {
	for _, s := range p.all() {
		s.post(news)
	}
}

// wake makes every stream look again at who waits for what.
func (p *Producer) wake() { p.post(func(*mail) {}) }

// commit makes every stream send what it has.
func (p *Producer) commit() { p.post(func(m *mail) { m.commit = true }) }

// cancel makes every stream drop what its callers have given up on.
func (p *Producer) cancel() { p.post(func(m *mail) { m.cancel = true }) }

// callers says who puts and who waits.
func (p *Producer) callers() callers {
	return callers{filling: p.filling.Load() > 0, blocked: p.admission.blocked.Load() > 0}
}
