// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// cutByCopying makes messages the slow and plain way, as a model of the Marshaler: it copies the pdata of each candidate
// message and encodes it. Resources are grouped by keyOf.
func cutByCopying(
	t testing.TB, m *Marshaler, d telemetry, keyOf func(pcommon.Resource) string,
) (messages []Message, rejected []*ItemSizeError) {
	var order []string
	groups := map[string][]int{}
	names := map[int]string{}
	d.keep(func(item int, res pcommon.Resource) bool {
		names[item] = nameOf(res.Attributes())
		key := keyOf(res)
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], item)
		return true
	})
	encode := func(members []int) []byte {
		in := map[int]bool{}
		for _, i := range members {
			in[i] = true
		}
		return d.keep(func(item int, _ pcommon.Resource) bool { return in[item] }).whole(t, m)
	}
	keySize := m.cfg.Key.keySize()
	for _, key := range order {
		var message []int
		room := m.cfg.TargetSize
		flush := func() {
			if len(message) > 0 {
				messages = append(messages, Message{Data: encode(message), Items: len(message), PartitionKey: key})
			}
			message = nil
		}
		for _, item := range groups[key] {
			if len(encode(append(slices.Clip(message), item)))+keySize <= room {
				message = append(message, item)
				continue
			}
			alone := encode([]int{item})
			if size := len(alone) + keySize; size > m.cfg.MaxSize {
				rejected = append(rejected, &ItemSizeError{
					Signal: d.signal(), Size: size, Limit: m.cfg.MaxSize, Resource: names[item],
				})
				continue
			}
			flush()
			message = []int{item}
			for room = m.cfg.TargetSize; room < 2*aroundItem(t, m, d, alone); {
				room += m.cfg.TargetSize
			}
			room = max(m.cfg.TargetSize, min(room, m.cfg.MaxSize))
		}
		flush()
	}
	return messages, rejected
}

// aroundItem returns how many bytes are around the item, in a request with a single item.
func aroundItem(t testing.TB, m *Marshaler, d telemetry, alone []byte) int {
	t.Helper()
	cut := tree{layers: d.signal().layout(), framed: m.cfg.Encoding == OTLPProto}
	cut.reset(alone)
	require.NoError(t, cut.cut())
	require.Equal(t, 1, cut.itemCount())
	return len(alone) - cut.extent(row{depth: cut.itemDepth(), last: 1}).len()
}

// keyBy returns a function that makes the partition key of a resource, with the Marshaler's own digest.
func keyBy(m *Marshaler) func(pcommon.Resource) string {
	return func(res pcommon.Resource) string {
		return m.keys.groups(1, func(int) pcommon.Map { return res.Attributes() })[0].key
	}
}

func TestMessagesAreWhatCopyingMakes(t *testing.T) {
	sizes := []struct{ target, limit int }{
		{400, 400}, {700, 1500}, {1500, 4000}, {5000, 1 << 20}, {1 << 20, 1 << 20},
	}
	keys := []KeyConfig{{}, {Static: "fixed"}, {ResourceAttributes: []string{"tenant"}}}
	for _, encoding := range []Encoding{OTLPProto, OTLPJSON} {
		t.Run(string(encoding), func(t *testing.T) {
			var cut, rejected int
			for seed := range uint64(4) {
				for _, d := range newRandom(seed).joinable() {
					d.markReadOnly()
					for i, size := range sizes {
						m := mustNew(t, Config{
							Encoding: encoding, TargetSize: size.target, MaxSize: size.limit, Key: keys[(int(seed)+i)%len(keys)],
							SignalMarker: seed%2 == 0, Newline: encoding.IsText() && seed%2 == 0,
						})
						name := fmt.Sprintf("seed %d, %s, target %d, key %v", seed, d.signal(), size.target, m.cfg.Key)
						encoded := d.marshal(t, m)
						wantMessages, wantRejected := cutByCopying(t, m, d, keyBy(m))
						require.Equal(t, wantRejected, encoded.Rejected, name)
						require.Len(t, encoded.Messages, len(wantMessages), name)
						for i, want := range wantMessages {
							require.Equal(t, string(want.Data), string(encoded.Messages[i].Data), name)
							require.Equal(t, want.PartitionKey, encoded.Messages[i].PartitionKey, name)
							require.Equal(t, want.Items, encoded.Messages[i].Items, name)
						}
						cut += len(encoded.Messages)
						rejected += len(encoded.Rejected)
					}
				}
			}
			assert.Greater(t, cut, 500, "the data must be cut often enough to prove anything")
			assert.Greater(t, rejected, 25, "and have items that fit nowhere")
		})
	}
}

func TestUnionOfMessagesIsTheInput(t *testing.T) {
	for _, encoding := range []Encoding{OTLPProto, OTLPJSON} {
		for _, key := range []KeyConfig{{}, {Static: "k"}, {ResourceAttributes: []string{"tenant", "a"}}} {
			m := mustNew(t, Config{Encoding: encoding, TargetSize: 2500, MaxSize: 1 << 20, Key: key})
			for seed := uint64(100); seed < 102; seed++ {
				for _, d := range newRandom(seed).all() {
					encoded := d.marshal(t, m)
					require.Empty(t, encoded.Rejected)
					var union []string
					for _, message := range encoded.Messages {
						read := d.decode(t, m, message.Data)
						require.Equal(t, message.Items, read.count())
						union = append(union, items(t, m, read)...)
					}
					if len(key.ResourceAttributes) == 0 {
						require.Equal(t, items(t, m, d), union, "in order")
					} else {
						require.ElementsMatch(t, items(t, m, d), union)
					}
				}
			}
		}
	}
}
