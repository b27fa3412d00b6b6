package kpl

import "time"

// flush commits, and closes done, unless that is nil, once everything that was put before has its Result.
func (p *pipeline) flush(now time.Time, done chan<- struct{}) {
	p.commit(now, FlushRequest)
	for _, group := range p.retries {
		for i := range group.members {
			group.members[i].due = true
		}
	}
	if done != nil {
		p.epochs.next(done)
	}
}

// endEpochs tells the callers of FlushWait whose records are all done.
func (p *pipeline) endEpochs() {
	for flushed, ok := p.epochs.done(); ok; flushed, ok = p.epochs.done() {
		p.effects.ended = append(p.effects.ended, ending{flushed: flushed})
	}
}
