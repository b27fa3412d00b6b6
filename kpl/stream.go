// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// StreamIdleTime is how long the producer keeps the goroutines of a stream, and what it has learned about the stream, after
// the last record had its Result.
const StreamIdleTime = 5 * time.Minute

// stream runs the pipeline of one stream. Its loop goroutine owns the pipeline; everybody else leaves things in its inbox.
// The other goroutines are the workers of the sender and of the compressor, the refresher of the shard map, the one that asks
// what kind of stream it is, and the one that delivers Results.
type stream struct {
	shared     *shared
	retire     func(*stream) bool // makes the producer forget an idle stream; false if something has come for it
	name       string
	pipeline   *pipeline
	sender     *sender
	compressor *compressor
	delivery   *delivery
	refresh    chan struct{} // requests for a new shard map
	describe   chan struct{} // requests for a description of the stream
	resumed    chan struct{} // has a token when records came for a stream without any
	wakeUp     chan struct{}

	mu       sync.Mutex
	inbox    inbox // guarded by mu
	accepted int64 // records that were ever put into the inbox; guarded by mu

	batches batches // that are being put

	listing atomic.Pointer[shardMap] // what the pipeline goes by; set by the loop

	busy       atomic.Bool // some record has no Result yet; set by the loop
	idleSince  time.Time   // when the last record had its Result; owned by the loop
	unlistable bool        // the last listing failed; owned by the loop

	drained  chan struct{} // closed when the loop has ended
	ended    chan struct{} // closed when every goroutine has, and every Result is delivered
	joining  atomic.Bool   // somebody joins already
	cancel   context.CancelFunc
	joinable sync.WaitGroup
}

// startStream starts the goroutines of a stream. With down, the stream accepted no records when it was last used. To stop it,
// post drain, abort it if it takes too long, then join.
func startStream(
	shared *shared, name string, down bool, retire func(*stream) bool, random *rand.Rand,
) *stream {
	ctx, cancel := context.WithCancel(context.Background())
	s := &stream{
		shared:    shared,
		retire:    retire,
		name:      name,
		pipeline:  newPipeline(&shared.config, random, &shared.members),
		delivery:  newDelivery(shared, name),
		refresh:   make(chan struct{}, 1),
		describe:  make(chan struct{}, 1),
		resumed:   make(chan struct{}, 1),
		wakeUp:    make(chan struct{}, 1),
		idleSince: time.Now(),
		drained:   make(chan struct{}),
		ended:     make(chan struct{}),
		cancel:    cancel,
	}
	if down {
		s.pipeline.startDown()
	}
	s.sender = newSender(ctx, shared, name, s.complete)
	s.compressor = newCompressor(ctx, shared, s.compressed)
	refresher := refresher{
		client:  shared.client,
		name:    name,
		timeout: shared.config.RequestTimeout,
		random:  rand.New(rand.NewPCG(random.Uint64(), random.Uint64())), //nolint:gosec // jitter
		publish: func(news streamNews) { s.post(func(i *inbox) { i.news = append(i.news, news) }) },
		busy:    &s.busy,
		resumed: s.resumed,
	}
	describer := describer{
		client: shared.client, name: name, timeout: shared.config.RequestTimeout, publish: refresher.publish,
		random: rand.New(rand.NewPCG(random.Uint64(), random.Uint64())), //nolint:gosec // jitter
	}
	s.refresh <- struct{}{}
	// The first turn of the loop sets its timer. A timer that is due at once would do the same, but the race detector of Go 1.26 can
	// crash on one in a test with virtual time.
	s.wake()
	s.joinable.Go(s.loop)
	s.joinable.Go(s.delivery.run)
	s.joinable.Go(func() { refresher.run(ctx, s.refresh) })
	s.joinable.Go(func() { describer.run(ctx, s.describe) })
	return s
}

// drains waits until the loop has ended. It reports false if ctx ends first.
func (s *stream) drains(ctx context.Context) bool {
	select {
	case <-s.drained:
		return true
	default:
	}
	select {
	case <-s.drained:
		return true
	case <-ctx.Done():
		return false
	}
}

// abort makes the loop fail all records that are not stored, calls in flight included, and end.
func (s *stream) abort() {
	s.post(func(i *inbox) { i.abort = true })
	s.cancel()
}

// join waits until all goroutines have ended, which they do after the loop has.
func (s *stream) join() {
	if s.joining.CompareAndSwap(false, true) {
		<-s.drained
		s.cancel()
		s.sender.close()
		s.compressor.wait()
		s.delivery.close()
		s.joinable.Wait()
		close(s.ended)
	}
	<-s.ended
}

