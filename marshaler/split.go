// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "fmt"

// split cuts the pdata of a push, which is encoded in the buffer, into messages. It releases the buffer, unless the buffer
// becomes the data of the only message.
func (f *filler) split(p *push, whole *buffer) (Encoded, error) {
	if len(p.groups) == 1 && len(whole.data)+f.keySize <= f.target && !f.packer.active() {
		only := Message{Data: whole.data, PartitionKey: p.groups[0].key, Items: p.items, buffer: whole}
		return Encoded{Messages: []Message{only}}, nil
	}
	defer whole.release()
	defer f.forget()
	f.begin(p, len(whole.data))
	if err := f.cut(whole.data, p.resources, p.items); err != nil {
		return Encoded{}, err
	}
	if err := p.checkCount(f.tree.resourceCount(), f.tree.itemCount()); err != nil {
		return Encoded{}, err
	}
	for _, g := range p.groups {
		f.fillGroup(g)
	}
	return f.encoded, nil
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
