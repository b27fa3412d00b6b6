// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// inPieces reports whether a Marshaler encodes logs in pieces.
func inPieces(t *testing.T, m *Marshaler, logs plog.Logs) bool {
	t.Helper()
	source, ok := encodableOf(logs)
	require.True(t, ok)
	p := push{signal: Logs, items: logs.LogRecordCount(), resources: logs.ResourceLogs().Len(), groups: []group{{}}}
	_, ok = newPieces(p, source, &m.guesses[Logs], m.pieceSize)
	return ok
}

// splitPieces encodes a push in pieces, which it must be large enough for.
func splitPieces(t *testing.T, m *Marshaler, p *push, source encodable) (Encoded, error) {
	t.Helper()
	pieces, ok := newPieces(*p, source, &m.guesses[p.signal], m.pieceSize)
	require.True(t, ok)
	f := m.fillers[p.signal].Get().(*filler)
	defer m.fillers[p.signal].Put(f)
	return pieces.split(f, &m.guesses[p.signal])
}

// With pieces of any size, the messages are the same as if the push were encoded as a whole.
func TestPiecesMakeTheSameMessages(t *testing.T) {
	var all []telemetry
	for seed := range uint64(3) {
		all = append(all, newRandom(seed).all()...)
	}
	random := rand.New(rand.NewPCG(1, 2))
	all = append(all, logsData{serviceLogs(random, 300, 5)}, logsData{serviceLogs(random, 1, 1500)})
	for _, c := range []Config{
		{Encoding: OTLPProto, TargetSize: 400, MaxSize: 1500, SignalMarker: true},
		{Encoding: OTLPProto, TargetSize: 2500, MaxSize: 2500, Key: KeyConfig{Static: "fixed"}},
		{Encoding: OTLPProto, TargetSize: 20_000, MaxSize: 1 << 20},
		{Encoding: OTLPProto, TargetSize: 700, MaxSize: 4000, Compression: Snappy},
		{Encoding: OTLPProto, TargetSize: 2500, MaxSize: 1 << 20, Compression: Zstd, SignalMarker: true},
	} {
		for _, d := range all {
			d.markReadOnly()
			atOnce := mustNew(t, c)
			atOnce.pieceSize = 1 << 30
			first, second := d.marshal(t, atOnce), d.marshal(t, atOnce)
			for _, size := range []int{1, 100, 1000, 5000} {
				name := fmt.Sprintf("%+v, %s, %d items, pieces of %d", c, d.signal(), d.count(), size)
				m := mustNew(t, c)
				m.pieceSize = size
				require.Equal(t, first, d.marshal(t, m), name)
				require.Equal(t, second, d.marshal(t, m), name+", of a guessed size")
			}
		}
	}
}

func TestWhatIsEncodedInPieces(t *testing.T) {
	m := mustNew(t, usual(OTLPProto))
	assert.True(t, inPieces(t, m, benchLogs(100, 100)), "nothing is known of sizes: it is counted")
	assert.False(t, inPieces(t, m, benchLogs(100, 10)), "small")
	assert.False(t, inPieces(t, m, benchLogs(1, 10_000)), "it cannot be")

	m.guesses[Logs].learn(1_000_000, 1000)
	assert.True(t, inPieces(t, m, benchLogs(100, 10)), "as far as the requests before tell")

	p := push{signal: Logs, items: 10_000, resources: 100, groups: make([]group, 2)}
	_, ok := newPieces(p, nil, &m.guesses[Logs], m.pieceSize)
	assert.False(t, ok, "each group would leave over something")
}

// Resources of very unequal sizes make pieces too.
func TestPiecesOfUnequalResources(t *testing.T) {
	m := mustNew(t, usual(OTLPProto))
	logs := benchLogs(3000, 1)
	benchLogs(1, 3000).ResourceLogs().MoveAndAppendTo(logs.ResourceLogs())
	benchLogs(3000, 1).ResourceLogs().MoveAndAppendTo(logs.ResourceLogs())
	require.True(t, inPieces(t, m, logs))
	atOnce := mustNew(t, usual(OTLPProto))
	atOnce.pieceSize = 1 << 30
	want := logsData{logs}.marshal(t, atOnce)
	for range 3 {
		require.Equal(t, want, logsData{logs}.marshal(t, m))
	}
}

// A push with another number of items than pdata says fails, and its messages are released.
func TestPiecesWithOtherItemsFail(t *testing.T) {
	m := mustNew(t, usual(OTLPProto))
	source, ok := encodableOf(benchLogs(100, 100))
	require.True(t, ok)
	p := push{signal: Logs, items: 10_001, resources: 100, groups: []group{{}}}
	encoded, err := splitPieces(t, m, &p, source)
	require.EqualError(t, err, "marshaler: cut logs: found 10000 items of 100 resources, expected 10001 of 100")
	assert.Equal(t, Encoded{}, encoded)
}

func TestPartsOfMessages(t *testing.T) {
	source, ok := encodableOf(benchLogs(3, 1))
	require.True(t, ok)
	parts, ok := partsOf(source, 3)
	require.True(t, ok)
	var joined []byte
	for i := range 3 {
		part := parts.take(i, i+1)
		data := make([]byte, part.SizeProto())
		require.Equal(t, len(data), part.MarshalProto(data))
		joined = append(joined, data...)
	}
	whole := make([]byte, source.SizeProto())
	source.MarshalProto(whole)
	assert.Equal(t, whole, joined)

	_, ok = partsOf(source, 2)
	assert.False(t, ok)
	_, ok = partsOf(&fakePdata{}, 0)
	assert.False(t, ok, "it has other fields")
}

// lyingParts has another size than it says.
type lyingParts struct{ Resources []int }

func (*lyingParts) SizeProto() int { return 1 << 20 }

func (r *lyingParts) MarshalProto(buf []byte) int {
	buf[r.SizeProto()-1] = 0
	return 1
}

func TestPiecesThatCannotBeWritten(t *testing.T) {
	m := mustNew(t, usual(OTLPProto))
	p := push{signal: Traces, items: 1000, resources: 2, groups: []group{{}}}
	_, err := splitPieces(t, m, &p, &lyingParts{make([]int, 2)})
	require.EqualError(t, err, "marshaler: encode traces: pdata has another size than it says")
}
