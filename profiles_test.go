// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror/xconsumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/xexporter"
	"go.opentelemetry.io/collector/pdata/pprofile"
	storagerequest "go.opentelemetry.io/collector/pdata/xpdata/request"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadatatest"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

var pushProfiles = pushSignal[pprofile.Profiles]{
	decode: (&pprofile.ProtoUnmarshaler{}).UnmarshalProfiles,
	stored: (*marshaler.Marshaler).UnmarshalProfiles,
	count:  pprofile.Profiles.SampleCount,
	rest: func(err error) (pprofile.Profiles, bool) {
		partial, ok := errors.AsType[xconsumererror.Profiles](err)
		return partial.Data(), ok
	},
	start: func(ctx context.Context, f exporter.Factory, set exporter.Settings, c component.Config) (
		component.Component, func(context.Context, pprofile.Profiles) error, error,
	) {
		e, err := f.(xexporter.Factory).CreateProfiles(ctx, set, c)
		return e, e.ConsumeProfiles, err
	},
}

// profilesOf returns one resource with one sample for each name. The name is that of the only function in the stack of the
// sample.
func profilesOf(names ...string) pprofile.Profiles {
	profiles := pprofile.NewProfiles()
	d := profiles.Dictionary()
	d.StringTable().Append("")
	d.FunctionTable().AppendEmpty()
	d.LocationTable().AppendEmpty()
	d.StackTable().AppendEmpty()
	for _, name := range names {
		d.StringTable().Append(name)
		d.FunctionTable().AppendEmpty().SetNameStrindex(int32(d.StringTable().Len() - 1))
		d.LocationTable().AppendEmpty().Lines().AppendEmpty().SetFunctionIndex(int32(d.FunctionTable().Len() - 1))
		d.StackTable().AppendEmpty().LocationIndices().Append(int32(d.LocationTable().Len() - 1))
		resource := profiles.ResourceProfiles().AppendEmpty()
		resource.Resource().Attributes().PutStr("service.name", name)
		profile := resource.ScopeProfiles().AppendEmpty().Profiles().AppendEmpty()
		profile.Samples().AppendEmpty().SetStackIndex(int32(d.StackTable().Len() - 1))
	}
	return profiles
}

// functionsOf returns the names of the functions of all samples, as readers find them by way of the dictionary.
func functionsOf(profiles pprofile.Profiles) (names []string) {
	d := profiles.Dictionary()
	for _, resource := range profiles.ResourceProfiles().All() {
		for _, scope := range resource.ScopeProfiles().All() {
			for _, profile := range scope.Profiles().All() {
				for _, sample := range profile.Samples().All() {
					stack := d.StackTable().At(int(sample.StackIndex()))
					location := d.LocationTable().At(int(stack.LocationIndices().At(0)))
					function := d.FunctionTable().At(int(location.Lines().At(0).FunctionIndex()))
					names = append(names, d.StringTable().At(int(function.NameStrindex())))
				}
			}
		}
	}
	return names
}

// startProfiles starts an exporter of profiles.
func startProfiles(
	t *testing.T, client kpl.Client, c *Config, host component.Host,
) (r *rig, e component.Component, consume func(context.Context, pprofile.Profiles) error) {
	t.Helper()
	r = &rig{telemetry: componenttest.NewTelemetry()}
	e, consume, err := pushProfiles.start(t.Context(), factoryFor(client), metadatatest.NewSettings(r.telemetry), c)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), host))
	return r, e, consume
}

// storedFunctions returns the functions of all samples that a reader of the stream gets, and checks that each record is one
// request.
func storedFunctions(t *testing.T, k *kpltest.Kinesis, c *Config) (names []string) {
	t.Helper()
	m, err := marshaler.New(c.marshalerConfig(marshaler.Profiles))
	require.NoError(t, err)
	require.Empty(t, k.DroppedAggregates(testStream))
	separator := []byte("no line")
	if c.Producer.AggregationFormat == kpl.AggregationConcatenated && c.Encoding == marshaler.OTLPJSON {
		separator = []byte("\n")
	}
	for _, record := range k.UserRecords(testStream) {
		for message := range bytes.SplitSeq(record.Data, separator) {
			profiles, err := m.UnmarshalProfiles(message)
			require.NoError(t, err)
			plain, _, err := marshaler.Decompress(message, marshaler.MaxPlainSize)
			require.NoError(t, err)
			signal, encoding, ok := marshaler.Detect(plain)
			assert.True(t, ok)
			assert.Equal(t, marshaler.Profiles, signal)
			assert.Equal(t, c.Encoding, encoding)
			names = append(names, functionsOf(profiles)...)
		}
	}
	return names
}

// counter returns the value of a counter of exporterhelper.
func (r *rig) counter(t *testing.T, name string) int {
	t.Helper()
	m, err := r.telemetry.GetMetric("otelcol_exporter_" + name)
	if err != nil {
		return 0 // never counted
	}
	total := 0
	for _, point := range m.Data.(metricdata.Sum[int64]).DataPoints {
		total += int(point.Value)
	}
	return total
}

