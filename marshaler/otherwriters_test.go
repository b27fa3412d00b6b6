// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/pprofile/pprofileotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// decodeRequest decodes a request as the receivers of the Collector do.
func decodeRequest(s Signal, otlp []byte) (telemetry, error) {
	switch s {
	case Traces:
		r := ptraceotlp.NewExportRequest()
		err := r.UnmarshalProto(otlp)
		return tracesData{r.Traces()}, err
	case Metrics:
		r := pmetricotlp.NewExportRequest()
		err := r.UnmarshalProto(otlp)
		return metricsData{r.Metrics()}, err
	case Profiles:
		r := pprofileotlp.NewExportRequest()
		err := r.UnmarshalProto(otlp)
		return profilesData{r.Profiles()}, err
	default:
		r := plogotlp.NewExportRequest()
		err := r.UnmarshalProto(otlp)
		return logsData{r.Logs()}, err
	}
}

// keyedItem is an item with all that is around it, and the keys of its message.
type keyedItem struct{ key, hashKey, item string }

// keyedItems returns the items of messages, in order. Strict readers must decode each message.
func keyedItems(t testing.TB, m *Marshaler, d telemetry, messages []Message) (list []keyedItem) {
	t.Helper()
	plain := &Marshaler{codec: newCodec(OTLPProto)}
	for _, message := range messages {
		decodeStrictly(t, m, d.signal(), message.Data)
		read := d.decode(t, m, message.Data)
		require.Equal(t, message.Items, read.count())
		for _, item := range items(t, plain, read) {
			list = append(list, keyedItem{message.PartitionKey, message.ExplicitHashKey, item})
		}
	}
	return list
}

// checkEncoded proves that bytes make messages with the same telemetry as the pdata that is decoded from them, or fail if pdata
// cannot be decoded.
func checkEncoded(t testing.TB, m *Marshaler, s Signal, otlp []byte) {
	t.Helper()
	before := slices.Clone(otlp)
	encoded, err := m.MarshalEncoded(s, otlp)
	encoded = kept(encoded)
	require.Equal(t, before, otlp)
	d, decodeErr := decodeRequest(s, otlp)
	if decodeErr != nil {
		require.ErrorIs(t, err, ErrMalformed)
		require.Equal(t, Encoded{}, encoded)
		return
	}
	require.NoError(t, err)
	ofPdata := d.marshal(t, m)
	require.Equal(t, ofPdata.Mended, encoded.Mended)
	require.Equal(t, ofPdata.Keyless, encoded.Keyless)
	require.Equal(t, ofPdata.InvalidHashKeys, encoded.InvalidHashKeys)
	found, want := keyedItems(t, m, d, encoded.Messages), keyedItems(t, m, d, ofPdata.Messages)
	if len(encoded.Rejected)+len(ofPdata.Rejected) == 0 {
		require.Equal(t, want, found)
	}
	require.Equal(t, d.count(), len(found)+len(encoded.Rejected))
}

// isCut reports whether bytes are cut as they are, and not decoded first.
func isCut(m *Marshaler, s Signal, otlp []byte) bool {
	f := m.fillers[s].Get().(*filler)
	defer m.fillers[s].Put(f)
	if m.cfg.Encoding != OTLPProto && s != Profiles || !isSound(otlp, s.request(), 0) {
		return false
	}
	encoded, ok := f.splitBytes(&m.keys, otlp, nil)
	encoded.Release()
	return ok
}

// Go's protobuf writes fields in ascending order, pdata in descending order. Such bytes are cut as they are, too.
func TestBytesOfAnotherWriter(t *testing.T) {
	for _, c := range manyConfigs() {
		m := mustNew(t, c)
		for seed := range uint64(2) {
			for _, d := range newRandom(seed).all() {
				ofPdata := d.whole(t, &Marshaler{codec: newCodec(OTLPProto)})
				read := strictMessage(d.signal())
				require.NoError(t, proto.Unmarshal(ofPdata, read))
				otlp, err := proto.Marshal(read)
				require.NoError(t, err)
				require.NotEqual(t, ofPdata, otlp)
				assert.Equal(t, c.Encoding == OTLPProto || d.signal() == Profiles, isCut(m, d.signal(), otlp))
				checkEncoded(t, m, d.signal(), otlp)
			}
		}
	}
}

// scrambler writes OTLP as nobody does, with the same meaning.
type scrambler struct {
	*rand.Rand

	// scatter puts other fields between the children of a container.
	scatter bool
}

