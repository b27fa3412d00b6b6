// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "fmt"

// split cuts the pdata of a push, which is encoded in the buffer, into messages. It releases the buffer, unless the buffer
// becomes the data of the only message.
func (f *filler) split(p *push, whole *buffer) (Encoded, error) {
	if f.fitsOne(p, len(whole.data)) {
		return p.only(f.buffers.fit(whole)), nil
	}
	defer whole.release()
	defer f.forget()
	if err := f.cut(whole.data, p.resources, p.items); err != nil {
		return Encoded{}, err
	}
	if err := p.checkCount(f.tree.resourceCount(), f.tree.itemCount()); err != nil {
		return Encoded{}, err
	}
	f.fillGroups(p)
	return f.encoded, nil
}

// fitsOne reports whether an encoding of so many bytes is the only message as it is.
func (f *filler) fitsOne(p *push, size int) bool {
	return len(p.groups) == 1 && size+f.keySize <= f.target && !f.compressor.active()
}

// only returns the buffer as the only message of the push.
func (p *push) only(b *buffer) Encoded {
	return Encoded{Messages: []Message{p.groups[0].message(b, p.items)}}
}

// fillGroups puts all items of the tree into messages.
func (f *filler) fillGroups(p *push) {
	f.begin(p, len(f.tree.data))
	if p.byItem && len(p.groups) > 1 {
		f.parents = f.tree.appendParents(f.parents[:0])
	}
	for i := range p.groups {
		f.fillGroup(&p.groups[i], p.byItem)
	}
}

// cut finds the containers and items in the bytes. It makes room for as many resources and items as the caller expects.
func (f *filler) cut(data []byte, resources, items int) error {
	f.tree.reset(data)
	f.tree.reserve(resources, items)
	if err := f.tree.cut(); err != nil {
		return fmt.Errorf("marshaler: cut %s of %d bytes: %w", f.signal, len(data), err)
	}
	return nil
}
