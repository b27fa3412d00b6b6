// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"go.opentelemetry.io/collector/exporter"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// signalAttribute is the attribute that the Collector adds to the log of each signal.
const signalAttribute = "otelcol.signal"

// logInterval is how often the same message is logged at most. The metrics count what the log leaves out.
const logInterval = 10 * time.Second

// sessionLog returns the log of a session. It has each message once in logInterval, and the name of the stream if there is one
// only.
func sessionLog(set exporter.Settings, cfg *Config) *zap.Logger {
	if streams := cfg.streams(); len(streams) == 1 && !cfg.Streams.routes() {
		return streamLog(set, streams[0])
	}
	return withoutSignal(set.Logger).WithOptions(sampled())
}

// streamLog returns the log of a stream. It has the name of the stream, and each message once in logInterval.
func streamLog(set exporter.Settings, stream string) *zap.Logger {
	return withoutSignal(set.Logger).With(zap.String("stream", streamLabel(stream))).WithOptions(sampled())
}

// sampled lets a log have each message once in logInterval.
func sampled() zap.Option {
	return zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(core, logInterval, 1, 0)
	})
}

// withoutSignal returns a log that names no signal: the session belongs to all signals, and is opened by the first that starts.
func withoutSignal(log *zap.Logger) *zap.Logger {
	return log.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		if c, ok := core.(interface {
			DropInjectedAttributes(names ...string) zapcore.Core
		}); ok {
			return c.DropInjectedAttributes(signalAttribute)
		}
		return core
	}))
}

// inWords is a duration for people, in tenths of a second.
func inWords(key string, d time.Duration) zap.Field {
	return zap.String(key, d.Round(100*time.Millisecond).String())
}

// started logs what the exporter sends to. Client is what the session got from connect.
func (t *telemetry) started(client kpl.Client, cfg *Config) {
	fields := []zap.Field{zap.String("wire_protocol", string(cfg.Producer.WireProtocol))}
	if c, ok := client.(interface{ Options() kinesis.Options }); ok {
		options := c.Options()
		endpoint := "of the region"
		if base := aws.ToString(options.BaseEndpoint); base != "" {
			endpoint = redacted(base)
		}
		fields = append(fields, zap.String("region", options.Region), zap.String("endpoint", endpoint))
	}
	t.log.Info("Started; nothing is sent before there is data", fields...)
}

// dropped logs items that will never be accepted.
func (t *telemetry) dropped(signal marshaler.Signal, items int, err error, more ...zap.Field) {
	t.log.Warn("Dropped telemetry that the stream will never accept",
		append(more, zap.Stringer("signal", signal), zap.Int("items", items), zap.Error(err))...)
}

// queueFull logs a request that found no room in the queue.
func (t *telemetry) queueFull(signal marshaler.Signal, items int, err error) {
	t.log.Error("The queue is full; the sender may try again",
		zap.Stringer("signal", signal), zap.Int("items", items), zap.Error(err))
}

// notAcceptedFor counts and logs a request that has data for a shard that holds its share of the queue.
func (t *telemetry) notAcceptedFor(signal marshaler.Signal, items int, c *crowded) {
	t.builder.KinesisKplItemsNotAccepted.Add(context.Background(), int64(items), t.bySignal[signal].add...)
	t.log.Warn("Did not accept telemetry for a shard that takes less than there is for it; the sender may try again",
		zap.Stringer("signal", signal), zap.Int("items", items), zap.Error(c))
}

// overflowed counts and logs items that were dropped for the same reason.
func (t *telemetry) overflowed(signal marshaler.Signal, items int, c *crowded) {
	t.itemsPut(signal, outcomeOverflow, items)
	t.log.Error("Dropped telemetry for a shard that takes less than there is for it",
		zap.Stringer("signal", signal), zap.Int("items", items), zap.Error(c))
}

// notRoutedFor counts and logs items that go to the stream of their signal, because they cannot go to the one that they name.
func (t *telemetry) notRoutedFor(signal marshaler.Signal, items int, reason string) {
	t.builder.KinesisKplItemsNotRouted.Add(context.Background(), int64(items), t.notRouted[notRouted{signal, reason}].add...)
	t.log.Warn("Telemetry names a stream that it cannot go to, so it goes to the stream of its signal. Look at streams::allowed "+
		"and streams::max_live", zap.Stringer("signal", signal), zap.Int("items", items), zap.String("reason", reason))
}

// keyless warns that the names in partition_key may be wrong.
func (t *telemetry) keyless(signal marshaler.Signal, key *PartitionKeyConfig) {
	t.log.Warn("Nothing has had any of the attributes or metadata keys in partition_key yet, so all data goes to one shard",
		zap.Stringer("signal", signal), zap.Strings("resource_attributes", key.ResourceAttributes),
		zap.Strings("record_attributes", key.RecordAttributes), zap.Strings("metadata_keys", key.MetadataKeys))
}

