// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pprofile"
)

// profiles returns profiles with a dictionary of which they need a part. A few references lead to nothing.
func (r random) profiles() pprofile.Profiles {
	profiles := pprofile.NewProfiles()
	d := profiles.Dictionary()
	dictionaryCopy{to: d}.zero()
	r.dictionary(d)
	for range r.few() {
		rp := profiles.ResourceProfiles().AppendEmpty()
		r.resource(rp.Resource())
		rp.SetSchemaUrl(r.text())
		for range r.few() {
			sp := rp.ScopeProfiles().AppendEmpty()
			r.scope(sp.Scope())
			sp.SetSchemaUrl(r.text())
			for range r.few() {
				r.profile(sp.Profiles().AppendEmpty(), d)
			}
		}
	}
	return profiles
}

// place returns a place in a table of so many entries, or one behind them.
func (r random) place(entries int) int32 { return r.Int32N(int32(entries) + int32(r.IntN(40)/39)) }

func (r random) places(list pcommon.Int32Slice, entries int) {
	for range r.IntN(4) {
		list.Append(r.place(entries))
	}
}

func (r random) dictionary(d pprofile.ProfilesDictionary) {
	for i := range 60 + r.IntN(120) {
		d.StringTable().Append(fmt.Sprint(r.text(), i))
	}
	texts := d.StringTable().Len()
	for range r.IntN(20) {
		a := d.AttributeTable().AppendEmpty()
		a.SetKeyStrindex(r.place(texts))
		a.SetUnitStrindex(r.place(texts))
		r.value(a.Value(), 0)
	}
	for range r.IntN(20) {
		m := d.MappingTable().AppendEmpty()
		m.SetMemoryStart(r.Uint64())
		m.SetFileOffset(r.Uint64N(300))
		m.SetFilenameStrindex(r.place(texts))
		r.places(m.AttributeIndices(), d.AttributeTable().Len())
	}
	for range 30 + r.IntN(40) {
		f := d.FunctionTable().AppendEmpty()
		f.SetNameStrindex(r.place(texts))
		f.SetFilenameStrindex(r.place(texts))
		f.SetSystemNameStrindex(r.place(texts))
		f.SetStartLine(r.Int64N(1000))
	}
	for range 40 + r.IntN(120) {
		l := d.LocationTable().AppendEmpty()
		l.SetAddress(r.Uint64())
		l.SetMappingIndex(r.place(d.MappingTable().Len()))
		r.places(l.AttributeIndices(), d.AttributeTable().Len())
		for range r.IntN(3) {
			line := l.Lines().AppendEmpty()
			line.SetFunctionIndex(r.place(d.FunctionTable().Len()))
			line.SetLine(r.Int64N(3000))
		}
	}
	for range r.IntN(20) {
		link := d.LinkTable().AppendEmpty()
		link.SetTraceID(r.traceID())
		link.SetSpanID(r.spanID())
	}
	for range 20 + r.IntN(40) {
		s := d.StackTable().AppendEmpty()
		for range r.IntN(20) {
			s.LocationIndices().Append(r.place(d.LocationTable().Len()))
		}
	}
}

func (r random) profile(p pprofile.Profile, d pprofile.ProfilesDictionary) {
	texts := d.StringTable().Len()
	p.SampleType().SetTypeStrindex(r.place(texts))
	p.SampleType().SetUnitStrindex(r.place(texts))
	p.PeriodType().SetTypeStrindex(r.place(texts))
	p.SetPeriod(r.Int64N(1000))
	p.SetTime(r.time())
	p.SetDurationNano(r.Uint64N(1 << 40))
	p.SetProfileID(pprofile.ProfileID(r.traceID()))
	p.SetDroppedAttributesCount(r.Uint32N(3))
	if !r.often() {
		p.SetOriginalPayloadFormat(r.text())
		p.OriginalPayload().FromRaw([]byte(r.text()))
	}
	r.places(p.AttributeIndices(), d.AttributeTable().Len())
	for range r.many() {
		s := p.Samples().AppendEmpty()
		s.SetStackIndex(r.place(d.StackTable().Len()))
		s.SetLinkIndex(r.place(d.LinkTable().Len()))
		r.places(s.AttributeIndices(), d.AttributeTable().Len())
		for range r.IntN(4) {
			s.Values().Append(r.Int64() - r.Int64())
			s.TimestampsUnixNano().Append(r.Uint64())
		}
	}
}
