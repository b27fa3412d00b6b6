// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"bytes"
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// replacement stands in place of each run of bytes that are not valid UTF-8, as in [strings.ToValidUTF8].
const replacement = "\uFFFD"

// Mended says what was changed in a push so that strict readers can decode its messages. The zero value means that nothing
// was changed.
type Mended struct {
	// Texts is the number of strings with invalid UTF-8. In each of them, U+FFFD replaces each run of invalid bytes.
	Texts int
	// Values is the number of lists and maps that lay too deep. Each of them was replaced by its JSON text.
	Values int
	// Resource is an attribute that names the first resource with such a string or value, such as "service.name=checkout".
	// The resource has at least one such string or value in itself or in its items. Resource is empty if the resource has no
	// attribute that names it.
	Resource string
}

// Any reports whether anything was changed.
func (m Mended) Any() bool { return m.Texts > 0 || m.Values > 0 }

// dictionaryPlace is the position of what is no resource. No push has as many resources.
const dictionaryPlace = math.MaxInt

// mender copies encoded OTLP and changes what strict readers do not decode. See ADR 20.
type mender struct {
	// texts and values are what was changed so far.
	texts, values int
	// resource is the position of the current resource in the push. While the dictionary of profiles is copied, it is
	// dictionaryPlace.
	resource int
	// first is the position of the first resource with a change. It means nothing before the first change.
	first int
}

// mended returns what was changed in the push.
func (m *mender) mended(p *push) Mended {
	result := Mended{Texts: m.texts, Values: m.values}
	if result.Any() && m.first < p.resources {
		result.Resource = nameOf(p.attributes(m.first))
	}
	return result
}

// note remembers the current resource if it is the first with a change.
func (m *mender) note() {
	if m.texts == 0 && m.values == 0 {
		m.first = m.resource
	}
}

// append appends a message of the kind to dst. The parameter depth is how many messages are around it. It returns false for
// malformed data.
func (m *mender) append(dst, data []byte, k kind, depth int) (out []byte, ok bool) {
	l := &textLayouts[k]
	for pos := 0; pos < len(data); {
		f, ok := readField(data, pos)
		if !ok {
			return nil, false
		}
		whole, content := data[pos:f.end], data[f.start:f.end]
		pos = f.end
		inner := l.kindOf(f)
		resource := m.resource
		if inner == profilesDictionary {
			m.resource = dictionaryPlace
		}
		switch {
		case l.isText(f) && !utf8.Valid(content):
			m.note()
			m.texts++
			dst = appendBytes(dst, f.number, bytes.ToValidUTF8(content, []byte(replacement)))
		case inner == opaque, textLayouts[inner].numbers && isClean(content, inner, depth+1): // an item, as a rule
			dst = append(dst, whole...)
		case isTooDeep(inner, depth+1):
			m.note()
			m.values++
			dst = appendBytes(dst, valueString, textOf(whole))
		default:
			if dst, ok = m.appendInner(dst, f.number, content, inner, depth+1); !ok {
				return nil, false
			}
		}
		switch {
		case inner == profilesDictionary:
			m.resource = resource
		case depth == 0:
			m.resource++
		}
	}
	return dst, true
}

// appendInner appends the message in a field. Its length, which stands in front of it, is corrected afterwards.
func (m *mender) appendInner(dst []byte, number int, content []byte, k kind, depth int) (out []byte, ok bool) {
	dst = protowire.AppendTag(dst, protowire.Number(number), protowire.BytesType) //nolint:gosec // at most 15
	length := len(dst)
	dst = protowire.AppendVarint(dst, unsigned(len(content)))
	start := len(dst)
	if dst, ok = m.append(dst, content, k, depth); ok {
		dst = withLength(dst, length, start, len(content))
	}
	return dst, ok
}

// appendBytes appends a field with the content.
func appendBytes(dst []byte, number int, content []byte) []byte {
	dst = protowire.AppendTag(dst, protowire.Number(number), protowire.BytesType) //nolint:gosec // at most 15
	return protowire.AppendBytes(dst, content)
}

// mend returns a buffer that strict readers decode. That is the buffer itself unless something has to be changed in it. Otherwise
// the buffer is released. The encoded resources lie behind as many free bytes as room says. Malformed data is not changed:
// an attempt to cut it fails.
func (f *filler) mend(b *buffer, room int) *buffer {
	content, k := b.data[room:], f.signal.request()
	if isClean(content, k, 0) {
		return b
	}
	mended := f.buffers.get(len(b.data) + len(content)/16)
	out, ok := f.mender.append(mended.data[:room], content, k, 0)
	switch {
	case !ok:
		mended.release()
		return b
	case len(out) > cap(mended.data):
		mended.release()
		mended = &buffer{}
	}
	b.release()
	mended.data = out
	return mended
}
