// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "slices"

// Oversize says what becomes of an item that fits no message.
type Oversize string

// What becomes of such an item.
const (
	// DropOversize leaves the item out. [Encoded.Rejected] has an error for it. The empty Oversize means the same.
	DropOversize Oversize = "drop"
	// TruncateOversize cuts the longest strings and byte strings of the item, until it fits a message of its own. They are in
	// the body of a log record, in the attributes of the item, and in those of events, links and exemplars, also inside of lists and
	// maps. All that are longer than some length are cut to that length, or to a few bytes less, so that no character is cut.
	//
	// The item gets the attribute [OriginalSizeAttribute], and [Encoded.Truncated] has an error for it. If the rest of the item
	// and its resource are too large, the item is left out as with DropOversize. So is a sample of a profile.
	TruncateOversize Oversize = "truncate"
)

// OriginalSizeAttribute is an attribute of each item that was cut. Its value is an integer: how many bytes the item had before,
// encoded as in the message, without its resource and before compression.
const OriginalSizeAttribute = "kinesis_kpl.original.size"

// When an item is cut, each attempt to keep more of it costs as much as to encode it. So enough is kept when the message is
// wellTruncated of 16 full, or when its values could be longer by a part of at most 1/cutMargin.
const (
	wellTruncated = 15
	cutMargin     = 64
)

// oversize takes in an item that would make a message of size bytes by itself, which is too large. The item is cut and gets a
// message, or is rejected.
func (f *filler) oversize(item row, size int) {
	err := &ItemSizeError{Signal: f.signal, Size: size + f.keySize, Limit: f.limit}
	resource := f.firstResource + f.tree.resourceOf(item)
	if data, ok := f.truncate(item); ok {
		b := f.buffers.get(len(data))
		copy(b.data, data)
		if plain, _, err := Decompress(data, MaxPlainSize); err == nil {
			b.plain = len(plain)
		}
		f.encoded.Messages = append(f.encoded.Messages, f.to.message(b, 1))
		f.encoded.Truncated = append(f.encoded.Truncated, err)
		f.truncatedOf = append(f.truncatedOf, resource)
		return
	}
	f.encoded.Rejected = append(f.encoded.Rejected, err)
	f.rejectedOf = append(f.rejectedOf, resource)
}

// truncate returns a message with an item whose longest values are cut. It returns false if items are not cut, or if that does
// not help. Only a copy of the item is changed.
func (f *filler) truncate(item row) (data []byte, ok bool) {
	if !f.truncates {
		return nil, false
	}
	f.draft.enter(item)
	alone := make([]byte, f.draft.sizeAlone(item))
	f.tree.assemble([]row{item}, alone)
	pdata, err := f.codec.decode(f.signal, alone)
	if err != nil {
		return nil, false
	}
	values := valuesOf(pdata, f.tree.extent(item).len())
	return values.longestThatFits((f.limit-f.keySize)*wellTruncated/16, func() ([]byte, bool) { return f.fits(pdata) })
}

// fits encodes pdata as a message. It returns false if the message is too large.
func (f *filler) fits(pdata any) (data []byte, ok bool) {
	plain, err := f.codec.encode(pdata)
	if err != nil {
		return nil, false
	}
	if len(f.marker) > 0 {
		plain = slices.Concat(f.marker, plain)
	}
	if f.newline {
		plain = append(plain, '\n')
	}
	limit := f.limit - f.keySize
	if f.compressor.active() && len(plain) <= MaxPlainSize {
		if compressed := f.compressor.format.compress(nil, plain); len(compressed) <= limit {
			return compressed, true
		}
	}
	return plain, len(plain) <= limit
}

// longestThatFits returns a message whose values are cut to one length, as the function makes it. It looks for longer values
// until a message has enough bytes. It returns false if no message fits.
func (values cuttableValues) longestThatFits(enough int, message func() ([]byte, bool)) (best []byte, ok bool) {
	fits, tooLong := 0, values.longest()
	values.cut(fits)
	if best, ok = message(); !ok {
		return nil, false
	}
	for tooLong-fits > 1+fits/cutMargin && len(best) < enough {
		middle := fits + (tooLong-fits)/2
		values.cut(middle)
		if better, ok := message(); ok {
			fits, best = middle, better
		} else {
			tooLong = middle
		}
	}
	return best, true
}

// name sets the resources of all items that are too large.
func (f *filler) name(encoded *Encoded, nameOf func(resource int) string) {
	for i, err := range encoded.Rejected {
		err.Resource = nameOf(f.rejectedOf[i])
	}
	for i, err := range encoded.Truncated {
		err.Resource = nameOf(f.truncatedOf[i])
	}
}
