// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/xpdata/request"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// benchProfiles returns profiles as a profiler of a whole host makes them: many resources with a profile each, whose stacks share
// functions of a few programs. Each sample has a stack of so many locations.
func benchProfiles(resources, samples, depth int) pprofile.Profiles {
	r := newRandom(1)
	profiles := pprofile.NewProfiles()
	d := profiles.Dictionary()
	dictionaryCopy{to: d}.zero()
	for i := range 400 * max(resources/4, 1) {
		d.StringTable().Append(fmt.Sprintf("github.com/example/service%02d/internal/package%03d.(*Type).Method%05d", i%17, i%97, i))
		f := d.FunctionTable().AppendEmpty()
		f.SetNameStrindex(int32(d.StringTable().Len() - 1))
		l := d.LocationTable().AppendEmpty()
		l.SetAddress(r.Uint64N(1 << 40))
		line := l.Lines().AppendEmpty()
		line.SetFunctionIndex(int32(d.FunctionTable().Len() - 1))
		line.SetLine(r.Int64N(2000))
	}
	for i := range resources {
		rp := profiles.ResourceProfiles().AppendEmpty()
		rp.Resource().Attributes().PutStr("service.name", fmt.Sprintf("service-%d", i))
		rp.Resource().Attributes().PutStr("container.id", fmt.Sprintf("%064d", i))
		sp := rp.ScopeProfiles().AppendEmpty()
		sp.Scope().SetName("profiler")
		p := sp.Profiles().AppendEmpty()
		p.SetTime(pcommon.Timestamp(1_790_000_000_000_000_000 + i))
		p.SetProfileID(pprofile.ProfileID{1, byte(i), byte(i >> 8)})
		program := i % max(resources/4, 1) * 400
		for range samples {
			stack := d.StackTable().AppendEmpty()
			for range depth {
				stack.LocationIndices().Append(int32(1 + program + r.IntN(400)))
			}
			s := p.Samples().AppendEmpty()
			s.SetStackIndex(int32(d.StackTable().Len() - 1))
			s.Values().Append(1 + r.Int64N(3))
			s.TimestampsUnixNano().Append(1_790_000_000_000_000_000 + r.Uint64N(5_000_000_000))
		}
	}
	return profiles
}

// requireSameItems proves that messages have the items of d, in order, each as it was.
func requireSameItems(t testing.TB, m *Marshaler, d telemetry, encoded *Encoded) {
	t.Helper()
	plain := mustNew(t, usual(OTLPProto))
	var found []string
	for _, message := range encoded.Messages {
		decodeStrictly(t, m, d.signal(), message.Data)
		read := d.decode(t, m, message.Data)
		require.Equal(t, message.Items, read.count())
		found = append(found, items(t, plain, read)...)
	}
	require.Equal(t, items(t, plain, d), found)
}

// samplesOf describes each sample by all that a reader finds of it. It is fast enough for many samples.
func samplesOf(profiles pprofile.Profiles) (list []string) {
	d := profiles.Dictionary()
	for _, rp := range profiles.ResourceProfiles().All() {
		for _, sp := range rp.ScopeProfiles().All() {
			for _, p := range sp.Profiles().All() {
				for _, s := range p.Samples().All() {
					text := fmt.Sprint(rp.Resource().Attributes().AsRaw(), sp.Scope().Name(), p.Time(), p.ProfileID(),
						s.Values().AsRaw(), s.TimestampsUnixNano().AsRaw())
					for _, place := range d.StackTable().At(int(s.StackIndex())).LocationIndices().All() {
						location := d.LocationTable().At(int(place))
						line := location.Lines().At(0)
						function := d.FunctionTable().At(int(line.FunctionIndex()))
						text += fmt.Sprint(" ", location.Address(), line.Line(), d.StringTable().At(int(function.NameStrindex())))
					}
					list = append(list, text)
				}
			}
		}
	}
	return list
}

// requireSameSamples is requireSameItems for benchProfiles.
func requireSameSamples(t testing.TB, m *Marshaler, profiles pprofile.Profiles, encoded *Encoded) {
	t.Helper()
	var found []string
	for _, message := range encoded.Messages {
		decodeStrictly(t, m, Profiles, message.Data)
		read, err := m.UnmarshalProfiles(message.Data)
		require.NoError(t, err)
		require.Equal(t, message.Items, read.SampleCount())
		found = append(found, samplesOf(read)...)
	}
	require.Equal(t, samplesOf(profiles), found)
}

