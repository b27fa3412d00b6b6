package kpl

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"
)

// stream runs the pipeline of one stream. Its loop goroutine owns the pipeline; everybody else leaves mail for it.
// The other goroutines are the sender's workers, the refresher of the shard map, the one that asks what kind of
// stream it is, and the one that delivers Results.
type stream struct {
	producer *Producer
	name     string
	pipeline *pipeline
	sender   *sender
	delivery *delivery
	refresh  chan struct{} // a wish for a new shard map
	describe chan struct{} // a wish to know what kind of stream it is
	wakeUp   chan struct{}

	mu   sync.Mutex
	mail mail // guarded by mu

	drained  chan struct{} // closed when the loop has ended
	ended    chan struct{} // closed when every goroutine has, and every Result is delivered
	cancel   context.CancelFunc
	joinable sync.WaitGroup
}

// mail is what the loop has not been told yet.
type mail struct {
	records   [][]userRecord // of mailSheet each, but for the last
	received  time.Time      // when the first record of the last sheet came
	completed []*request
	shards    []streamNews
	flushes   []chan<- struct{}
	commit    bool
	cancel    bool
	drain     bool
	abort     bool
}

// startStream starts the goroutines of a stream. Close them with drain mail, and abort or patience; then join.
func startStream(p *Producer, name string, random *rand.Rand) *stream {
	ctx, cancel := context.WithCancel(context.Background())
	s := &stream{
		producer: p,
		name:     name,
		pipeline: newPipeline(&p.config, random, &p.members),
		delivery: p.newDelivery(name),
		refresh:  make(chan struct{}, 1),
		describe: make(chan struct{}, 1),
		wakeUp:   make(chan struct{}, 1),
		drained:  make(chan struct{}),
		ended:    make(chan struct{}),
		cancel:   cancel,
	}
	s.sender = p.newSender(ctx, name, s.complete)
	refresher := refresher{
		client:  p.client,
		name:    name,
		timeout: p.config.RequestTimeout,
		random:  rand.New(rand.NewPCG(random.Uint64(), random.Uint64())), //nolint:gosec // jitter
		publish: func(news streamNews) { s.post(func(m *mail) { m.shards = append(m.shards, news) }) },
	}
	describer := describer{client: p.client, name: name, timeout: p.config.RequestTimeout, publish: refresher.publish}
	s.refresh <- struct{}{}
	s.joinable.Go(s.loop)
	s.joinable.Go(s.delivery.run)
	s.joinable.Go(func() { refresher.run(ctx, s.refresh) })
	s.joinable.Go(func() { describer.run(ctx, s.describe) })
	return s
}

// newSender returns the sender of a stream, which has no worker yet.
func (p *Producer) newSender(ctx context.Context, stream string, complete func(*request)) *sender {
	return &sender{
		ctx: ctx, client: p.client, config: &p.config, buffers: &p.buffers, encoding: p.encoding, stream: stream,
		complete: complete,
		queue:    make(chan *request, p.config.MaxConnections),
		busy:     make(chan struct{}, p.config.MaxConnections),
	}
}

// newDelivery returns the delivery of a stream, whose goroutine does not run yet.
func (p *Producer) newDelivery(stream string) *delivery {
	return &delivery{
		admission: &p.admission, delivered: &p.delivered, observer: p.config.Observer, members: &p.members,
		stream: stream, wakeUp: make(chan struct{}, 1),
	}
}

// abort makes the loop fail all records that are not stored, calls in flight included, and end.
func (s *stream) abort() {
	s.post(func(m *mail) { m.abort = true })
	s.cancel()
}

// join waits until all goroutines have ended, which they do after the loop has.
func (s *stream) join() {
	<-s.drained
	s.cancel()
	s.sender.close()
	s.delivery.close()
	s.joinable.Wait()
	close(s.ended)
}

// post leaves news for the loop and wakes it.
func (s *stream) post(news func(*mail)) {
	s.mu.Lock()
	news(&s.mail)
	s.mu.Unlock()
	s.wake()
}

// mailSheet is how many records share a list of the mail. A caller that has filled sheetsAhead of them lets the loop take
// them: what piles up further is not in the processor's caches any more when the loop gets to it. With fewer, the loops of
// many streams would take turns for a few records each.
const (
	mailSheet   = 128
	sheetsAhead = 4
)

