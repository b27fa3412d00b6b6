package kpl

import "sync"

// delivery hands Results to those who put the records, in the order the pipeline came to them. It has a goroutine of its
// own, so that a slow callback holds up nothing but other Results of the stream.
type delivery struct {
	producer *Producer
	stream   string
	wakeUp   chan struct{}

	mu      sync.Mutex
	pending []finishedRecord
	closed  bool
}

func newDelivery(p *Producer, stream string) *delivery {
	return &delivery{producer: p, stream: stream, wakeUp: make(chan struct{}, 1)}
}

// add takes over a copy of what finished.
func (d *delivery) add(finished []finishedRecord) {
	if len(finished) == 0 {
		return
	}
	d.mu.Lock()
	d.pending = append(d.pending, finished...)
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
	var batch []finishedRecord
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
			d.deliver(batch)
		}
	}
}

// deliver hands over a batch of Results. A record's room is given back before its owner hears of it, so that the owner
// may put the next one.
func (d *delivery) deliver(batch []finishedRecord) {
	records, bytes := 0, 0
	for _, f := range batch {
		if f.record != nil {
			records++
			bytes += f.record.size()
		}
	}
	if records > 0 {
		d.producer.admission.leave(records, bytes)
	}
	for _, f := range batch {
		switch r := f.record; {
		case r == nil:
			if f.flushed != nil {
				close(f.flushed)
			}
		default:
			d.producer.config.Observer.RecordFinished(d.stream, FinishedRecord{
				Result: f.result, Bytes: len(r.data), Received: r.received, Finished: f.at,
			})
			if r.done != nil {
				r.done(f.result)
			}
			if r.batch != nil {
				r.batch.deliver(r.index, f.result)
			}
		}
	}
}
