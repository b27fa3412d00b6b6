// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "google.golang.org/protobuf/encoding/protowire"

// cutProto adds a container and all that it holds to the tree. The parameter content is where the container's content lies,
// depth its level, parent the place of its parent, and tag the tag in front of it.
func (t *tree) cutProto(content extent, depth, parent int, tag byte) error {
	place := t.begin(depth, parent, tag)
	first := t.container(depth, place).first
	layer := t.layers[depth]
	data := t.data[:content.end]
	for pos := content.start; pos < content.end; {
		f, ok := readField(data, pos)
		if !ok {
			return ErrMalformed
		}
		child := extent{pos, f.end}
		pos = f.end
		if !layer.hasField(f.number) {
			continue
		}
		if f.kind != protowire.BytesType {
			return ErrMalformed
		}
		if err := t.add(depth+1, first, child); err != nil {
			return err
		}
		if depth+1 == t.itemDepth() {
			continue
		}
		childTag := byte(f.number<<3) | byte(protowire.BytesType) //nolint:gosec // the layouts have no number above 15
		if err := t.cutProto(extent{f.start, f.end}, depth+1, place, childTag); err != nil {
			return err
		}
	}
	t.finish(depth, place, content)
	if c := t.container(depth, place); !layer.list && c.last-c.first > 1 {
		return errSeveral
	}
	return nil
}
