// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "math"

// filler puts the items of a push into messages, one message after the other, in the order of the items.
//
// The filler takes as many neighbours at a time as fit. It looks into a container only if the container does not fit as a
// whole. So its work grows with the number of messages, not with the number of items.
//
// A filler serves one signal of one Marshaler, and one push at a time.
type filler struct {
	// signal is named in errors.
	signal Signal
	// target is [Config.TargetSize], the size of a full message with its partition key.
	target int
	// limit is [Config.MaxSize], the size that no message exceeds with its partition key.
	limit int
	// keySize is the length of every partition key. Sizes of data are without the key, so it is subtracted for them.
	keySize int

	// marker stands in front of each message. It is empty if messages have none.
	marker []byte
	// newline says that each message ends with a newline. truncates says that items that are too large are cut, with the codec.
	newline, truncates bool
	codec              *codec
	// divides says that a message is being divided, whose parts are never too large.
	divides bool
	// json says that messages are JSON. Those of profiles are cut as protobuf, all others as what they are.
	json bool
	// tree says where containers and items lie in the bytes that are being cut.
	tree tree
	// draft is the message that is being filled, with rows of the tree.
	draft draft
	// portion is the message of profiles that is being filled. It takes the place of draft for that signal.
	portion portion
	// compressor compresses messages, if compression is configured.
	compressor messageCompressor
	// mender changes what strict readers do not decode.
	mender mender
	// buffers lends the memory of finished messages.
	buffers *buffers
	// smallestPart is [Marshaler.smallestPart].
	smallestPart int
	// grouper puts the push into groups. parents has the container of each item, if groups have items.
	grouper grouper
	parents []int
	// firstResource is the position of the tree's first resource in the push. rejectedOf and truncatedOf have the position of the
	// resource of each item that was rejected or cut.
	firstResource           int
	rejectedOf, truncatedOf []int
	// encoded collects finished messages and rejected items until the push is done.
	encoded Encoded

	// to is where the messages that are being filled go.
	to destination
	// several is set if the push has several groups, and messages are not compressed. Then left is about how many bytes of the
	// group are in no message yet.
	several bool
	left    int
	// aim is the size that the data of the current message should have when it is sent.
	aim int
	// room is the size up to which the draft is filled. With compression it is larger than aim as a rule.
	room int
	// ceiling limits room. It matters after a message has come out too large: room must not return to the old size then.
	ceiling int
	// growths counts how often the current message was compressed, came out too small and got more room. It is limited, so
	// that the same bytes are not compressed again and again.
	growths int
}

// fillerConfig is what the fillers of a signal have in common.
type fillerConfig struct {
	Config

	signal     Signal
	codec      *codec
	compressor compressor // nil for none
	ratio      *ratio
	buffers    *buffers

	smallestPart int
}

func newFiller(c fillerConfig) *filler {
	f := &filler{
		signal:     c.signal,
		target:     c.TargetSize,
		limit:      c.MaxSize,
		keySize:    c.Key.keySize(),
		tree:       tree{layers: c.signal.layout(), framed: c.Encoding == OTLPProto || c.signal == Profiles},
		json:       c.Encoding == OTLPJSON,
		compressor: messageCompressor{format: c.compressor, ratio: c.ratio},
		buffers:    c.buffers,

		smallestPart: c.smallestPart,

		newline:   c.Newline,
		truncates: c.Oversize == TruncateOversize,
		codec:     c.codec,
	}
	f.draft.tree = &f.tree
	if c.SignalMarker && c.Encoding == OTLPProto {
		f.marker = c.signal.marker()
		f.portion.prefix = f.marker
	}
	return f
}

// begin prepares the filler for a push whose encoding has about size bytes.
func (f *filler) begin(p *push, size int) {
	full := size / f.compressor.roomFor(f.target-f.keySize)
	if f.several = len(p.groups) > 1 && !f.compressor.active(); f.several {
		full *= smallParts
	}
	f.firstResource, f.rejectedOf, f.truncatedOf = 0, f.rejectedOf[:0], f.truncatedOf[:0]
	f.encoded.Messages = make([]Message, 0, min(full+1+len(p.groups), p.items))
}

// forget drops all references to the push, so that an idle filler keeps none of its memory.
func (f *filler) forget() {
	f.encoded, f.to = Encoded{}, destination{}
	f.tree.reset(nil)
	f.portion.selection.forget()
}