// loop owns the pipeline. It ends when no record is left and the stream drains, or has been idle for StreamIdleTime.
func (s *stream) loop() {
	defer close(s.drained)
	timer := time.NewTimer(StreamIdleTime)
	defer timer.Stop()
	var in inbox
	for {
		select {
		case <-s.wakeUp:
		case <-timer.C:
		}
		in = s.take(in)
		now := time.Now()
		s.apply(now, &in)
		for _, r := range s.pipeline.step(now, s.callers()) {
			s.sender.send(r)
		}
		if s.pipeline.early.heldBack && !s.batches.hold() {
			s.wake()
		}
		s.publishListing()
		s.answer(now, in.asked)
		s.noteIdle(now, len(in.records) > 0)
		s.carryOut()
		if s.mayEnd(now) {
			return
		}
		if next, ok := s.nextWake(now); ok {
			timer.Reset(max(time.Until(next), time.Nanosecond))
		} else {
			timer.Stop()
		}
	}
}

// publishListing lets ShardOf see the shards that the pipeline goes by.
func (s *stream) publishListing() {
	if shards := s.pipeline.router.shards; shards != s.listing.Load() {
		s.listing.Store(shards)
	}
}

// callers says who puts and who waits.
func (s *stream) callers() callers {
	return callers{filling: s.batches.any(), blocked: s.shared.admission.blocked.Load() > 0}
}

// filled notes that a batch is complete.
func (s *stream) filled() {
	if s.batches.end() {
		s.wake()
	}
}

// idle reports whether the pipeline has nothing to do until something comes.
func (s *stream) idle() bool { return s.pipeline.idle() }

// noteIdle notes whether the stream has records now, and when it had the last. More says that some came in this turn.
func (s *stream) noteIdle(now time.Time, more bool) {
	idle := s.idle()
	if !idle || more || s.busy.Load() {
		s.idleSince = now
	}
	if s.busy.Swap(!idle) || idle {
		return
	}
	select {
	case s.resumed <- struct{}{}:
	default:
	}
}

// mayEnd reports whether the loop is to end. A stream that has been idle is no longer the producer's then.
func (s *stream) mayEnd(now time.Time) bool {
	if !s.idle() {
		return false
	}
	if s.pipeline.draining {
		return true
	}
	if now.Sub(s.idleSince) < StreamIdleTime {
		return false
	}
	if s.retire(s) {
		notify(s.shared.config.Observer.StreamClosed, StreamEvent{s.name})
		return true
	}
	s.idleSince = now
	return false
}

// nextWake is when the loop has something to do if nothing comes before; false if never.
func (s *stream) nextWake(now time.Time) (time.Time, bool) {
	next, ok := s.pipeline.nextWake(now)
	if end := s.idleSince.Add(StreamIdleTime); s.idle() && (!ok || end.Before(next)) {
		return end, true
	}
	return next, ok
}

// apply tells the pipeline what has happened.
func (s *stream) apply(now time.Time, in *inbox) {
	p := s.pipeline
	for _, news := range in.news {
		s.applyNews(now, &news)
	}
	for _, block := range in.records {
		hashKeys(block)
		p.putAll(now, block)
		s.shared.members.put(block)
	}
	for _, k := range in.compressed {
		p.compressed(now, k)
	}
	for _, r := range in.completed {
		p.complete(now, r)
	}
	if in.cancel {
		p.cancel(now)
	}
	if in.flush {
		p.flush(now, nil)
	}
	for _, done := range in.flushed {
		p.flush(now, done)
	}
	if in.drain {
		p.drain(now)
	}
	if in.abort {
		p.abort(now)
	}
}

// applyNews tells the pipeline and the observer what was listed or described.
func (s *stream) applyNews(now time.Time, news *streamNews) {
	if news.description != nil {
		s.pipeline.setStream(now, *news.description)
		if news.description.outcome == describeDone {
			notify(s.shared.config.Observer.StreamDescribed, news.description.event(s.name))
		}
		return
	}
	event := ListingEvent{Stream: s.name, Err: news.err}
	s.unlistable = news.err != nil
	if s.unlistable {
		s.pipeline.shardsFailed(now, news.err)
	} else if event.Err = s.pipeline.setShards(now, news.shards); event.Err == nil {
		event.OpenShards = len(news.shards.open)
	}
	notify(s.shared.config.Observer.ShardsListed, event)
}

// carryOut does what the pipeline has asked for. If the shards of an idle stream cannot be listed, the next listing waits
// until a record comes.
func (s *stream) carryOut() {
	e := &s.pipeline.effects
	listing, description := s.pipeline.topology.takeRequests()
	forward(listing && (!s.unlistable || !s.idle()), s.refresh)
	forward(description, s.describe)
	e.report(&s.shared.config.Observer, s.name)
	s.delivery.add(e.ended)
	s.compressor.add(e.toCompress)
	e.reset()
}

// forward passes a request on, unless one waits already.
func forward(wanted bool, requests chan<- struct{}) {
	if !wanted {
		return
	}
	select {
	case requests <- struct{}{}:
	default:
	}
}
