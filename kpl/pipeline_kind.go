package kpl

import "time"

// setStream takes in what kind of stream it is; or, the first time, that nobody tells.
func (p *pipeline) setStream(now time.Time, info streamInfo) {
	first := !p.asked
	p.asked = true
	if info.described && p.info != info {
		p.learn(now, info)
	} else if first && !p.reconsiderKind(now, false) {
		p.judgeAgain(now)
	}
}

// learn makes everything that is not in flight fit what is now known of the stream.
func (p *pipeline) learn(now time.Time, info streamInfo) {
	if p.info.automatic != info.automatic {
		p.effects.distribution = append(p.effects.distribution, info)
	}
	p.info = info
	p.aggregator.enabled = !p.config.DisableAggregation && !info.automatic
	p.setShards(now, p.listed)
	p.reconsider(now, func(k *kinesisRecord) bool { return !info.automatic || !k.aggregated() })
	p.addAll(now, p.aggregator.takeAll())
}

// reconsiderKind learns what a listing says about the kind of stream, together with where records were stored. It reports
// whether that is news. A stream that may have been made anew may be of another kind; until somebody says so, what was told
// of the old one is the best guess.
func (p *pipeline) reconsiderKind(now time.Time, anew bool) bool {
	info := p.info
	switch {
	case anew && info != (streamInfo{}):
		info = streamInfo{automatic: info.automatic && info.described}
	case p.asked && p.provenAutomatic() && !info.automatic:
		info.automatic, info.described = true, false
		p.effects.wantStream = true // should it be allowed by now
	default:
		return false
	}
	p.learn(now, info)
	return true
}

// provenAutomatic reports whether the service chooses shards itself: a record went to a shard that was listed before it
// was sent and after it was stored, the same shard, which does not serve its key. No reshard explains that, because the
// range of a shard never changes; nor does a stream that was made anew, whose shards have other first sequence numbers.
func (p *pipeline) provenAutomatic() bool {
	s := p.stray
	if s == nil || !p.listed.known() || !p.listed.listed.After(s.attempt.End) {
		return false
	}
	p.stray = nil
	found := p.listed.byID[s.attempt.ShardID]
	return !found.since.IsZero() && !found.since.After(s.attempt.Start) && !found.keys.contains(s.hash)
}

// tooLarge reports whether the stream takes no record as large as r.
func (p *pipeline) tooLarge(r *userRecord) bool {
	return p.info.maxRecordSize > 0 && r.size() > p.info.maxRecordSize
}