// invalidHashKeys warns of items whose explicit hash key is none. They go where they would go without it.
func (t *telemetry) invalidHashKeys(signal marshaler.Signal, items int, attribute string) {
	t.log.Warn("Sent telemetry without its explicit hash key, which must be a decimal number from 0 to 2^128-1, as a string or "+
		"an int",
		zap.Stringer("signal", signal), zap.Int("items", items), zap.String("explicit_hash_key_attribute", attribute))
}

// cut logs a message that does not pass something in front of the service, and is cut into smaller ones.
func (t *telemetry) cut(signal marshaler.Signal, items, size int, err error) {
	t.log.Warn("A proxy in front of the stream lets no message of this size through; it is cut into smaller ones. "+
		"Set aggregation_max_size to less than the proxy's limit",
		zap.Stringer("signal", signal), zap.Int("items", items), zap.Int("bytes", size), zap.Error(err))
}

// mended logs what was changed so that strict readers can decode it.
func (t *telemetry) mended(signal marshaler.Signal, m marshaler.Mended) {
	t.log.Warn("Changed telemetry that strict readers could not decode: U+FFFD replaces invalid UTF-8, JSON text replaces "+
		"values that are nested too deeply",
		zap.Stringer("signal", signal), zap.Int("strings", m.Texts), zap.Int("values", m.Values),
		zap.String("first_resource", m.Resource))
}

// truncated counts and logs items that were cut because they fit no record.
func (t *telemetry) truncated(signal marshaler.Signal, items []*marshaler.ItemSizeError) {
	t.builder.KinesisKplItemsTruncated.Add(context.Background(), int64(len(items)), t.bySignal[signal].add...)
	t.log.Warn("Cut the longest values of telemetry that fits no record",
		zap.Stringer("signal", signal), zap.Int("items", len(items)), zap.Int("first_bytes", items[0].Size),
		zap.Int("max_record_size", items[0].Limit), zap.String("first_resource", items[0].Resource))
}

// lost logs items that nobody is left to send again.
func (t *telemetry) lost(signal marshaler.Signal, items int, err error) {
	t.late[signal].Add(int64(items))
	t.log.Error("Lost telemetry after fire-and-forget delivery",
		zap.Stringer("signal", signal), zap.Int("items", items), zap.Error(err))
}

// cborUnsupported logs that the endpoint wants JSON.
func (t *telemetry) cborUnsupported(e kpl.CBOREvent) {
	t.log.Info("The endpoint takes no CBOR; calls are made in JSON", zap.Error(e.Err))
}

// cborSupported logs that the endpoint takes CBOR again.
func (t *telemetry) cborSupported(kpl.CBOREvent) {
	t.log.Info("The endpoint takes CBOR again; calls are made in CBOR")
}

// streamDescribed warns when a stream has channels whose readers cannot read what is sent.
func (t *telemetry) streamDescribed(e kpl.DescriptionEvent) {
	s, has := t.streams.of(e.Stream), e.Channels > 0
	if had := s.channel.Swap(has); has && !had && t.packed {
		s.log.Warn("The stream has channels, which deliver records as they are: aggregated or compressed messages arrive there "+
			"packed. Set aggregation_format: none and compression: none if the readers of a channel cannot unpack them",
			zap.Int("channels", e.Channels))
	}
}

// distributionChanged logs who chooses shards.
func (t *telemetry) distributionChanged(e kpl.DistributionEvent) {
	s, from := t.streams.of(e.Stream), zap.Stringer("known_from", e.Source)
	if e.Distribution == kpl.DistributionAutomatic {
		s.log.Warn("The stream chooses shards itself, by no key; no record gets the KPL's format", from)
	} else {
		s.log.Info("The stream goes by keys again", from)
	}
}

// availabilityChanged logs outages and their ends, and tells the hosts.
func (t *telemetry) availabilityChanged(e kpl.AvailabilityEvent) {
	s := t.streams.of(e.Stream)
	if e.Err != nil {
		s.log.Error("The stream accepts no records", zap.Error(e.Err))
	} else {
		s.log.Info("The stream accepts records again")
	}
	t.availability(e.Stream, e.Err)
}

// stalled logs that nothing is delivered: why, for how long, and what waits.
func (t *telemetry) stalled(stream string, s stall, held kpl.Stats, queued int64) {
	t.streams.of(stream).log.Error("Nothing is delivered", zap.String("cause", s.cause), inWords("for", s.lasted),
		zap.Int("messages", held.OutstandingRecords), zap.Int("message_bytes", held.OutstandingBytes),
		zap.Int64("queue_size", queued), zap.String("queue_unit", t.queueUnit))
}

// recovered logs that a stall is over.
func (t *telemetry) recovered(stream string, lasted time.Duration) {
	t.streams.of(stream).log.Info("Records are delivered again", inWords("after", lasted))
}
