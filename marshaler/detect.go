// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "google.golang.org/protobuf/encoding/protowire"

// Detect returns signal and encoding of a message. It is for readers, because user records have no headers that would say so.
//
// It returns false for data that is no OTLP request of one of the four signals. It also returns false if nothing shows the
// signal. Compressed data must be decompressed before, see [Decompress]. Data may be several messages one after the other; all
// must be of one signal.
//
// In JSON, the top-level key shows the signal. In protobuf, the marker does, see [Config.SignalMarker]. Detect returns false if
// it does not know the signal of the marker, if there are several markers that differ, or if an item has a field that no item of
// that signal can have.
//
// Without a marker, Detect looks at the fields of the items, until the signal is clear. For example, a log record with only a
// body can have the same bytes as a span with only a name, so it does not show the signal.
//
// A message that Detect accepts may still be malformed inside: Detect does not replace unmarshalling.
func Detect(data []byte) (Signal, Encoding, bool) {
	if s := jsonScanner(data); s.at(s.skipSpace(0), '{') {
		signal, ok := detectLines(s)
		return signal, OTLPJSON, ok
	}
	if hasMarker(data) {
		signal, ok := detectMarked(data)
		return signal, OTLPProto, ok
	}
	signal, ok := detectProto(data)
	return signal, OTLPProto, ok
}

// detectLines returns the signal that all objects of JSON have.
func detectLines(s jsonScanner) (signal Signal, ok bool) {
	lines := 0
	ok = s.eachObject(func(object jsonScanner) bool {
		found, ok := detectJSON(object)
		lines++
		if lines > 1 && found != signal {
			return false
		}
		signal = found
		return ok
	})
	return signal, ok
}

// detectJSON looks for the top-level key that names a signal. There must be exactly one.
func detectJSON(s jsonScanner) (signal Signal, ok bool) {
	pos := 1
	found := 0
	for first := true; ; first = false {
		next, done, ok := s.next(pos, first, '}')
		if !ok {
			return 0, false
		}
		if done {
			return signal, found == 1 && next == len(s)
		}
		key, value, ok := s.key(next)
		if !ok {
			return 0, false
		}
		for _, candidate := range []Signal{Logs, Traces, Metrics, Profiles} {
			if s.at(value, '[') && candidate.layout()[0].hasKey(key) {
				signal = candidate
				found++
			}
		}
		if pos, ok = s.skipValue(value); !ok {
			return 0, false
		}
	}
}

// detectProto concludes the signal from the items. Only a request of profiles has anything but resources: its dictionary, without
// which profiles mean nothing.
func detectProto(data []byte) (Signal, bool) {
	if hasDictionary(data) {
		return Profiles, eachItem(data, isProfile)
	}
	c := candidates{possible: [...]bool{Logs: true, Traces: true, Metrics: true, Profiles: false}}
	ok := eachItem(data, c.add)
	signal, decided := c.signal()
	return signal, ok && decided
}

// eachItem walks through the containers to the items. The containers have the same fields in all signals: a request has its
// resources in field 1, and a resource or scope has its children in field 2. It calls visit for each item, until visit returns
// false. It reports whether visit always returned true and the containers are well-formed. Here a metric is an item.
func eachItem(data []byte, visit func(item []byte) bool) bool {
	return eachChild(data, 1, func(resource []byte) bool {
		return eachChild(resource, 2, func(scope []byte) bool {
			return eachChild(scope, 2, visit)
		})
	})
}

// eachChild calls visit for the content of each field with the given number, until visit returns false. It reports whether
// visit always returned true and the container is well-formed.
func eachChild(container []byte, number int, visit func(child []byte) bool) bool {
	return eachField(container, func(f field) bool {
		if f.number <= 3 && f.kind != protowire.BytesType {
			return false
		}
		return f.number != number || visit(container[f.start:f.end])
	})
}

// candidates are the signals that the items so far can be of.
type candidates struct {
	possible [signals]bool // no item excludes the signal
	shown    [signals]bool // at least one item has what only this signal has
}

// add looks at an item. It returns false if no signal is possible any more.
func (c *candidates) add(item []byte) bool {
	if c.settled() {
		return true
	}
	for signal, found := range [signals]evidence{Logs: judgeLog(item), Traces: judgeSpan(item), Metrics: judgeMetric(item)} {
		c.possible[signal] = c.possible[signal] && found != excluded
		c.shown[signal] = c.shown[signal] || found == shown
	}
	return c.possible != [signals]bool{}
}

// signal returns the only signal that is both possible and shown. It returns false if there is none or more than one.
func (c *candidates) signal() (signal Signal, ok bool) {
	count := 0
	for _, s := range []Signal{Logs, Traces, Metrics, Profiles} {
		if c.possible[s] && c.shown[s] {
			signal = s
			count++
		}
	}
	return signal, count == 1
}

// settled reports whether only one signal is possible, and this signal is shown. Then no further item can change the result.
func (c *candidates) settled() bool {
	s, ok := c.signal()
	if !ok {
		return false
	}
	only := [signals]bool{}
	only[s] = true
	return c.possible == only
}