// A push that fits a message is that message, byte for byte, with what its dictionary has beyond need.
func TestProfilesThatFitStayAsTheyAre(t *testing.T) {
	for seed := range uint64(4) {
		d := profilesData{newRandom(seed).profiles()}
		m := mustNew(t, Config{Encoding: OTLPProto, TargetSize: 1 << 20, MaxSize: 1 << 20})
		encoded := d.marshal(t, m)
		require.Len(t, encoded.Messages, 1)
		assert.Equal(t, d.whole(t, m), encoded.Messages[0].Data)
		stored, err := request.MarshalProfiles(t.Context(), d.Profiles)
		require.NoError(t, err)
		assert.True(t, bytes.Contains(stored, encoded.Messages[0].Data), "as pdata encodes it for a storage")
		assert.False(t, m.FallsBack(Profiles), pdataChanged)
	}
}

// Messages of a push with a large dictionary have only what they need of it. All of them arrive, within the limit, and together
// they take few bytes more than the push.
func TestLargeDictionariesAreDivided(t *testing.T) {
	profiles := benchProfiles(64, 150, 25) // a push of 2 MB, with a dictionary of 1.5 MB
	d := profilesData{profiles}
	whole := len(d.whole(t, mustNew(t, usual(OTLPProto))))
	for _, c := range []Config{
		usual(OTLPProto), usual(OTLPJSON),
		{Encoding: OTLPProto, TargetSize: 51_200, MaxSize: 1 << 20, Compression: Zstd},
		{Encoding: OTLPProto, TargetSize: 51_200, MaxSize: 1 << 20, Key: KeyConfig{ResourceAttributes: []string{"service.name"}}},
	} {
		m := mustNew(t, c)
		encoded := d.marshal(t, m)
		assert.Empty(t, encoded.Rejected)
		size := 0
		for _, message := range encoded.Messages {
			assert.LessOrEqual(t, len(message.Data)+KeylessKeySize, 1<<20)
			size += len(message.Data)
		}
		t.Logf("%s %q %v: %d bytes became %d in %d messages", c.Encoding, c.Compression, c.Key, whole, size, len(encoded.Messages))
		if c.Encoding == OTLPProto && c.Key.ResourceAttributes == nil {
			assert.Less(t, size, whole*3/2)
		}
		requireSameSamples(t, m, profiles, &encoded)
	}
}

// A profile stays whole if it fits a message. A larger one is cut between its samples.
func TestProfilesAreCutOnlyIfTheyMustBe(t *testing.T) {
	for _, tt := range []struct {
		samples int
		whole   bool
	}{{200, true}, {3_000, false}} {
		profiles := benchProfiles(5, tt.samples, 20)
		d := profilesData{profiles}
		m := mustNew(t, Config{Encoding: OTLPProto, TargetSize: 20_000, MaxSize: 1 << 16})
		encoded := d.marshal(t, m)
		seen := map[pprofile.ProfileID]int{}
		for _, message := range encoded.Messages {
			read, err := m.UnmarshalProfiles(message.Data)
			require.NoError(t, err)
			for _, rp := range read.ResourceProfiles().All() {
				seen[rp.ScopeProfiles().At(0).Profiles().At(0).ProfileID()]++
			}
		}
		for _, n := range seen {
			assert.Equal(t, tt.whole, n == 1)
		}
		requireSameSamples(t, m, profiles, &encoded)
	}
}

// An item that fits with the part of the dictionary that it needs is not dropped. Only one that does not fit even then is.
func TestOnlyTheOversizeSampleIsRejected(t *testing.T) {
	profiles := benchProfiles(3, 10, 5)
	d := profiles.Dictionary()
	for i := range 3 { // neither does the whole dictionary fit any message
		d.StringTable().Append(strings.Repeat("unused", 1000+i))
	}
	sample := profiles.ResourceProfiles().At(1).ScopeProfiles().At(0).Profiles().At(0).Samples().At(4)
	for range 1000 {
		sample.TimestampsUnixNano().Append(1_790_000_000_000_000_000)
	}
	for _, c := range []Config{
		{Encoding: OTLPProto, TargetSize: 1000, MaxSize: 6000}, {Encoding: OTLPJSON, TargetSize: 4000, MaxSize: 20_000},
	} {
		m := mustNew(t, c)
		encoded := profilesData{profiles}.marshal(t, m)
		require.Len(t, encoded.Rejected, 1)
		assert.Equal(t, "service.name=service-1", encoded.Rejected[0].Resource)
		assert.Equal(t, Profiles, encoded.Rejected[0].Signal)
		assert.Greater(t, encoded.Rejected[0].Size, 8000)
		assert.Contains(t, encoded.Rejected[0].Error(), "a sample takes")
		rest := profilesData{profiles}.keep(func(item int, _ pcommon.Resource) bool { return item != 14 })
		requireSameItems(t, m, rest, &encoded)
	}
}

