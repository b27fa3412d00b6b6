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

// destinations returns where each item goes, with the Marshaler's own keys. It looks at one item at a time.
func destinations(m *Marshaler, d telemetry) (list []destination) {
	keys := newKeyer(&m.cfg)
	for i := range d.count() {
		var resource pcommon.Map
		one := d.keep(func(item int, res pcommon.Resource) bool {
			if item == i {
				resource = res.Attributes()
			}
			return item == i
		})
		p := push{items: 1, resources: 1, attributes: func(int) pcommon.Map { return resource }}
		if d.signal() != Profiles && keys.readsItems() {
			p.records = func(visit func(*record)) { eachRecord(one.pdata(), visit) }
		}
		keys.group(&p, new(grouper))
		list = append(list, p.groups[0].destination)
	}
	return list
}

// sizesInRequest returns how many bytes of the whole request each item counts for its group: those of the item itself if groups
// differ between the items of a resource. Otherwise the first item of each resource has all bytes of the resource.
func sizesInRequest(t testing.TB, m *Marshaler, d telemetry) (sizes []int) {
	t.Helper()
	whole, err := cutOf(d.signal(), string(d.whole(t, m)), m.cfg.Encoding == OTLPProto)
	require.NoError(t, err)
	if m.keys.readsItems() {
		for _, item := range whole.extents[whole.itemDepth()] {
			sizes = append(sizes, item.len())
		}
		return sizes
	}
	sizes = make([]int, d.count())
	for place, resource := range whole.extents[1] {
		sizes[whole.container(1, place).items] = resource.len()
	}
	return sizes
}

// cutByCopying makes messages the slow and plain way, as a model of the Marshaler: it copies the pdata of each candidate
// message and encodes it.
func cutByCopying(t testing.TB, m *Marshaler, d telemetry) (messages []Message, rejected []*ItemSizeError) {
	var order []destination
	groups := map[destination][]int{}
	for item, to := range destinations(m, d) {
		if groups[to] == nil {
			order = append(order, to)
		}
		groups[to] = append(groups[to], item)
	}
	names := map[int]string{}
	d.keep(func(item int, res pcommon.Resource) bool {
		names[item] = nameOf(res.Attributes())
		return true
	})
	encode := func(members []int) []byte {
		in := map[int]bool{}
		for _, i := range members {
			in[i] = true
		}
		return d.keep(func(item int, _ pcommon.Resource) bool { return in[item] }).whole(t, m)
	}
	keySize, sizes := m.cfg.Key.keySize(), sizesInRequest(t, m, d)
	for _, to := range order {
		var message []int
		left := 0
		for _, item := range groups[to] {
			left += sizes[item]
		}
		goal := func() int {
			if len(order) > 1 && left < m.cfg.TargetSize {
				return min(m.cfg.TargetSize, max(m.cfg.TargetSize/smallParts, m.smallestPart))
			}
			return m.cfg.TargetSize
		}
		room := goal()
		flush := func() {
			if len(message) > 0 {
				data := encode(message)
				left -= len(data)
				messages = append(messages, Message{
					Data: data, Items: len(message), PartitionKey: to.key, ExplicitHashKey: to.hashKey, Stream: to.stream,
				})
			}
			message = nil
		}
		for _, item := range groups[to] {
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
			for room = goal(); room < 2*aroundItem(t, m, d, alone); {
				room += goal()
			}
			room = max(goal(), min(room, m.cfg.MaxSize))
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

func TestMessagesAreWhatCopyingMakes(t *testing.T) {
	sizes := []struct{ target, limit int }{
		{400, 400}, {700, 1500}, {1500, 4000}, {5000, 1 << 20}, {1 << 20, 1 << 20},
	}
	for _, encoding := range []Encoding{OTLPProto, OTLPJSON} {
		t.Run(string(encoding), func(t *testing.T) {
			var cut, rejected int
			for seed := range uint64(4) {
				r := newRandom(seed)
				r.hashKeys = true
				for _, d := range r.joinable() {
					d.markReadOnly()
					for i, size := range sizes {
						m := mustNew(t, Config{
							Encoding: encoding, TargetSize: size.target, MaxSize: size.limit,
							Key:          manyKeys[(2*int(seed)+i)%len(manyKeys)],
							SignalMarker: seed%2 == 0, Newline: encoding.IsText() && seed%2 == 0,
						})
						m.smallestPart = m.cfg.Key.keySize() + 20
						name := fmt.Sprintf("seed %d, %s, target %d, key %+v", seed, d.signal(), size.target, m.cfg.Key)
						encoded := d.marshal(t, m)
						wantMessages, wantRejected := cutByCopying(t, m, d)
						require.Equal(t, wantRejected, encoded.Rejected, name)
						require.Len(t, encoded.Messages, len(wantMessages), name)
						for i, want := range wantMessages {
							require.Equal(t, want, encoded.Messages[i], name)
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
