// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/base64"
	"errors"
	"io"
)

// requestBody is the body of a PutRecords request. It encodes the data of the records while it is read, straight into the
// memory of the reader. The SDK reads it twice: once to hash it, once to send it. So a request that is being sent takes no
// memory beside that of its records.
//
// The text of a body is all of it but the data of the records. It is written at once, and the data is put in while reading.
type requestBody struct {
	text   []byte
	parts  []part
	binary bool // data is written as it is; else in base64
	size   int  // bytes of the whole body

	// How far the body has been read.
	left    int     // bytes that are still to be read
	current int     // the part that is being read
	written int     // bytes of text that have been read
	rest    []byte  // of the data of the current part
	spilled []byte  // the part of spill that is still to be read
	spill   [4]byte // base64 that the reader had no room for

	scratch [16 << 10]byte // what is written to a hash; it fits into the innermost cache
}

// part is a piece of a body: text up to an end, and then data.
type part struct {
	textEnd int
	data    []byte
}

// begin starts a new body, with data as it is or in base64.
func (b *requestBody) begin(binary bool) {
	b.text, b.parts, b.binary, b.size = b.text[:0], b.parts[:0], binary, 0
}

// add puts data behind the text that there is. The data is not copied: it must not change until the request is sent.
func (b *requestBody) add(data []byte) {
	b.parts = append(b.parts, part{len(b.text), data})
	if b.binary {
		b.size += len(data)
	} else {
		b.size += base64.StdEncoding.EncodedLen(len(data))
	}
}

// end completes the body. It can be read then, from its start.
func (b *requestBody) end() {
	b.add(nil)
	b.size += len(b.text)
	b.rewind()
}

// forget lets go of the data of the records. The body is empty after that.
func (b *requestBody) forget() {
	clear(b.parts)
	b.parts, b.rest, b.size, b.left = b.parts[:0], nil, 0, 0
}

// rewind makes the next read begin at the start of the body.
func (b *requestBody) rewind() {
	b.left, b.current, b.written, b.spilled = b.size, 0, 0, nil
	b.rest = b.parts[0].data
}

// Len returns how many bytes are still to be read. The SDK asks for the length of a body so.
func (b *requestBody) Len() int { return b.left }

// Seek implements [io.Seeker] as far as the SDK needs it: it tells the position, and goes back to the start.
func (b *requestBody) Seek(offset int64, whence int) (int64, error) {
	switch {
	case offset == 0 && whence == io.SeekCurrent:
	case offset == 0 && whence == io.SeekStart:
		b.rewind()
	default:
		return 0, errSeek
	}
	return int64(b.size - b.left), nil
}

var errSeek = errors.New("wire: the body of a request can only be read from its start")

// WriteTo writes what is left to w. The SDK hashes a body with it. The HTTP client must not see this method; the package
// plainbody hides it and says why.
func (b *requestBody) WriteTo(w io.Writer) (written int64, err error) {
	for b.left > 0 {
		var n int
		n, err = w.Write(b.piece())
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// piece returns some of the bytes that come next. Bytes that are in memory as they are sent are not copied.
func (b *requestBody) piece() []byte {
	if !b.binary {
		return b.scratch[:b.fill(b.scratch[:])]
	}
	if len(b.rest) == 0 && b.written == b.parts[b.current].textEnd {
		b.current++
		b.rest = b.parts[b.current].data
	}
	piece := b.text[b.written:b.parts[b.current].textEnd]
	if len(piece) > 0 {
		b.written += len(piece)
	} else {
		piece, b.rest = b.rest, nil
	}
	b.left -= len(piece)
	return piece
}

// Read implements [io.Reader].
func (b *requestBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	return b.fill(p), nil
}

// fill writes the bytes that come next to p, until p is full or no bytes are left.
func (b *requestBody) fill(p []byte) int {
	n, most := 0, min(len(p), b.left)
	for n < most {
		n += b.next(p[n:])
	}
	b.left -= n
	return n
}

// next writes some of the bytes that come next to p, which must not be empty. It writes none where a part ends.
func (b *requestBody) next(p []byte) int {
	end := b.parts[b.current].textEnd
	switch {
	case b.written < end:
		n := copy(p, b.text[b.written:end])
		b.written += n
		return n
	case len(b.spilled) > 0:
		n := copy(p, b.spilled)
		b.spilled = b.spilled[n:]
		return n
	case len(b.rest) > 0 && b.binary:
		n := copy(p, b.rest)
		b.rest = b.rest[n:]
		return n
	case len(b.rest) > 0:
		return b.encode(p)
	default:
		b.current++
		b.rest = b.parts[b.current].data
		return 0
	}
}

// encode writes as much of the rest of the data to p as fits, in base64.
func (b *requestBody) encode(p []byte) int {
	data := b.rest
	if whole := len(p) / 4 * 3; whole < len(data) {
		data = data[:whole]
	}
	if len(data) > 0 {
		n := base64.StdEncoding.EncodedLen(len(data))
		base64.StdEncoding.Encode(p[:n], data)
		b.rest = b.rest[len(data):]
		return n
	}
	data = b.rest[:min(3, len(b.rest))]
	base64.StdEncoding.Encode(b.spill[:], data)
	b.rest = b.rest[len(data):]
	n := copy(p, b.spill[:])
	b.spilled = b.spill[n:]
	return n
}