// discard releases the messages that are finished. It is for a push that fails.
func (f *filler) discard() { f.encoded.Release() }

// fillGroup puts what is in the group into messages of its own. The parameter byItem says what its runs are.
func (f *filler) fillGroup(g *group, byItem bool) {
	if f.several {
		f.left = f.tree.bytes(g.runs, byItem)
	}
	f.startAt(g.destination)
	if g.runs == nil {
		f.fill(f.tree.resources())
	}
	for _, r := range g.runs {
		if byItem {
			f.fillItems(r)
		} else {
			f.fill(row{depth: 1, first: r.first, last: r.last})
		}
	}
	f.finish()
}

// fillItems puts items, which may lie in several containers, into messages.
func (f *filler) fillItems(r run) {
	depth := f.tree.itemDepth()
	for first := r.first; first < r.last; {
		parent := f.parents[first]
		last := min(r.last, f.tree.container(depth-1, parent).last)
		f.fill(row{depth, parent, first, last})
		first = last
	}
}

// startAt starts a message that goes to the destination.
func (f *filler) startAt(to destination) {
	f.to = to
	f.start()
}

// start starts a message. The draft must hold no items that are still needed.
func (f *filler) start() {
	f.draft.drop()
	f.growths, f.ceiling = 0, math.MaxInt
	f.aimFor(0)
}

// finish ends the current message. With compression its items may take several messages.
func (f *filler) finish() {
	for f.draft.items > 0 {
		f.end(0)
	}
}

// fill puts the row into messages. A part of it that does not fit the current message is divided further.
func (f *filler) fill(r row) {
	f.draft.enter(r)
	for r.first < r.last {
		part := r
		part.last = r.first + f.draft.fitting(r, f.room)
		switch {
		case part.last > r.first:
			f.draft.take(part)
		case r.depth == f.tree.itemDepth():
			part.last = r.first + 1
			f.fillItem(part)
		default:
			part.last = r.first + 1
			f.fill(f.tree.children(r.depth, r.first))
			f.draft.enter(r)
		}
		r.first = part.last
	}
}

// fillItem puts a single item, which does not fit the current message, into the next one. An item that fits no message is
// cut or rejected.
func (f *filler) fillItem(item row) {
	size, bytes := f.draft.sizeAlone(item), f.tree.extent(item).len()
	if size > f.most() {
		if f.truncates {
			f.finish() // so that messages are in the order of their items
		}
		f.oversize(item, size)
		return
	}
	for f.draft.items > 0 && f.draft.fitting(item, f.room) == 0 {
		f.end(bytes)
		f.draft.enter(item)
	}
	if f.draft.items == 0 {
		f.draft.drop()
		f.aimFor(size - bytes)
	}
	f.draft.take(item)
}

// most returns the largest size that a message may have before compression.
func (f *filler) most() int {
	if f.compressor.active() {
		return MaxPlainSize
	}
	return f.limit - f.keySize
}

// end ends the current message. With compression the message may stay open instead, see endCompressed. The parameter next is
// the size of the item that comes next, 0 if there is none. A draft without items makes no message.
func (f *filler) end(next int) {
	switch {
	case f.draft.items == 0:
	case f.compressor.active():
		f.endCompressed(next)
		return
	default:
		b := f.buffers.get(f.draft.size)
		f.draft.assemble(b.data)
		f.add(b, f.draft.items)
	}
	f.start()
}

// add adds a finished message with so many items, whose data is the buffer.
func (f *filler) add(b *buffer, items int) {
	f.left -= f.draft.size
	f.encoded.Messages = append(f.encoded.Messages, f.to.message(b, items))
}

// addCopy adds a finished message with so many items, whose data is a copy of the given data.
func (f *filler) addCopy(data []byte, items int) {
	b := f.buffers.get(len(data))
	copy(b.data, data)
	f.add(b, items)
}

// carryOver writes what the draft holds into dst, which has its exact size, and takes it out of the draft. If the draft holds
// nothing, it writes the marker.
func (f *filler) carryOver(dst []byte) {
	if f.draft.items == 0 {
		copy(dst, f.marker)
		return
	}
	f.draft.assemble(dst)
	f.draft.drop()
}