// Profiles without any sample have nothing that is counted. They stay in a push that fits a message.
func TestProfilesWithoutSamples(t *testing.T) {
	m := mustNew(t, Config{Encoding: OTLPProto, TargetSize: 2000, MaxSize: 1 << 20})
	for samples := range 2 {
		profiles := benchProfiles(1, samples, 1)
		profiles.ResourceProfiles().At(0).ScopeProfiles().At(0).Profiles().AppendEmpty().SetOriginalPayloadFormat("pprof")
		encoded := profilesData{profiles}.marshal(t, m)
		assert.Len(t, encoded.Messages, samples)
		if samples > 0 {
			read, err := m.UnmarshalProfiles(encoded.Messages[0].Data)
			require.NoError(t, err)
			assert.Equal(t, 2, read.ProfileCount())
		}
		otlp := profilesData{profiles}.whole(t, m)
		fromBytes, err := m.MarshalEncoded(Profiles, otlp)
		require.NoError(t, err)
		assert.Equal(t, encoded, kept(fromBytes))
		count, err := CountItems(Profiles, otlp)
		require.NoError(t, err)
		assert.Equal(t, samples, count)
	}
}

// Messages of profiles cannot be joined: the places of the second message lead to entries of the first.
func TestJoinedProfilesAreReadWrongly(t *testing.T) {
	m := mustNew(t, usual(OTLPProto))
	name := func(p pprofile.Profiles) string {
		last := p.ResourceProfiles().At(p.ResourceProfiles().Len() - 1)
		stack := last.ScopeProfiles().At(0).Profiles().At(0).Samples().At(0).StackIndex()
		d := p.Dictionary()
		location := d.LocationTable().At(int(d.StackTable().At(int(stack)).LocationIndices().At(0)))
		return d.StringTable().At(int(d.FunctionTable().At(int(location.Lines().At(0).FunctionIndex())).NameStrindex()))
	}
	of := func(function string) []byte {
		profiles := pprofile.NewProfiles()
		d := profiles.Dictionary()
		dictionaryCopy{to: d}.zero()
		d.StringTable().Append(function)
		d.FunctionTable().AppendEmpty().SetNameStrindex(1)
		d.LocationTable().AppendEmpty().Lines().AppendEmpty().SetFunctionIndex(1)
		d.StackTable().AppendEmpty().LocationIndices().Append(1)
		profiles.ResourceProfiles().AppendEmpty().ScopeProfiles().AppendEmpty().Profiles().AppendEmpty().Samples().AppendEmpty().
			SetStackIndex(1)
		require.Equal(t, function, name(profiles))
		return profilesData{profiles}.marshal(t, m).Messages[0].Data
	}
	joined, err := m.UnmarshalProfiles(append(of("first"), of("second")...))
	require.NoError(t, err)
	assert.Equal(t, 2, joined.SampleCount())
	assert.Equal(t, "first", name(joined), "the second sample has lost its function")
}

// Bytes whose attributes refer to the dictionary, as pdata's public marshaler writes them, make the same items and keys.
func TestAttributesThatReferToTheDictionary(t *testing.T) {
	for _, c := range manyConfigs() {
		m := mustNew(t, c)
		for seed := range uint64(3) {
			d := profilesData{newRandom(seed).profiles()}
			d = d.keep(func(int, pcommon.Resource) bool { return true }).(profilesData) // no place that does not exist
			d.markReadOnly()
			otlp, err := marshalCopy(d.Profiles)
			require.NoError(t, err)
			require.NotEqual(t, d.whole(t, &Marshaler{codec: newCodec(OTLPProto)}), otlp)
			assert.True(t, isCut(m, Profiles, otlp))
			checkEncoded(t, m, Profiles, otlp)
			slow := unreached(mustNew(t, c))
			assert.Equal(t, c.Encoding == OTLPProto || c.Encoding == OTLPJSON, slow.FallsBack(Profiles))
			encoded := d.marshal(t, slow)
			if len(encoded.Rejected) == 0 && len(c.Key.ResourceAttributes) == 0 {
				requireSameItems(t, slow, d, &encoded)
			}
		}
	}
}

