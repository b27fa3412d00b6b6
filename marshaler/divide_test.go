// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// The parts of a message have all its items in order, as many as were asked for, and are like the message in all else.
func TestPartsOfADividedMessage(t *testing.T) {
	for _, c := range manyConfigs() {
		if c.TargetSize < 51_200 {
			continue
		}
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			m := mustNew(t, c)
			divided := 0
			for seed := range uint64(3) {
				for _, d := range newRandom(seed).all() {
					for _, message := range d.marshal(t, m).Messages {
						want := items(t, m, d.decode(t, m, message.Data))
						for _, most := range []int{1, 2, 3, (message.Items + 1) / 2, message.Items, message.Items + 1} {
							name := fmt.Sprintf("seed %d, %s, %d items by %d", seed, d.signal(), message.Items, most)
							parts, err := m.Divide(d.signal(), &message, most)
							require.NoError(t, err, name)
							if d.signal() == Profiles { // a profile stays whole if it may
								require.GreaterOrEqual(t, len(parts), (message.Items+most-1)/most, name)
							} else {
								require.Len(t, parts, (message.Items+most-1)/most, name)
							}
							var found []string
							for i, part := range parts {
								require.LessOrEqual(t, part.Items, most, name)
								require.True(t, d.signal() == Profiles || part.Items == min(most, message.Items-i*most), name)
								require.Equal(t, message.PartitionKey, part.PartitionKey)
								require.Equal(t, compressionOf(message.Data), compressionOf(part.Data), name)
								read := d.decode(t, m, part.Data)
								require.Equal(t, part.Items, read.count(), name)
								found = append(found, items(t, m, read)...)
							}
							require.Equal(t, want, found, name)
							for i := range parts {
								parts[i].Release()
							}
							divided += len(parts)
						}
					}
				}
			}
			assert.Greater(t, divided, 500)
		})
	}
}

// The messages of a push, one after the other in protobuf, are a request that makes the same items again.
func TestAppendedMessagesAreOneRequest(t *testing.T) {
	for _, c := range manyConfigs() {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			m, plain := mustNew(t, c), mustNew(t, usual(OTLPProto))
			for seed := range uint64(2) {
				for _, d := range newRandom(seed).joinable() {
					var otlp []byte
					var want []string
					for _, message := range d.marshal(t, m).Messages {
						before := string(otlp)
						var err error
						otlp, err = m.AppendProto(otlp, d.signal(), message.Data)
						require.NoError(t, err)
						require.Equal(t, before, string(otlp[:len(before)]))
						want = append(want, items(t, plain, d.decode(t, m, message.Data))...)
					}
					require.Equal(t, want, items(t, plain, d.decode(t, plain, otlp)))
					var found []string
					for _, message := range marshalBytes(t, m, d.signal(), otlp).Messages {
						found = append(found, items(t, plain, d.decode(t, m, message.Data))...)
					}
					require.Equal(t, want, found)
				}
			}
		})
	}
}

// A metric of each type is divided between its data points, and each part says all that the metric says.
func TestMetricsOfAllTypesAreDivided(t *testing.T) {
	metrics := pmetric.NewMetrics()
	list := metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	r, types := newRandom(5), map[pmetric.MetricType]bool{}
	for len(types) < 5 {
		m := list.AppendEmpty()
		m.SetName(fmt.Sprint("metric ", list.Len()))
		m.SetDescription("what it is")
		m.SetUnit("By")
		m.Metadata().PutStr("origin", "test")
		r.points(m)
		types[m.Type()] = true
	}
	d := metricsData{metrics}
	for _, encoding := range bothEncodings {
		m := mustNew(t, Config{Encoding: encoding, TargetSize: 1 << 20, MaxSize: 1 << 20})
		encoded := d.marshal(t, m)
		require.Len(t, encoded.Messages, 1)
		for _, most := range []int{1, 2, 7, 0} {
			parts, err := m.Divide(Metrics, &encoded.Messages[0], most)
			require.NoError(t, err)
			var found []string
			for _, part := range parts {
				require.LessOrEqual(t, part.Items, max(most, 1), "as many as allowed, and at least one")
				found = append(found, items(t, m, d.decode(t, m, part.Data))...)
			}
			require.Equal(t, items(t, m, d), found)
		}
	}
}

// Any number of goroutines may marshal bytes, divide messages and append them.
func TestBytesOfManyGoroutines(t *testing.T) {
	for _, c := range manyConfigs() {
		if c.TargetSize != 400 {
			continue
		}
		m := mustNew(t, c)
		var group sync.WaitGroup
		for seed := range uint64(4) {
			group.Go(func() {
				for _, d := range newRandom(seed).joinable() {
					appendAndDivide(t, m, d)
				}
			})
		}
		group.Wait()
	}
}

// appendAndDivide makes messages of bytes, and proves that the parts of each message, appended, are the message.
func appendAndDivide(t *testing.T, m *Marshaler, d telemetry) {
	encoded, err := m.MarshalEncoded(d.signal(), d.whole(t, &Marshaler{codec: newCodec(OTLPProto)}))
	if !assert.NoError(t, err) {
		return
	}
	plain := mustNew(t, usual(OTLPProto))
	for i := range encoded.Messages {
		message := &encoded.Messages[i]
		parts, err := m.Divide(d.signal(), message, 1)
		assert.NoError(t, err)
		var otlp []byte
		for j := range parts {
			otlp, err = m.AppendProto(otlp, d.signal(), parts[j].Data)
			assert.NoError(t, err)
			parts[j].Release()
		}
		want := items(t, plain, d.decode(t, m, message.Data))
		assert.Equal(t, want, items(t, plain, d.decode(t, plain, otlp)))
	}
	encoded.Release()
}
