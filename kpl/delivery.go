package kpl

import "sync"

// delivery hands Results to those who put the records, in the order the pipeline came to them. It has a goroutine of
// its own, so that a slow callback holds up nothing but other Results of the stream.
type delivery struct {
	producer *Producer
	stream   string
	wakeUp   chan struct{}

	mu      sync.Mutex
	pending []ending
	closed  bool
}

func newDelivery(p *Producer, stream string) *delivery {
	return &delivery{producer: p, stream: stream, wakeUp: make(chan struct{}, 1)}
}

// add takes over a copy of what ended.
func (d *delivery) add(ended []ending) {
	if len(ended) == 0 {
		return
	}
	d.mu.Lock()
	d.pending = append(d.pending, ended...)
	d.mu.Unlock()
	d.wake()
}

// close makes run end once everything added is delivered.
func (d *delivery) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.wake()
}

func (d *delivery) wake() {
	select {
	case d.wakeUp <- struct{}{}:
	default:
	}
}

// run delivers until close.
func (d *delivery) run() {
	var batch []ending
	for range d.wakeUp {
		for {
			clear(batch)
			d.mu.Lock()
			batch, d.pending = d.pending, batch[:0]
			closed := d.closed
			d.mu.Unlock()
			if len(batch) == 0 && closed {
				return
			}
			if len(batch) == 0 {
				break
			}
			for i := range batch {
				d.deliver(&batch[i])
			}
		}
	}
}

// deliver hands over Results. The room of records is given back before their owners hear of it, so that these may put
// the next ones.
func (d *delivery) deliver(e *ending) {
	if e.flushed != nil {
		close(e.flushed)
	}
	if len(e.members) == 0 {
		return
	}
	if e.outcome == OutcomeSuccess {
		d.producer.delivered.Add(int64(len(e.members)))
		addAttempt(e.members, e.stored)
	}
	bytes := 0
	for i := range e.members {
		r := &e.members[i]
		bytes += r.size()
	}
	d.producer.admission.leave(len(e.members), bytes)
	for i := range e.members {
		r := &e.members[i]
		result := r.result(e)
		d.producer.config.Observer.RecordFinished(d.stream, FinishedRecord{
			Result: result, Bytes: len(r.data), Received: r.received, Finished: e.at,
		})
		if r.done != nil {
			r.done(result)
		}
		if r.batch != nil {
			r.batch.deliver(int(r.index), result)
		}
	}
	d.producer.members.put(e.members)
}