// Many pushes of profiles, of which a fifth of the records is throttled, arrive: each sample once, with its function, in each
// format and encoding. What was accepted was sent, in exporterhelper's metrics too, which count samples.
func TestEachSampleArrivesOnce(t *testing.T) {
	const callers, requests = 8, 10
	samples := 50
	if testing.Short() {
		samples = 15
	}
	for _, format := range []kpl.AggregationFormat{kpl.AggregationKPL, kpl.AggregationConcatenated, kpl.AggregationNone} {
		for _, encoding := range []marshaler.Encoding{marshaler.OTLPProto, marshaler.OTLPJSON} {
			for _, compression := range []marshaler.Compression{marshaler.NoCompression, marshaler.Zstd} {
				if format == kpl.AggregationConcatenated && compression != marshaler.NoCompression {
					continue
				}
				t.Run(fmt.Sprint(format, encoding, compression), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						k, c := newTestKinesis(2), queuedConfig()
						k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.2)))
						c.Producer.AggregationFormat, c.Encoding, c.Compression = format, encoding, compression
						c.PartitionKey.ResourceAttributes = nil
						c.Producer.MaxRecordSize, c.Producer.AggregationMaxSize = 20_000, 10_000
						r, e, consume := startProfiles(t, k, c, componenttest.NewNopHost())
						var want []string
						var running sync.WaitGroup
						for caller := range callers {
							for i := range requests {
								for j := range samples {
									want = append(want, fmt.Sprintf("function-%d-%d-%d", caller, i, j))
								}
							}
							mine := want[len(want)-requests*samples:]
							running.Go(func() {
								for i := range requests {
									assert.NoError(t, consume(t.Context(), profilesOf(mine[i*samples:(i+1)*samples]...)))
								}
							})
						}
						running.Wait()
						advance(time.Minute)
						require.NoError(t, e.Shutdown(t.Context()))
						assert.ElementsMatch(t, want, storedFunctions(t, k, c))
						assert.Equal(t, len(want), r.sum(t, "items_put", "outcome", "success", "signal", "profiles"))
						assert.Equal(t, len(want), r.counter(t, "sent_profile_samples"))
						assert.Zero(t, r.counter(t, "send_failed_profile_samples"))
					})
				})
			}
		}
	}
}

// What a push did not deliver goes back to the caller with a dictionary in which each sample finds its function.
func TestPartOfProfilesComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(2), directConfig()
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.5)))
		c.Producer.FailIfThrottled = true
		_, e, consume := startProfiles(t, k, c, componenttest.NewNopHost())
		var names []string
		for i := range 40 {
			names = append(names, fmt.Sprint("function", i))
		}
		rest, partial := pushProfiles.rest(consume(t.Context(), profilesOf(names...)))
		require.True(t, partial)
		left := functionsOf(rest)
		stored := storedFunctions(t, k, c)
		assert.NotEmpty(t, stored)
		assert.Greater(t, len(left), 1)
		assert.ElementsMatch(t, names, append(left, stored...))
		require.NoError(t, e.Shutdown(t.Context()))
	})
}

// With a storage, profiles that a stop leaves are delivered after the next start, once. What is stored is what exporterhelper
// stores.
func TestStorageOfProfiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, files, c := newTestKinesis(2), newMemoryStorage(), queuedConfig()
		id := memoryStorageID
		c.Queue.Get().StorageID = &id
		c.Retry.Enabled = true
		host := storageHost{id: files}
		_, e, consume := startProfiles(t, hanging(), c, host)
		var want []string
		for i := range 20 {
			want = append(want, fmt.Sprint("function", i))
			require.NoError(t, consume(t.Context(), profilesOf(want[i])))
		}
		synctest.Wait()
		require.ErrorIs(t, e.Shutdown(within(t, 300*time.Millisecond)), context.DeadlineExceeded)

		_, e, _ = startProfiles(t, k, c, host)
		require.NoError(t, k.WaitRecords(t.Context(), testStream, len(want)))
		require.NoError(t, e.Shutdown(t.Context()))
		assert.ElementsMatch(t, want, storedFunctions(t, k, c))
	})
	assertStored(t.Context(), t, profilesSignal, profilesOf("first", "second", "third"), storagerequest.MarshalProfiles)
}

// A push that is larger than a message may ever be comes to the storage in parts, each with its own dictionary. It is stored as
// one.
func TestStorageJoinsTheDictionariesOfALargeRequest(t *testing.T) {
	p := storagePusher(t, marshaler.Profiles, nil)
	e := storageEncoding{p, zap.NewNop()}
	parts := &request{pusher: p}
	for _, name := range []string{"first", "second", "third"} {
		encoded, err := p.plain.MarshalProfiles(profilesOf(name))
		require.NoError(t, err)
		parts.takePlain(plainPart{otlp: encoded.Messages[0].Data, items: 1})
	}
	stored, err := e.Marshal(t.Context(), parts)
	require.NoError(t, err)
	_, whole, err := storagerequest.UnmarshalProfiles(stored)
	require.NoError(t, err)
	assert.Equal(t, []string{"first", "second", "third"}, functionsOf(whole))
	_, r, err := e.Unmarshal(stored)
	require.NoError(t, err)
	assert.Equal(t, 3, r.ItemsCount())
	parts.plain[1].otlp = []byte{1}
	_, err = e.Marshal(t.Context(), parts)
	require.ErrorContains(t, err, "join the parts of a request of profiles")
}

// Profiles start and stop like the other signals.
func TestLifecycleOfProfiles(t *testing.T) {
	for _, queued := range []bool{false, true} {
		c := directConfig()
		if queued {
			c = queuedConfig()
		}
		_, e, consume := startProfiles(t, newTestKinesis(1), c, componenttest.NewNopHost())
		require.NoError(t, consume(t.Context(), pprofile.NewProfiles()))
		require.NoError(t, consume(t.Context(), profilesOf("function")))
		require.NoError(t, e.Shutdown(t.Context()))
		require.NoError(t, e.Shutdown(t.Context()))
	}
}
