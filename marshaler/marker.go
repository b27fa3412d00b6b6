// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "google.golang.org/protobuf/encoding/protowire"

// markerField is the number of the field that says which signal a message in protobuf has. OTLP has no such field in a request,
// so decoders skip it. See ADR 28.
const markerField = 2047

// marker returns the field that stands in front of a message of the signal. It is a varint: 1 more than the number of the signal.
func (s Signal) marker() []byte {
	field := protowire.AppendTag(nil, markerField, protowire.VarintType)
	return protowire.AppendVarint(field, uint64(s)+1)
}

// markedSignal returns the signal that a marker with the value stands for. It returns false for a signal that is not known here.
func markedSignal(value uint64) (Signal, bool) {
	if value < 1 || value > uint64(Profiles)+1 {
		return 0, false
	}
	return Signal(value - 1), true
}

// isMarker reports whether the field of a request is a marker.
func (f field) isMarker() bool { return f.number == markerField && f.kind == protowire.VarintType }

// mark writes the marker of the filler, if it has one, to the start of the buffer.
func (f *filler) mark(b *buffer) *buffer {
	copy(b.data, f.marker)
	return b
}

// marked returns a buffer with a copy of an encoded request, which has no marker, behind the marker of the filler.
func (f *filler) marked(otlp []byte) *buffer {
	b := f.mark(f.buffers.get(len(f.marker) + len(otlp)))
	copy(b.data[len(f.marker):], otlp)
	return b
}

// hasMarker reports whether a request has a marker. The request has one for each message that it was put together from.
func hasMarker(otlp []byte) (found bool) {
	eachField(otlp, func(f field) bool {
		found = f.isMarker()
		return !found
	})
	return found
}

// detectMarked returns the signal of a request with markers. See [Detect].
func detectMarked(otlp []byte) (Signal, bool) {
	var signal Signal
	markers := 0
	agree := eachField(otlp, func(f field) bool {
		if !f.isMarker() {
			return true
		}
		value, _ := readUvarint(otlp, f.start)
		found, known := markedSignal(value)
		if markers == 0 {
			signal = found
		}
		markers++
		return known && found == signal
	})
	return signal, agree && eachItem(otlp, signal.items().canBe)
}

// canBe reports whether all fields of a message can be those of the kind, as far as their wire types say.
func (k kind) canBe(message []byte) bool {
	return eachField(message, func(f field) bool {
		return f.number > 15 || wireLayouts[k].contentOf(k, f.number, f.kind) != invalid
	})
}

// items returns the kind of what [Detect] looks at: what lies in the scopes of a request of the signal.
func (s Signal) items() kind {
	switch s {
	case Logs:
		return logRecord
	case Traces:
		return span
	case Metrics:
		return metric
	case Profiles:
		return profile
	}
	return opaque
}

// appendUnmarked appends a request without its markers to dst.
func appendUnmarked(dst, otlp []byte) []byte {
	from, pos := 0, 0
	eachField(otlp, func(f field) bool {
		if f.isMarker() {
			dst = append(dst, otlp[from:pos]...)
			from = f.end
		}
		pos = f.end
		return true
	})
	return append(dst, otlp[from:]...)
}
