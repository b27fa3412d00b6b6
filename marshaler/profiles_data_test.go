// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pprofile"
)

// profilesData is pdata of profiles. Its items have a dictionary in one certain order, so that they can be compared.
type profilesData struct{ pprofile.Profiles }

func (profilesData) signal() Signal  { return Profiles }
func (d profilesData) count() int    { return d.SampleCount() }
func (d profilesData) pdata() any    { return d.Profiles }
func (d profilesData) markReadOnly() { d.MarkReadOnly() }

func (d profilesData) marshal(t testing.TB, m *Marshaler) Encoded {
	encoded, err := m.MarshalProfiles(d.Profiles)
	require.NoError(t, err)
	return kept(encoded)
}

// whole encodes everything. In protobuf the strings of attributes stay where they are, unlike with pdata's public marshaler,
// which moves them to the dictionary.
func (d profilesData) whole(t testing.TB, m *Marshaler) []byte {
	if _, ok := m.codec.encodeProfiles.(*pprofile.ProtoMarshaler); ok {
		source, ok := encodableOf(d.Profiles)
		require.True(t, ok)
		data := make([]byte, source.SizeProto())
		require.Equal(t, len(data), source.MarshalProto(data))
		return data
	}
	changed := pprofile.NewProfiles()
	d.CopyTo(changed)
	data, err := m.codec.encodeProfiles.MarshalProfiles(changed)
	require.NoError(t, err)
	return data
}

func (profilesData) decode(t testing.TB, m *Marshaler, data []byte) telemetry {
	profiles, err := m.UnmarshalProfiles(data)
	require.NoError(t, err)
	return profilesData{profiles}
}

// keep also makes a new dictionary, with what the kept samples need, in the order in which they need it.
func (d profilesData) keep(keep func(int, pcommon.Resource) bool) telemetry {
	out := pprofile.NewProfiles()
	c := dictionaryCopy{d.Dictionary(), out.Dictionary()}
	c.zero()
	i := -1
	for _, rp := range d.ResourceProfiles().All() {
		newResource := pprofile.NewResourceProfiles()
		rp.Resource().CopyTo(newResource.Resource())
		newResource.SetSchemaUrl(rp.SchemaUrl())
		for _, sp := range rp.ScopeProfiles().All() {
			newScope := pprofile.NewScopeProfiles()
			sp.Scope().CopyTo(newScope.Scope())
			newScope.SetSchemaUrl(sp.SchemaUrl())
			for _, p := range sp.Profiles().All() {
				var samples []pprofile.Sample
				for _, s := range p.Samples().All() {
					i++
					if keep(i, rp.Resource()) {
						samples = append(samples, s)
					}
				}
				if len(samples) > 0 {
					c.profile(p, samples, newScope.Profiles().AppendEmpty())
				}
			}
			if newScope.Profiles().Len() > 0 {
				newScope.MoveTo(newResource.ScopeProfiles().AppendEmpty())
			}
		}
		if newResource.ScopeProfiles().Len() > 0 {
			newResource.MoveTo(out.ResourceProfiles().AppendEmpty())
		}
	}
	return profilesData{out}
}

// dictionaryCopy copies entries from one dictionary to another by pdata's functions.
type dictionaryCopy struct{ from, to pprofile.ProfilesDictionary }

func (c dictionaryCopy) zero() {
	c.to.MappingTable().AppendEmpty()
	c.to.LocationTable().AppendEmpty()
	c.to.FunctionTable().AppendEmpty()
	c.to.LinkTable().AppendEmpty()
	c.to.StringTable().Append("")
	c.to.AttributeTable().AppendEmpty()
	c.to.StackTable().AppendEmpty()
}

func must(place int32, err error) int32 {
	if err != nil {
		panic(err)
	}
	return place
}

// moved returns what is at the place, by move, or 0 if there is nothing.
func moved(place int32, length int, move func(int) int32) int32 {
	if place < 0 || int(place) >= length {
		return 0
	}
	return move(int(place))
}

func (c dictionaryCopy) text(place int32) int32 {
	return moved(place, c.from.StringTable().Len(), func(i int) int32 {
		return must(pprofile.SetString(c.to.StringTable(), c.from.StringTable().At(i)))
	})
}