// scramble returns a message of the kind with its fields in another order. Lengths take more bytes than they need, and there are
// fields that are not known. Resources and scopes come in two parts, and some texts twice, of which the last counts.
func (s scrambler) scramble(data []byte, k kind) (out []byte) {
	byNumber := map[int][][]byte{}
	var order []int
	for pos := 0; pos < len(data); {
		f, ok := readField(data, pos)
		if !ok {
			panic("pdata wrote malformed OTLP")
		}
		if len(byNumber[f.number]) == 0 || s.scatter && s.IntN(3) == 0 {
			order = append(order, f.number)
		}
		byNumber[f.number] = append(byNumber[f.number], s.field(data[pos:f.start], data[f.start:f.end], f, k))
		pos = f.end
	}
	s.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	for i, number := range order {
		n := len(byNumber[number])
		if slices.Contains(order[i+1:], number) {
			n = s.IntN(n + 1)
		}
		if s.IntN(8) == 0 {
			out = appendBytes(out, 17+s.IntN(2000)*100, []byte("unknown\xff"))
		}
		out = append(out, slices.Concat(byNumber[number][:n]...)...)
		byNumber[number] = byNumber[number][n:]
	}
	return out
}

// field returns a field with another encoding of the same meaning.
func (s scrambler) field(head, content []byte, f field, k kind) []byte {
	if f.kind != protowire.BytesType {
		return slices.Concat(head, content)
	}
	var out []byte
	switch wireLayouts[k].fields[head[0]] { //nolint:exhaustive // the others stay
	case text:
		if s.IntN(10) == 0 {
			out = appendBytes(out, f.number, []byte("a text that does not count"))
		}
	case inside:
		inner := wireLayouts[k].inner[f.number]
		content = s.scramble(content, inner)
		if first, ok := readField(content, 0); ok && (inner == resource || inner == scope) {
			out = appendBytes(out, f.number, content[:first.end])
			content = content[first.end:]
		}
	}
	out = protowire.AppendTag(out, protowire.Number(f.number), f.kind)
	length := protowire.AppendVarint(nil, unsigned(len(content)))
	for s.IntN(10) == 0 && len(length) < 9 { // with needless bytes
		length[len(length)-1] |= 0x80
		length = append(length, 0)
	}
	return slices.Concat(out, length, content)
}

func TestBytesInAnyOrder(t *testing.T) {
	cut, decoded := 0, 0
	for _, c := range manyConfigs() {
		m := mustNew(t, c)
		for seed := range uint64(3) {
			s := scrambler{rand.New(rand.NewPCG(seed, 3)), seed%3 == 2}
			for _, d := range newRandom(seed).all() {
				otlp := s.scramble(d.whole(t, &Marshaler{codec: newCodec(OTLPProto)}), d.signal().request())
				checkEncoded(t, m, d.signal(), otlp)
				if isCut(m, d.signal(), otlp) {
					cut++
				} else {
					decoded++
				}
			}
		}
	}
	assert.Greater(t, cut, 20, "most orders can be cut")
	assert.Greater(t, decoded, 20, "scattered children cannot")
}

// damage changes a few bytes.
func damage(r *rand.Rand, data []byte) []byte {
	data = slices.Clone(data)
	for range 1 + r.IntN(2) {
		at := r.IntN(len(data))
		end := min(at+1+r.IntN(40), len(data))
		switch r.IntN(6) {
		case 0:
			data[at] = byte(r.Uint32())
		case 1:
			data[at] ^= 1 << r.IntN(8)
		case 2:
			data = slices.Delete(data, at, end)
		case 3:
			data = slices.Insert(data, at, byte(r.Uint32()))
		case 4:
			data = slices.Insert(data, at, data[at:end]...)
		default:
			data = slices.Concat(data[:at], data[end:], data[at:end])
		}
		if len(data) == 0 {
			return data
		}
	}
	return data
}

// Whatever is wrong with bytes, they make the messages of their pdata, or fail as pdata does.
func TestDamagedBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	var all []telemetry
	for seed := range uint64(4) {
		for _, d := range newRandom(seed).all() {
			all = append(all, d.keep(func(item int, _ pcommon.Resource) bool { return item%5 == 0 && item < 20 }))
		}
	}
	m := mustNew(t, Config{
		Encoding: OTLPProto, TargetSize: 500, MaxSize: 1 << 20, Key: KeyConfig{ResourceAttributes: []string{"tenant", "a"}},
	})
	s := scrambler{Rand: r}
	cut, malformed := 0, 0
	for range 3000 {
		d := all[r.IntN(len(all))]
		otlp := d.whole(t, &Marshaler{codec: newCodec(OTLPProto)})
		if r.IntN(2) == 0 {
			otlp = s.scramble(otlp, d.signal().request())
		}
		otlp = damage(r, otlp)
		checkEncoded(t, m, d.signal(), otlp)
		if isCut(m, d.signal(), otlp) {
			cut++
		} else if _, err := decodeRequest(d.signal(), otlp); err != nil {
			malformed++
		}
	}
	assert.Greater(t, cut, 300)
	assert.Greater(t, malformed, 1000)
}
