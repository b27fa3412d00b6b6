package kpl

import (
	"errors"
	"io"

	"github.com/segmentio/asm/base64"
)

// requestBody is the body of a PutRecords request. It encodes the data of the records while it is read, straight into the
// reader's memory: once to be hashed, once to be sent. To do so twice costs less than to write all of it to memory and to
// read it from there twice, and a request on its way takes no memory beside that of its records.
type requestBody struct {
	text   []byte // all but the data
	parts  []bodyPart
	binary bool // the data stands for itself, else it is written in base64
	size   int

	// Where the reader is.
	left    int    // bytes to come
	part    int    // that is being read
	written int    // bytes of text that have been read
	rest    []byte // of the part's data
	spilled []byte // of spill: base64 that the reader had no room for
	spill   [4]byte

	scratch [16 << 10]byte // what is written to a hash; it fits the innermost cache
}

// bodyPart is text up to an end, and then data.
type bodyPart struct {
	textEnd int
	data    []byte
}

// begin starts a new body, with binary data or with base64.
func (b *requestBody) begin(binary bool) {
	b.text, b.parts, b.binary, b.size = b.text[:0], b.parts[:0], binary, 0
}

// add puts data behind the text. It is kept, not copied.
func (b *requestBody) add(data []byte) {
	b.parts = append(b.parts, bodyPart{len(b.text), data})
	if b.binary {
		b.size += len(data)
	} else {
		b.size += base64.StdEncoding.EncodedLen(len(data))
	}
}

// end completes the body, with the reader at its start.
func (b *requestBody) end() {
	b.add(nil)
	b.size += len(b.text)
	b.rewind()
}

// forget lets go of the data of the records. The body is empty then.
func (b *requestBody) forget() {
	clear(b.parts)
	b.parts, b.rest, b.size, b.left = b.parts[:0], nil, 0, 0
}

func (b *requestBody) rewind() {
	b.left, b.part, b.written, b.spilled = b.size, 0, 0, nil
	b.rest = b.parts[0].data
}

// Len returns how many bytes are still to be read, which is how the SDK learns the length of a body.
func (b *requestBody) Len() int { return b.left }

// Seek implements [io.Seeker] as far as the SDK needs it: to tell the position, and to go back to the start.
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

var errSeek = errors.New("kpl: the body of a request can only be read from its start")

// WriteTo writes what is left to w. The SDK hashes a body with it. The HTTP client must not see it, see [plainbody.Client].
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

// piece returns some of the bytes that come next, as they are in memory if they are in memory.
func (b *requestBody) piece() []byte {
	if !b.binary {
		return b.scratch[:b.fill(b.scratch[:])]
	}
	if len(b.rest) == 0 && b.written == b.parts[b.part].textEnd {
		b.part++
		b.rest = b.parts[b.part].data
	}
	piece := b.text[b.written:b.parts[b.part].textEnd]
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

// fill writes as many bytes to p as there are and as it holds.
func (b *requestBody) fill(p []byte) int {
	n, most := 0, min(len(p), b.left)
	for n < most {
		n += b.next(p[n:])
	}
	b.left -= n
	return n
}

// next writes some of the bytes that come next to p, which is not empty. It writes none where a part ends.
func (b *requestBody) next(p []byte) int {
	end := b.parts[b.part].textEnd
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
		b.part++
		b.rest = b.parts[b.part].data
		return 0
	}
}

// encode writes as much of the part's data to p as fits, in base64.
func (b *requestBody) encode(p []byte) int {
	data := b.rest
	if whole := len(p) / 4 * 3; whole < len(data) {
		data = data[:whole]
	}
	if len(data) > 0 {
		n := base64.StdEncoding.EncodedLen(len(data))
		base64.StdEncoding.Encode(p[:n], data) // vectorised: it costs a tenth of the standard one
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