// Attributes that refer to a string that is not there make bytes malformed, as for pdata.
func TestAttributesThatReferToNothing(t *testing.T) {
	for name, attribute := range map[string][]byte{
		"a key":              {0x18, 5},
		"a value":            join([]byte{0x18, 1}, bytesField(2, []byte{0x40, 5})),
		"two keys":           join(bytesField(1, []byte("k")), []byte{0x18, 1}),
		"a value in a list":  join([]byte{0x18, 1}, bytesField(2, bytesField(5, bytesField(1, []byte{0x40, 5})))),
		"a key below 0":      {0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
		"a value of no text": join([]byte{0x18, 1}, bytesField(2, []byte{0x40, 2})),
	} {
		item := bytesField(2, bytesField(2, bytesField(2, []byte{0x08, 1})))
		otlp := join(bytesField(1, join(bytesField(1, bytesField(1, attribute)), item)),
			bytesField(2, join(bytesField(5, nil), bytesField(5, []byte("k")))))
		for _, encoding := range bothEncodings {
			checkEncoded(t, mustNew(t, usual(encoding)), Profiles, otlp)
			_, err := mustNew(t, usual(encoding)).MarshalEncoded(Profiles, otlp)
			require.ErrorIs(t, err, ErrMalformed, name)
		}
	}
}

// Strings of the dictionary that are not UTF-8 are changed, and nobody takes them for those of a resource.
func TestBrokenTextInADictionary(t *testing.T) {
	profiles := benchProfiles(1, 3, 2)
	profiles.Dictionary().StringTable().Append("caf\xe9")
	profiles.ResourceProfiles().At(0).ScopeProfiles().At(0).Profiles().At(0).SampleType().
		SetTypeStrindex(int32(profiles.Dictionary().StringTable().Len() - 1))
	for _, encoding := range bothEncodings {
		m := mustNew(t, usual(encoding))
		encoded := profilesData{profiles}.marshal(t, m)
		assert.Equal(t, Mended{Texts: 1}, encoded.Mended)
		requireSameItems(t, m, mendedSlowly(t, profilesData{profiles}), &encoded)
	}
}

// Every field whose name says that it is a place in a table is one, and no other is.
func TestReferencesAreThoseOfOTLP(t *testing.T) {
	tables := map[string]table{
		"mapping_index": mappingTable, "location_indices": locationTable, "function_index": functionTable, "link_index": linkTable,
		"stack_index": stackTable, "attribute_indices": attributeTable,
	}
	var count int
	seen := map[protoreflect.FullName]bool{}
	var compare func(m protoreflect.MessageDescriptor, k kind)
	compare = func(m protoreflect.MessageDescriptor, k kind) {
		if seen[m.FullName()] {
			return
		}
		seen[m.FullName()] = true
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			want := tables[string(f.Name())]
			if strings.HasSuffix(string(f.Name()), "strindex") {
				want = stringTable
			}
			if f.Number() < 16 {
				assert.Equal(t, want, references[k][f.Number()], f.FullName())
			}
			if want != noTable {
				count++
			}
			if f.Kind() == protoreflect.MessageKind {
				compare(f.Message(), wireLayouts[k].inner[f.Number()])
			}
		}
	}
	compare(strictMessage(Profiles).ProtoReflect().Descriptor(), profilesRequest)
	assert.Equal(t, 19, count)
	dictionary := strictMessage(Profiles).ProtoReflect().Descriptor().Fields().ByNumber(dictionaryField).Message()
	assert.Equal(t, "string_table", string(dictionary.Fields().ByNumber(protoreflect.FieldNumber(stringTable)).Name()))
	assert.Equal(t, "stack_table", string(dictionary.Fields().ByNumber(protoreflect.FieldNumber(stackTable)).Name()))
}

// BenchmarkProfiles shows what it costs to make messages of profiles, beside encoding them with their whole dictionary.
func BenchmarkProfiles(b *testing.B) {
	for _, shape := range []struct{ resources, samples, depth int }{{1, 10, 20}, {64, 150, 25}} {
		profiles := benchProfiles(shape.resources, shape.samples, shape.depth)
		whole := profilesData{profiles}.whole(b, mustNew(b, usual(OTLPProto)))
		run := func(name string, f func() error) {
			b.Run(fmt.Sprintf("%dx%dx%d/%s", shape.resources, shape.samples, shape.depth, name), func(b *testing.B) {
				b.SetBytes(int64(len(whole)))
				b.ReportAllocs()
				for b.Loop() {
					if err := f(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		m := mustNew(b, usual(OTLPProto))
		run("messages", func() error {
			encoded, err := m.MarshalProfiles(profiles)
			encoded.Release()
			return err
		})
		run("encode", func() error {
			_, err := marshalCopy(profiles)
			return err
		})
	}
}

// Several messages of profiles in JSON are lines, each with a dictionary of its own. They are read as one, and no reference
// changes what it means.
func TestProfilesInLines(t *testing.T) {
	c := usual(OTLPJSON)
	c.Newline, c.TargetSize = true, 2000
	m, several := mustNew(t, c), 0
	for seed := range uint64(5) {
		d := profilesData{newRandom(seed).profiles()}
		var lines []byte
		messages := d.marshal(t, m).Messages
		for i := range messages {
			require.Equal(t, byte('\n'), messages[i].Data[len(messages[i].Data)-1])
			lines = append(lines, messages[i].Data...)
		}
		if len(messages) > 1 {
			several++
		}
		signal, encoding, ok := Detect(lines)
		assert.True(t, ok)
		assert.Equal(t, Profiles, signal)
		assert.Equal(t, OTLPJSON, encoding)
		assert.Equal(t, items(t, m, d), items(t, m, d.decode(t, m, lines)))
	}
	assert.Positive(t, several)
}
