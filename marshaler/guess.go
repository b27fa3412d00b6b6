package marshaler

import (
	"runtime"
	"sync"
)

// sizeGuess guesses how many bytes a request takes from those before. To count them exactly is a walk through all of it,
// which costs as much as to write it. Any number of goroutines may use one at the same time.
type sizeGuess struct {
	mu      sync.Mutex
	perItem average // bytes; guarded by mu
	items   average // of a request; guarded by mu
}

const (
	// guessMargin and guessSpreads make guesses rather too large: the part of the mean, and the mean deviations, above it.
	guessMargin  = 1.0 / 64
	guessSpreads = 3
	// maxGuess is how many times the mean a guess is at most: beyond that, requests differ too much.
	maxGuess = 2
	// alike is how many times more or fewer items than usual a request has at most for a guess. It bounds how much memory a
	// wrong guess can take.
	alike = 4
)

// of returns a size for a request with so many items, which is most probably enough. It returns 0 if there is no telling.
func (g *sizeGuess) of(items int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := float64(items)
	if n*alike < g.items.mean || n > g.items.mean*alike {
		return 0
	}
	factor := 1 + guessMargin + guessSpreads*g.perItem.spread
	if factor > maxGuess {
		return 0
	}
	return int(n * g.perItem.mean * factor)
}

// learn takes in the size of a request.
func (g *sizeGuess) learn(bytes, items int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.perItem.learn(float64(bytes) / float64(items))
	g.items.learn(float64(items))
}

// size returns about how many bytes a request with so many items takes. It returns 0 if there is no telling.
func (g *sizeGuess) size(items int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return int(float64(items) * g.perItem.mean)
}

// write writes a message with so many items into memory that is there already, of a guessed size if that is enough. It
// returns false if the message does not keep to its own size.
func (p *buffers) write(message wireMessage, items int, g *sizeGuess) (*buffer, bool) {
	b, ok := p.writeBehind(0, message, g.of(items))
	if ok {
		g.learn(len(b.data), items)
	}
	return b, ok
}

// writeBehind writes a message behind room for some bytes, in memory for so many as the guess says if they are enough and
// it is not 0. It returns false if the message does not keep to its own size.
func (p *buffers) writeBehind(room int, message wireMessage, guess int) (*buffer, bool) {
	if guess > 0 {
		b := p.get(room + guess)
		if n, ok := tryMarshal(message, b.data[room:]); ok {
			b.data = b.data[guess-n:]
			return b, true
		}
		b.release()
	}
	size := message.SizeProto()
	b := p.get(room + size)
	if message.MarshalProto(b.data[room:]) != size {
		b.release()
		return nil, false
	}
	return b, true
}

// tryMarshal writes message to the end of buf, which may be too short for it. Generated code has no other way to say so
// than an index out of range; nothing but buf has been written to then. Whatever else may be wrong with the message
// happens again when it is written with its exact size.
func tryMarshal(message wireMessage, buf []byte) (n int, ok bool) {
	defer func() {
		switch err := recover().(type) {
		case nil:
		case runtime.Error:
			n, ok = 0, false
		default:
			panic(err)
		}
	}()
	return message.MarshalProto(buf), true
}
