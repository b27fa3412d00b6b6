// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"

	"go.opentelemetry.io/collector/client"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// options returns what the marshaler has to know of a push beside its data. The context is that of the client.
func (p *pusher) options(ctx context.Context) []marshaler.PushOption {
	if len(p.config.partitionKey(p.signal).MetadataKeys) == 0 {
		return nil
	}
	return []marshaler.PushOption{marshaler.WithMetadata(client.FromContext(ctx).Metadata.Get)}
}

// notice logs what is odd about encoded data. While nothing has had any of the values that decide about partition keys, it warns:
// a wrong name would send everything to one shard.
func (p *pusher) notice(encoded *marshaler.Encoded) {
	key := p.config.partitionKey(p.signal)
	if encoded.Mended.Any() {
		p.session.telemetry.mended(p.signal, encoded.Mended)
	}
	if len(encoded.Truncated) > 0 {
		p.session.telemetry.truncated(p.signal, encoded.Truncated)
	}
	if encoded.InvalidHashKeys > 0 {
		p.session.telemetry.invalidHashKeys(p.signal, encoded.InvalidHashKeys, key.ExplicitHashKeyAttribute)
	}
	switch {
	case !key.isDigest() || p.keySeen.Load() || len(encoded.Messages) == 0:
	case encoded.Keyless:
		p.session.telemetry.keyless(p.signal, key)
	default:
		p.keySeen.Store(true)
	}
}
