// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Foreign encodes messages in a format other than OTLP. A function that is nil says that the format lacks the signal.
//
// Any number of goroutines may call the functions. The pdata belongs to the function during the call. A function that fails or
// panics for several items is called again with fewer items, until the offender is alone.
type Foreign struct {
	// Name is what errors call the format.
	Name string

	// Logs encodes log records as one message.
	Logs func(plog.Logs) ([]byte, error)
	// Traces encodes spans as one message.
	Traces func(ptrace.Traces) ([]byte, error)
	// Metrics encodes data points as one message.
	Metrics func(pmetric.Metrics) ([]byte, error)
	// Profiles encodes samples as one message.
	Profiles func(pprofile.Profiles) ([]byte, error)

	// Text says that messages are text. Only text can have [Config.Newline].
	Text bool
	// EachItem makes a message of each item, for formats that have no lists. The functions must only read the pdata then.
	EachItem bool
	// KeepOTLP makes messages of one item keep their OTLP too, see [Message.OTLP].
	KeepOTLP bool
}

// Has reports whether the format has the signal.
func (f *Foreign) Has(signal Signal) bool {
	switch signal {
	case Logs:
		return f.Logs != nil
	case Traces:
		return f.Traces != nil
	case Metrics:
		return f.Metrics != nil
	case Profiles:
		return f.Profiles != nil
	}
	return false
}

// maxCause is how many bytes of the text of a cause an error has.
const maxCause = 256

// EncodingError says that a format other than OTLP could not encode something, see [Config.Foreign].
type EncodingError struct {
	// Signal is the kind of the items.
	Signal Signal
	// Encoding is [Foreign.Name].
	Encoding string
	// Items is how many items there are. It is 1, unless the format makes no bytes of several items.
	Items int
	// Resource names the resource of the first item, see [ItemSizeError.Resource].
	Resource string

	cause error
}

func (e *EncodingError) Error() string {
	cause := e.cause.Error()
	return fmt.Sprintf("marshaler: %s does not encode a %s: %s", e.Encoding, e.Signal.item(), cause[:min(len(cause), maxCause)])
}

// Unwrap returns why the format failed.
func (e *EncodingError) Unwrap() error { return e.cause }
