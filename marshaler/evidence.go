// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// evidence is what one item says about one signal.
type evidence uint8

const (
	excluded  evidence = iota // the item cannot be of the signal
	plausible                 // the item can be of the signal, and perhaps of another
	shown                     // the item can be of the signal, and has fields that only this signal has
)

// Lengths of identifiers in OTLP, in bytes. An identifier that is not set is left out or empty.
const (
	traceIDLength = 16
	spanIDLength  = 8
)

// is reports whether the field has the wire type.
func (f field) is(kind protowire.Type) bool { return f.kind == kind }

func (f field) isBytes() bool { return f.is(protowire.BytesType) }

// isID reports whether the field can be an identifier of that length.
func (f field) isID(length int) bool {
	return f.isBytes() && (f.end == f.start || f.end-f.start == length)
}

// judgeLog says whether the item can be a LogRecord. Unknown field numbers are accepted, because later versions of OTLP may have
// them.
func judgeLog(item []byte) evidence {
	var distinct, traceID, spanID bool
	ok := eachField(item, func(f field) bool {
		switch f.number {
		case 1, 11: // time, observed time
			distinct = true
			return f.is(protowire.Fixed64Type)
		case 2: // severity number
			distinct = true
			return f.is(protowire.VarintType)
		case 3, 12: // severity text, event name
			return f.isBytes()
		case 5: // body
			return f.isBytes() && isAnyValue(item[f.start:f.end])
		case 6: // attributes
			distinct = true
			return f.isBytes()
		case 7: // dropped attributes
			return f.is(protowire.VarintType)
		case 8: // flags
			distinct = true
			return f.is(protowire.Fixed32Type)
		case 9:
			traceID = true
			return f.isID(traceIDLength)
		case 10:
			spanID = true
			return f.isID(spanIDLength)
		}
		return true
	})
	return weigh(ok, distinct || traceID && spanID)
}

// judgeSpan says whether the item can be a Span.
func judgeSpan(item []byte) evidence {
	var distinct, traceID, spanID bool
	ok := eachField(item, func(f field) bool {
		switch f.number {
		case 1:
			traceID = f.end > f.start
			return f.isID(traceIDLength)
		case 2:
			spanID = f.end > f.start
			return f.isID(spanIDLength)
		case 3, 11, 13: // trace state, events, links
			return f.isBytes()
		case 4: // parent span
			distinct = true
			return f.isID(spanIDLength)
		case 5: // name; if it can be read as data points, it is the gauge of a metric
			name := item[f.start:f.end]
			return f.isBytes() && utf8.Valid(name) && countPoints(name) <= 0
		case 6: // kind
			distinct = true
			return f.is(protowire.VarintType)
		case 7, 8: // start and end time
			distinct = true
			return f.is(protowire.Fixed64Type)
		case 9: // attributes
			return f.isBytes()
		case 10, 12, 14: // dropped attributes, events, links
			return f.is(protowire.VarintType)
		case 15: // status
			distinct = true
			return f.isBytes()
		case 16: // flags
			distinct = true
			return f.is(protowire.Fixed32Type)
		}
		return true
	})
	return weigh(ok, distinct || traceID && spanID)
}

// judgeMetric says whether the item can be a Metric.
func judgeMetric(item []byte) evidence {
	var named bool
	var data, points int
	ok := eachField(item, func(f field) bool {
		content := item[f.start:f.end]
		switch f.number {
		case 1, 2, 3: // name, description, unit
			named = named || f.number == 1 && len(content) > 0
			return f.isBytes() && utf8.Valid(content)
		case 5, 7, 9, 10, 11: // gauge, sum, histogram, exponential histogram, summary: one of them
			data++
			points = countPoints(content)
			return f.isBytes() && data == 1 && points >= 0
		case 12: // metadata
			return f.isBytes()
		}
		return true
	})
	return weigh(ok, named && points > 0)
}

// weigh returns the evidence of an item: whether it is valid for the signal, and whether it has fields that only this signal
// has.
func weigh(ok, distinct bool) evidence {
	switch {
	case !ok:
		return excluded
	case distinct:
		return shown
	}
	return plausible
}

// isAnyValue reports whether the content can be that of an AnyValue, which has at most one field.
func isAnyValue(content []byte) bool {
	count := 0
	return eachField(content, func(f field) bool {
		count++
		switch f.number {
		case 1, 5, 6, 7: // string, array, key-value list, bytes
			return count == 1 && f.isBytes()
		case 2, 3: // bool, int
			return count == 1 && f.is(protowire.VarintType)
		case 4: // double
			return count == 1 && f.is(protowire.Fixed64Type)
		}
		return true
	})
}

// countPoints returns the number of data points in the content of a gauge, sum or histogram. It returns -1 if the content
// cannot be that. Unknown fields are not accepted, because then text would often be accepted too.
func countPoints(content []byte) int {
	points := 0
	ok := eachField(content, func(f field) bool {
		switch f.number {
		case 1:
			points++
			return f.isBytes() && isPoint(content[f.start:f.end])
		case 2, 3: // temporality, monotonic
			return f.is(protowire.VarintType)
		}
		return false
	})
	if !ok {
		return -1
	}
	return points
}

// isPoint reports whether the content can be that of a data point of any kind.
func isPoint(content []byte) bool {
	return eachField(content, func(f field) bool {
		switch f.number {
		case 1: // attributes of an exponential histogram's point
			return f.isBytes()
		case 2, 3, 4: // start time, time, then value or count
			return f.is(protowire.Fixed64Type)
		}
		return f.number <= 14
	})
}

// hasDictionary reports whether the data can be a request of profiles with its dictionary.
func hasDictionary(data []byte) bool {
	found := false
	return eachField(data, func(f field) bool {
		if f.number != dictionaryField {
			return true
		}
		found = true
		return f.isBytes() && eachField(data[f.start:f.end], func(f field) bool { return f.number >= int(tables) || f.isBytes() })
	}) && found
}

// isProfile reports whether the item can be a Profile.
func isProfile(item []byte) bool {
	return eachField(item, func(f field) bool {
		switch f.number {
		case 1, 2, 5, 9, 10: // sample type, samples, period type, original payload and its format
			return f.isBytes()
		case 3: // time
			return f.is(protowire.Fixed64Type)
		case 4, 6, 8: // duration, period, dropped attributes
			return f.is(protowire.VarintType)
		case 7:
			return f.isID(traceIDLength) // a profile id is as long
		}
		return true
	})
}
