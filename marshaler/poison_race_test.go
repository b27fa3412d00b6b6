// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build race

package marshaler

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// isPoison reports whether data was overwritten when it was released.
func isPoison(data []byte) bool { return bytes.Count(data, []byte{0xdb}) == len(data) }

// Whatever made a message, its memory is its own until it is released, and overwritten then. So tests with the race detector
// find whoever reads it later.
func TestReleasedMessagesAreOverwritten(t *testing.T) {
	for _, c := range manyConfigs() {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			m := mustNew(t, c)
			for _, d := range newRandom(1).all() {
				ofPdata := d.whole(t, &Marshaler{codec: newCodec(OTLPProto)})
				read := strictMessage(d.signal())
				require.NoError(t, proto.Unmarshal(ofPdata, read))
				ascending, err := proto.Marshal(read)
				require.NoError(t, err)
				for _, otlp := range [][]byte{ofPdata, ascending, nil} {
					encoded := marshalNow(t, m, d, otlp)
					before := copies(encoded.Messages)
					for i := range otlp {
						otlp[i] = 0xff // the caller may do as it likes with its bytes
					}
					var parts []Message
					for i := range encoded.Messages {
						divided, err := m.Divide(d.signal(), &encoded.Messages[i], 2)
						require.NoError(t, err)
						parts = append(parts, divided...)
					}
					partsBefore := copies(parts)
					require.Equal(t, before, copies(encoded.Messages), "others did not get its memory")
					held := slices.Clone(encoded.Messages)
					encoded.Release()
					for _, message := range held {
						assert.True(t, isPoison(message.Data))
					}
					require.Equal(t, partsBefore, copies(parts))
					held = slices.Clone(parts)
					for i := range parts {
						parts[i].Release()
						assert.True(t, isPoison(held[i].Data))
					}
				}
			}
		})
	}
}

// marshalNow returns messages of bytes, or of pdata if there are no bytes, which the caller has to release.
func marshalNow(t *testing.T, m *Marshaler, d telemetry, otlp []byte) (encoded Encoded) {
	t.Helper()
	var err error
	switch d := d.(type) {
	case logsData:
		encoded, err = m.MarshalLogs(d.Logs)
	case tracesData:
		encoded, err = m.MarshalTraces(d.Traces)
	case metricsData:
		encoded, err = m.MarshalMetrics(d.Metrics)
	case profilesData:
		encoded, err = m.MarshalProfiles(d.Profiles)
	}
	require.NoError(t, err)
	if otlp != nil {
		encoded.Release()
		encoded, err = m.MarshalEncoded(d.signal(), otlp)
		require.NoError(t, err)
	}
	require.NotZero(t, len(encoded.Messages)+len(encoded.Rejected))
	return encoded
}

func copies(messages []Message) (list []string) {
	for i := range messages {
		list = append(list, string(messages[i].Data))
	}
	return list
}

// A copy of a message must not be released as well.
func TestSecondReleaseIsFound(t *testing.T) {
	m := mustNew(t, usual(OTLPProto))
	encoded, err := m.MarshalLogs(benchLogs(1, 1))
	require.NoError(t, err)
	message := encoded.Messages[0]
	encoded.Release()
	encoded.Release()
	assert.Panics(t, message.Release)
}
