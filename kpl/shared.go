// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"sync"
	"sync/atomic"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/wire"
)

// shared is what the streams of a producer have in common. All of it is safe for concurrent use.
type shared struct {
	client Client
	config Config // with defaults; nobody changes it

	// admission bounds what the producer holds, over all streams.
	admission admission
	// delivered counts the records that ended with OutcomeSuccess.
	delivered atomic.Int64

	// encoding knows whether the endpoint supports CBOR.
	encoding *wire.Encoding
	// buffers and members keep memory that is used again.
	buffers     freeBuffers
	members     memberPool
	compressors sync.Pool // of *compressorMemory
}
