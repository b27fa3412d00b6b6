// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"time"

	"go.uber.org/zap"
)

const (
	// drainCheck is how often a drain looks whether waiting still gains anything.
	drainCheck = 100 * time.Millisecond
	// storagePatience is how long a drain waits for the next delivered record if a storage keeps what is left.
	storagePatience = 5 * time.Second
	// stopPause is the most time between the end of one component and the stop of the next if both belong to one stop.
	stopPause = time.Second
	// timeIsOver is why a drain ends at its deadline.
	timeIsOver = "the time for the drain is over"
)

// drain is the stop of one signal: how much there was to send, when it gives up, and what came of it.
type drain struct {
	*lifecycle
	limit     time.Duration // 0 means none
	began     time.Time     // of this signal
	deadline  time.Time     // of all signals and components that stop together; zero means none
	delivered int64         // items of the signal that were delivered before
	lost      loss          // items of the signal that were lost before

	records  int64     // that the producer had delivered at the last check
	progress time.Time // when a check found that the producer had delivered more
}

// newDrain begins a drain. The first component of a stop began at the time began.
func (l *lifecycle) newDrain(began, now time.Time) *drain {
	d := &drain{
		lifecycle: l,
		limit:     l.config.DrainTimeout,
		began:     now,
		delivered: l.session.telemetry.delivered(l.pusher.signal),
		lost:      l.lossesSoFar(),
		records:   l.session.producer.Stats().RecordsDelivered,
		progress:  now,
	}
	if d.limit > 0 {
		d.deadline = began.Add(d.limit)
	}
	return d
}

// context returns a context that ends with ctx, or at the deadline.
func (d *drain) context(ctx context.Context) (context.Context, context.CancelFunc) {
	if d.deadline.IsZero() {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, d.deadline)
}

// wait returns when the queue is drained, or when it is no use to wait any longer. It returns why it gave up, or "".
func (d *drain) wait(ctx context.Context, drained <-chan struct{}) string {
	ticker := time.NewTicker(drainCheck)
	defer ticker.Stop()
	for {
		select {
		case <-drained:
			return ""
		case <-ctx.Done():
			return timeIsOver
		case now := <-ticker.C:
			if reason := d.hopeless(now); reason != "" {
				return reason
			}
		}
	}
}

// hopeless returns why it is no use to wait any longer, or "". With a storage, this is as soon as the stream is unavailable or
// takes nothing: the next start sends what is left. Without a storage, the data has only this chance.
func (d *drain) hopeless(now time.Time) string {
	if records := d.session.producer.Stats().RecordsDelivered; records != d.records {
		d.records, d.progress = records, now
	}
	idle := now.Sub(d.progress)
	if d.config.storesQueue() {
		switch stall, down := d.session.trouble(now); {
		case down:
			return "the stream is unavailable"
		case max(stall, idle) >= storagePatience:
			return "nothing is delivered"
		}
		return ""
	}
	if idle >= d.config.Producer.RecordTTL {
		return "nothing was delivered for record_ttl"
	}
	return ""
}

// begins logs that the drain begins.
func (d *drain) begins() {
	stats := d.session.producer.Stats()
	fields := append(d.queued("queue_size"),
		zap.Int("messages", stats.OutstandingRecords), zap.Int("message_bytes", stats.OutstandingBytes),
		zap.Bool("storage", d.config.storesQueue()),
	)
	if !d.deadline.IsZero() {
		fields = append(fields, inWords("drain_timeout", d.deadline.Sub(d.began)))
	}
	d.settings.Logger.Info("Draining: what the exporter holds is sent now", fields...)
}

// ends logs what came of the drain. Reason is why it gave up, or "".
func (d *drain) ends(reason string, now time.Time) {
	fields := []zap.Field{
		zap.Int64("delivered_items", d.session.telemetry.delivered(d.pusher.signal)-d.delivered),
		inWords("took", now.Sub(d.began)),
	}
	if reason != "" {
		fields = append(fields, zap.String("gave_up", reason))
	}
	lost := d.lossesSoFar()
	items := lost.dropped - d.lost.dropped
	if d.config.storesQueue() {
		fields = append(fields, d.queued("left_in_storage")...)
	} else {
		items += lost.interrupted - d.lost.interrupted
	}
	log := d.settings.Logger
	switch {
	case items > 0:
		log.Error("Drained in part: the rest is lost", append(fields, zap.Int64("lost_items", items))...)
	case reason != "" && d.config.storesQueue():
		log.Warn("Drained in part: the rest stays in the storage until the next start", fields...)
	case d.config.storesQueue():
		log.Info("Drained: the next start sends what is left in the storage", fields...)
	case reason != "":
		log.Warn("Drained in part: the callers got errors for the rest", fields...)
	default:
		log.Info("Drained", fields...)
	}
}

// queued returns the size of the queue under a key, with its unit.
func (d *drain) queued(key string) []zap.Field {
	size, ok := d.pusher.view.queueSize()
	if !ok {
		return nil
	}
	return []zap.Field{zap.Int64(key, size), zap.String("queue_unit", d.config.queueUnit())}
}

// lossesSoFar returns the items of the signal that were given up since the start.
func (l *lifecycle) lossesSoFar() loss {
	lost := l.pusher.view.losses()
	lost.dropped += l.session.telemetry.lostLater(l.pusher.signal)
	return lost
}

// storesQueue reports whether the queue keeps on disk what a stop leaves. exporterhelper does that only if it also retries.
func (c *Config) storesQueue() bool {
	return c.Retry.Enabled && c.storesRequests()
}

// queueUnit returns the unit in which the size of the queue is measured. It returns "" if there is no queue.
func (c *Config) queueUnit() string {
	if !c.Queue.HasValue() {
		return ""
	}
	return c.Queue.Get().Sizer.String()
}

// stops knows when the present stop of a Collector began. The Collector stops its components one after the other, and the time
// for a drain is that of all of them together.
type stops struct {
	began    time.Time // of the present or last stop; zero before the first
	ended    time.Time // when the last component had stopped
	stopping int       // components that stop now
}

// begin notes that a component stops, and returns when the first component of the same stop began to.
func (s *stops) begin(now time.Time) time.Time {
	if s.stopping == 0 && (s.began.IsZero() || now.Sub(s.ended) > stopPause) {
		s.began = now
	}
	s.stopping++
	return s.began
}

// end notes that a component has stopped.
func (s *stops) end(now time.Time) {
	s.stopping--
	s.ended = now
}

// restart notes that a component starts, so that the next stop is a new one.
func (s *stops) restart() {
	if s.stopping == 0 {
		s.began = time.Time{}
	}
}
