package marshaler

import "google.golang.org/protobuf/encoding/protowire"

// Detect tells what a message is, for readers that have no headers to go by. It returns false for what is no OTLP
// request of the three signals, and for one whose items do not tell: a log record with nothing but a body, for example,
// may have the bytes of a span with nothing but a name. It does not look into compressed data: see [Decompress].
//
// JSON shows its signal in its only top-level key of that kind. Protobuf has no names: the three signals nest in the
// same way, so the fields of the items decide, and as many items are looked at as it takes. Detect does not replace
// unmarshalling: a message that it knows may still be malformed further inside.
func Detect(data []byte) (Signal, Encoding, bool) {
	if s := jsonScanner(data); s.at(s.skipSpace(0), '{') {
		signal, ok := detectJSON(s)
		return signal, OTLPJSON, ok
	}
	signal, ok := detectProto(data)
	return signal, OTLPProto, ok
}

// detectJSON looks for the one top-level key that names a signal.
func detectJSON(s jsonScanner) (signal Signal, ok bool) {
	pos := s.skipSpace(0) + 1
	found := 0
	for first := true; ; first = false {
		next, done, ok := s.next(pos, first, '}')
		if !ok {
			return 0, false
		}
		if done {
			return signal, found == 1 && s.skipSpace(next) == len(s)
		}
		key, value, ok := s.key(next)
		if !ok {
			return 0, false
		}
		for _, candidate := range []Signal{Logs, Traces, Metrics} {
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

// detectProto walks the containers, which have the same fields in each signal: a request has its resources in field 1;
// a resource or scope has 1 itself, 2 children, 3 schema URL.
func detectProto(data []byte) (Signal, bool) {
	v := verdict{possible: [...]bool{Logs: true, Traces: true, Metrics: true}}
	ok := eachChild(data, 1, func(resource []byte) bool {
		return eachChild(resource, 2, func(scope []byte) bool {
			return eachChild(scope, 2, v.add)
		})
	})
	signal, decided := v.signal()
	return signal, ok && decided
}

// eachChild calls visit with each message in the field of the given number until it returns false. It reports whether
// visit always returned true and the container is well-formed.
func eachChild(container []byte, number int, visit func(child []byte) bool) bool {
	return eachField(container, func(f field) bool {
		if f.number <= 3 && f.kind != protowire.BytesType {
			return false
		}
		return f.number != number || visit(container[f.start:f.end])
	})
}

// eachField calls visit with each field of the message until it returns false. It reports whether visit always returned
// true and the message is well-formed.
func eachField(message []byte, visit func(field) bool) bool {
	for pos := 0; pos < len(message); {
		f, ok := readField(message, pos)
		if !ok || !visit(f) {
			return false
		}
		pos = f.end
	}
	return true
}

// evidence is what one item says about one signal.
type evidence uint8

const (
	excluded  evidence = iota // the item cannot be of the signal
	plausible                 // it can
	shown                     // it can, and has what only this signal has
)

// verdict is what the items that were read so far can be.
type verdict struct {
	possible [Metrics + 1]bool // no item excludes the signal
	shown    [Metrics + 1]bool // some item shows it
}

// add looks at an item. It returns false if the message cannot be of any signal.
func (v *verdict) add(item []byte) bool {
	if v.settled() {
		return true
	}
	for signal, found := range [...]evidence{Logs: judgeLog(item), Traces: judgeSpan(item), Metrics: judgeMetric(item)} {
		v.possible[signal] = v.possible[signal] && found != excluded
		v.shown[signal] = v.shown[signal] || found == shown
	}
	return v.possible != [Metrics + 1]bool{}
}

// signal returns the one signal that is possible and shown.
func (v *verdict) signal() (signal Signal, ok bool) {
	count := 0
	for _, s := range []Signal{Logs, Traces, Metrics} {
		if v.possible[s] && v.shown[s] {
			signal = s
			count++
		}
	}
	return signal, count == 1
}

// settled reports whether just one signal is possible, and shown.
func (v *verdict) settled() bool {
	s, ok := v.signal()
	if !ok {
		return false
	}
	only := [Metrics + 1]bool{}
	only[s] = true
	return v.possible == only
}