// put leaves a copy of a record for the loop.
func (s *stream) put(r *userRecord) {
	s.mu.Lock()
	sheets := s.mail.records
	first := len(sheets) == 0
	if first || len(sheets[len(sheets)-1]) == mailSheet {
		sheets = append(sheets, s.producer.members.get(mailSheet))
		s.mail.records, s.mail.received = sheets, time.Now()
	}
	r.received = s.mail.received // the loop is about to run: it is not worth another look at the clock
	last := &sheets[len(sheets)-1]
	*last = append(*last, *r)
	ahead := len(*last) == mailSheet && len(sheets)%sheetsAhead == 0
	s.mu.Unlock()
	if first { // who came before has woken the loop
		s.wake()
	}
	if ahead {
		runtime.Gosched()
	}
}

func (s *stream) wake() {
	select {
	case s.wakeUp <- struct{}{}:
	default:
	}
}

// complete leaves a request for the loop that a sender is done with.
func (s *stream) complete(r *request) {
	s.post(func(m *mail) { m.completed = append(m.completed, r) })
}

// loop owns the pipeline. It ends when it drains and no record is left.
func (s *stream) loop() {
	defer close(s.drained)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var news mail
	for {
		select {
		case <-s.wakeUp:
		case <-timer.C:
		}
		news = s.takeMail(news)
		now := time.Now()
		s.tell(now, &news)
		for _, r := range s.pipeline.step(now, s.producer.callers()) {
			s.sender.send(r)
		}
		s.carryOut()
		if s.pipeline.done() {
			return
		}
		if next, ok := s.pipeline.nextWake(now); ok {
			timer.Reset(max(time.Until(next), time.Nanosecond))
		} else {
			timer.Stop()
		}
	}
}

// takeMail returns the mail, and leaves the emptied slices of used for the next.
func (s *stream) takeMail(used mail) mail {
	clear(used.records)
	clear(used.completed)
	empty := mail{records: used.records[:0], completed: used.completed[:0]}
	s.mu.Lock()
	defer s.mu.Unlock()
	news := s.mail
	s.mail = empty
	return news
}

// tell tells the pipeline what happened.
func (s *stream) tell(now time.Time, news *mail) {
	p := s.pipeline
	for _, n := range news.shards {
		if n.kind != nil {
			p.setStream(now, *n.kind)
			continue
		}
		if n.err != nil {
			p.shardsFailed(now, n.err)
			s.producer.config.Observer.ShardMapRefreshed(s.name, 0, n.err)
			continue
		}
		p.setShards(now, n.shards)
		s.producer.config.Observer.ShardMapRefreshed(s.name, len(n.shards.open), nil)
	}
	for _, sheet := range news.records {
		hashKeys(sheet)
		p.putAll(now, sheet)
		s.producer.members.put(sheet)
	}
	for _, r := range news.completed {
		p.complete(now, r)
	}
	if news.cancel {
		p.cancel(now)
	}
	if news.commit {
		p.commit(now, FlushCommit)
	}
	for _, done := range news.flushes {
		p.flush(now, done)
	}
	if news.drain {
		p.drain(now)
	}
	if news.abort {
		p.abort(now)
	}
}

// carryOut does what the pipeline wants done.
func (s *stream) carryOut() {
	e := &s.pipeline.effects
	listing, description := s.pipeline.topology.takeRequests()
	wish(&listing, s.refresh)
	wish(&description, s.describe)
	for _, f := range e.flushed {
		s.producer.config.Observer.Flushed(s.name, f.stage, f.reason)
	}
	for _, entry := range e.misplaced {
		s.producer.config.Observer.Misplaced(s.name, entry)
	}
	for _, d := range e.distribution {
		s.producer.config.Observer.DistributionChanged(s.name, d.automatic, !d.described)
	}
	for _, err := range e.availability {
		s.producer.config.Observer.AvailabilityChanged(s.name, err)
	}
	s.delivery.add(e.ended)
	e.reset()
}

// wish passes a wish on, unless there is one already.
func wish(wanted *bool, wishes chan<- struct{}) {
	if !*wanted {
		return
	}
	*wanted = false
	select {
	case wishes <- struct{}{}:
	default:
	}
}
