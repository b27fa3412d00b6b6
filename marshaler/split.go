package marshaler

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// request is what pdata says about a request that has at least one item.
type request struct {
	signal     Signal
	items      int
	resources  int
	attributes func(resource int) pcommon.Map
	groups     []group
}

// split makes the chunks of an encoded request. Its buffer is released or is that of the only chunk.
func (m *Marshaler) split(r request, whole *buffer) (Encoded, error) {
	if len(r.groups) == 1 && len(whole.data)+m.cfg.Key.keySize() <= m.cfg.TargetSize && m.compressor == nil {
		only := Chunk{Data: whole.data, PartitionKey: r.groups[0].key, Items: r.items, buffer: whole}
		return Encoded{Chunks: []Chunk{only}}, nil
	}
	defer whole.release()
	c := m.chunker(r, len(whole.data))
	defer m.idle(c)
	if err := c.cut(whole.data, r.resources, r.items); err != nil {
		return Encoded{}, err
	}
	if err := r.checkCount(len(c.tree.extents[1]), c.tree.itemCount()); err != nil {
		return Encoded{}, err
	}
	for _, g := range r.groups {
		c.fillGroup(g)
	}
	return c.encoded, nil
}

// chunker returns one for a request of about so many bytes.
func (m *Marshaler) chunker(r request, size int) *chunker {
	c := m.workers.Get().(*chunker)
	c.signal, c.target, c.limit, c.keySize = r.signal, m.cfg.TargetSize, m.cfg.MaxSize, m.cfg.Key.keySize()
	c.buffers, c.compressor, c.ratio = m.buffers, m.compressor, &m.ratios[r.signal]
	c.layers, c.framed = m.layouts[r.signal], m.cfg.Encoding == OTLPProto
	full := size / c.roomFor(c.target-c.keySize)
	c.encoded.Chunks = make([]Chunk, 0, min(full+1+len(r.groups), r.items))
	return c
}

// idle keeps a chunker for other requests, without anything of this one.
func (m *Marshaler) idle(c *chunker) {
	c.encoded, c.key, c.tree.data = Encoded{}, "", nil
	m.workers.Put(c)
}

// cut finds what is in the bytes of a request or of a piece of it, with room for as many resources and items.
func (c *chunker) cut(data []byte, resources, items int) error {
	c.tree.reset(data, c.layers, c.framed)
	c.tree.reserve(resources, items)
	if err := c.tree.cut(); err != nil {
		return fmt.Errorf("marshaler: cut %s of %d bytes: %w", c.signal, len(data), err)
	}
	return nil
}

// checkCount compares what was found in a request with what pdata says.
func (r *request) checkCount(resources, items int) error {
	if items != r.items || resources != r.resources {
		return fmt.Errorf("marshaler: cut %s: found %d items of %d resources, expected %d of %d",
			r.signal, items, resources, r.items, r.resources)
	}
	return nil
}
