// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package encodings has the encodings of messages that are not OTLP and need no extension of the Collector. Its functions are
// what [marshaler.Foreign] takes.
package encodings
