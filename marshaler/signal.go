// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

// Signal is a kind of telemetry.
type Signal uint8

// The signals.
const (
	Logs Signal = iota
	Traces
	Metrics
	Profiles
)

// signals is how many signals there are.
const signals = int(Profiles) + 1

// String returns "logs", "traces", "metrics" or "profiles".
func (s Signal) String() string {
	switch s {
	case Logs:
		return "logs"
	case Traces:
		return "traces"
	case Metrics:
		return "metrics"
	case Profiles:
		return "profiles"
	}
	return "unknown"
}

// item names an item of the signal: what [Message.Items] counts, and what is never cut.
func (s Signal) item() string {
	switch s {
	case Logs:
		return "log record"
	case Traces:
		return "span"
	case Metrics:
		return "data point"
	case Profiles:
		return "sample"
	}
	return "item"
}
