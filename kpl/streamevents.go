// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

// report tells the observer what the pipeline of a stream did.
func (e *effects) report(observer *Observer, stream string) {
	for _, f := range e.flushed {
		notify(observer.Flushed, FlushEvent{stream, f.stage, f.reason})
	}
	for _, entry := range e.misplaced {
		notify(observer.Misplaced, MisplacedEvent{stream, entry})
	}
	for _, kind := range e.distribution {
		notify(observer.DistributionChanged, kind.event(stream))
	}
	for _, err := range e.availability {
		notify(observer.AvailabilityChanged, AvailabilityEvent{stream, err})
	}
}

// event is what a description that the service gave tells the observer.
func (d *description) event(stream string) DescriptionEvent {
	return DescriptionEvent{
		Stream:        stream,
		Distribution:  d.kind.distribution(),
		MaxRecordSize: d.kind.maxRecordSize,
		Channels:      d.channels,
	}
}

// event says who chooses the shards.
func (k streamKind) event(stream string) DistributionEvent {
	event := DistributionEvent{Stream: stream, Distribution: k.distribution(), Source: SourcePlacement}
	if k.described {
		event.Source = SourceDescription
	}
	return event
}

// distribution is who chooses the shards.
func (k streamKind) distribution() Distribution {
	if k.automatic {
		return DistributionAutomatic
	}
	return DistributionByKey
}
