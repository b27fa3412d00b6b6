// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"google.golang.org/protobuf/encoding/protowire"
)

// marshalCopy encodes profiles by pdata's public marshaler, which changes what it encodes.
func marshalCopy(profiles pprofile.Profiles) ([]byte, error) {
	changed := pprofile.NewProfiles()
	profiles.CopyTo(changed)
	return new(pprofile.ProtoMarshaler).MarshalProfiles(changed)
}

// encodeProfiles makes the messages of a push of profiles. They are cut as protobuf, and JSON is made of each message.
func encodeProfiles[T any](m *Marshaler, f *filler, p *push, pdata T, marshal func(T) ([]byte, error)) (Encoded, error) {
	var whole *buffer
	if source, ok := m.reach(pdata); ok {
		whole, _ = m.buffers.write(0, source, p.items, &m.guesses[Profiles])
	}
	if whole == nil {
		data, err := marshal(pdata)
		if err != nil {
			return Encoded{}, fmt.Errorf("marshaler: encode %s: %w", Profiles, err)
		}
		whole = &buffer{data: data}
	}
	return f.splitProfiles(p, f.mend(whole, 0))
}

// splitProfiles cuts the profiles of a push, which are encoded in the buffer, into messages. It releases the buffer.
func (f *filler) splitProfiles(p *push, whole *buffer) (Encoded, error) {
	defer f.forget()
	err := f.cutProfiles(p, whole.data)
	defer whole.release()
	if err == nil && f.isOneMessage(p) && !f.converts() {
		return p.only(f.marked(whole.data)), nil
	}
	if err == nil {
		err = f.fillPortions(p)
	}
	if err != nil {
		f.discard()
		return Encoded{}, err
	}
	return f.encoded, nil
}

// cutProfiles finds the containers, the samples and the dictionary of a push.
func (f *filler) cutProfiles(p *push, data []byte) error {
	if err := f.cut(data, p.resources, p.items); err != nil {
		return err
	}
	if !f.portion.read(&f.tree) {
		return fmt.Errorf("marshaler: cut %s of %d bytes: %w", f.signal, len(data), ErrMalformed)
	}
	return p.checkCount(f.tree.resourceCount(), f.tree.itemCount())
}

// splitProfileBytes cuts the request of profiles that the tree was cut from, and that belongs to the caller. It returns false if
// pdata has to decode the request first.
func (f *filler) splitProfileBytes(keys *keyer, p *push, options []PushOption) (Encoded, bool) {
	if !f.portion.read(&f.tree) || !f.portion.selection.dictionary.resolves(&f.tree) {
		return Encoded{}, false
	}
	if p.items == 0 {
		return Encoded{}, true
	}
	p.apply(options)
	resources := sync.OnceValue(f.resolvedResources) // keys and errors need it, and nothing else
	p.attributes = func(i int) pcommon.Map { return resources().At(i).Resource().Attributes() }
	keys.group(p, &f.grouper)
	var encoded Encoded
	if f.isOneMessage(p) && !f.converts() {
		encoded = p.only(f.marked(f.tree.data))
	} else {
		if f.fillPortions(p) != nil {
			f.discard()
			return Encoded{}, false
		}
		encoded = f.encoded
		for i, rejected := range encoded.Rejected {
			rejected.Resource = nameOf(p.attributes(f.rejectedOf[i]))
		}
	}
	encoded.note(p)
	return encoded, true
}

// resolvedResources returns the resources of the tree. Their attributes do not refer to the dictionary any more.
func (f *filler) resolvedResources() pprofile.ResourceProfilesSlice {
	var request []byte
	for place := range f.tree.resourceCount() {
		c := f.tree.container(1, place)
		request = protowire.AppendVarint(append(request, 1<<3|wireBytes), unsigned(c.around()))
		request = append(request, f.tree.data[c.head.start:c.head.end]...)
		request = append(request, f.tree.data[c.tail.start:c.tail.end]...)
	}
	var strings []byte
	for _, e := range f.portion.selection.dictionary.entries[stringTable] {
		strings = append(strings, f.tree.data[e.start:e.end]...)
	}
	profiles, err := new(pprofile.ProtoUnmarshaler).UnmarshalProfiles(appendBytes(request, dictionaryField, strings))
	if err != nil {
		panic(err) // never: the bytes are sound, and what they refer to is there
	}
	return profiles.ResourceProfiles()
}