func (c dictionaryCopy) attributes(from, to pcommon.Int32Slice) {
	for _, place := range from.All() {
		to.Append(moved(place, c.from.AttributeTable().Len(), func(i int) int32 {
			old, attribute := c.from.AttributeTable().At(i), pprofile.NewKeyValueAndUnit()
			attribute.SetKeyStrindex(c.text(old.KeyStrindex()))
			attribute.SetUnitStrindex(c.text(old.UnitStrindex()))
			old.Value().CopyTo(attribute.Value())
			return must(pprofile.SetAttribute(c.to.AttributeTable(), attribute))
		}))
	}
}

func (c dictionaryCopy) function(place int32) int32 {
	return moved(place, c.from.FunctionTable().Len(), func(i int) int32 {
		old, function := c.from.FunctionTable().At(i), pprofile.NewFunction()
		function.SetNameStrindex(c.text(old.NameStrindex()))
		function.SetSystemNameStrindex(c.text(old.SystemNameStrindex()))
		function.SetFilenameStrindex(c.text(old.FilenameStrindex()))
		function.SetStartLine(old.StartLine())
		return must(pprofile.SetFunction(c.to.FunctionTable(), function))
	})
}

func (c dictionaryCopy) mapping(place int32) int32 {
	return moved(place, c.from.MappingTable().Len(), func(i int) int32 {
		old, mapping := c.from.MappingTable().At(i), pprofile.NewMapping()
		mapping.SetMemoryStart(old.MemoryStart())
		mapping.SetMemoryLimit(old.MemoryLimit())
		mapping.SetFileOffset(old.FileOffset())
		mapping.SetFilenameStrindex(c.text(old.FilenameStrindex()))
		c.attributes(old.AttributeIndices(), mapping.AttributeIndices())
		return must(pprofile.SetMapping(c.to.MappingTable(), mapping))
	})
}

func (c dictionaryCopy) location(place int32) int32 {
	return moved(place, c.from.LocationTable().Len(), func(i int) int32 {
		old, location := c.from.LocationTable().At(i), pprofile.NewLocation()
		location.SetAddress(old.Address())
		location.SetMappingIndex(c.mapping(old.MappingIndex()))
		for _, oldLine := range old.Lines().All() {
			line := location.Lines().AppendEmpty()
			line.SetFunctionIndex(c.function(oldLine.FunctionIndex()))
			line.SetLine(oldLine.Line())
			line.SetColumn(oldLine.Column())
		}
		c.attributes(old.AttributeIndices(), location.AttributeIndices())
		return must(pprofile.SetLocation(c.to.LocationTable(), location))
	})
}

func (c dictionaryCopy) stack(place int32) int32 {
	return moved(place, c.from.StackTable().Len(), func(i int) int32 {
		stack := pprofile.NewStack()
		for _, location := range c.from.StackTable().At(i).LocationIndices().All() {
			stack.LocationIndices().Append(c.location(location))
		}
		return must(pprofile.SetStack(c.to.StackTable(), stack))
	})
}

func (c dictionaryCopy) link(place int32) int32 {
	return moved(place, c.from.LinkTable().Len(), func(i int) int32 {
		return must(pprofile.SetLink(c.to.LinkTable(), c.from.LinkTable().At(i)))
	})
}

func (c dictionaryCopy) valueType(from, to pprofile.ValueType) {
	to.SetTypeStrindex(c.text(from.TypeStrindex()))
	to.SetUnitStrindex(c.text(from.UnitStrindex()))
}

func (c dictionaryCopy) profile(from pprofile.Profile, samples []pprofile.Sample, to pprofile.Profile) {
	c.valueType(from.SampleType(), to.SampleType())
	c.valueType(from.PeriodType(), to.PeriodType())
	to.SetTime(from.Time())
	to.SetDurationNano(from.DurationNano())
	to.SetPeriod(from.Period())
	to.SetProfileID(from.ProfileID())
	to.SetDroppedAttributesCount(from.DroppedAttributesCount())
	to.SetOriginalPayloadFormat(from.OriginalPayloadFormat())
	from.OriginalPayload().CopyTo(to.OriginalPayload())
	c.attributes(from.AttributeIndices(), to.AttributeIndices())
	for _, old := range samples {
		s := to.Samples().AppendEmpty()
		s.SetStackIndex(c.stack(old.StackIndex()))
		s.SetLinkIndex(c.link(old.LinkIndex()))
		c.attributes(old.AttributeIndices(), s.AttributeIndices())
		old.Values().CopyTo(s.Values())
		old.TimestampsUnixNano().CopyTo(s.TimestampsUnixNano())
	}
}
