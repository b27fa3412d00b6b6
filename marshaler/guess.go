// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"runtime"
	"sync"
)

// sizeGuess guesses how many bytes a push takes, from the pushes before. To count the bytes exactly, pdata has to be walked
// through once more, which costs as much as to encode it. Any number of goroutines may use a sizeGuess at the same time.
type sizeGuess struct {
	mu sync.Mutex
	// perItem is how many bytes an item takes. It is guarded by mu.
	perItem average
	// items is how many items a push has. It tells which pushes are too unlike the others for a guess. It is guarded by mu.
	items average
}

const (
	// A guess is above the mean by guessMargin, as a part of the mean, and by guessSpreads mean deviations. A guess that is
	// too small costs a second attempt.
	guessMargin  = 1.0 / 64
	guessSpreads = 3
	// maxGuess is how many times the mean a guess is at most. Where it would be more, pushes differ too much for a guess.
	maxGuess = 2
	// alike is how many times more or fewer items than usual a push may have for a guess. It limits how much memory a wrong
	// guess can take.
	alike = 4
)

// of returns a size that is probably enough for a push with so many items. It returns 0 if nothing can be said.
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

// learn takes in the size of a push. It must have at least one byte and one item.
func (g *sizeGuess) learn(bytes, items int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.perItem.learn(float64(bytes) / float64(items))
	g.items.learn(float64(items))
}

// size returns about how many bytes a push with so many items takes. It returns 0 if nothing is known yet.
func (g *sizeGuess) size(items int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return int(float64(items) * g.perItem.mean)
}

// write encodes pdata with so many items into a buffer, behind as many free bytes as room says. The buffer has a guessed size, if
// that is enough. It returns false if pdata does not have the size that it says.
func (p *buffers) write(room int, source encodable, items int, g *sizeGuess) (*buffer, bool) {
	b, ok := p.writeBehind(room, source, g.of(items))
	if ok {
		g.learn(len(b.data)-room, items)
	}
	return b, ok
}

// writeBehind encodes pdata into a buffer, behind as many free bytes as room says. If the guess is not 0, it tries a buffer
// with as many bytes first. It returns false if pdata does not have the size that it says.
func (p *buffers) writeBehind(room int, source encodable, guess int) (*buffer, bool) {
	if guess > 0 {
		b := p.get(room + guess)
		if n, ok := tryMarshal(source, b.data[room:]); ok {
			b.skip(guess - n)
			return b, true
		}
		b.release()
	}
	size := source.SizeProto()
	b := p.get(room + size)
	if source.MarshalProto(b.data[room:]) != size {
		b.release()
		return nil, false
	}
	return b, true
}

// tryMarshal encodes pdata to the end of buf. It returns false if buf is too short. The generated code of pdata reports that
// by a panic with an index out of range. By then it has written to nothing but buf.
//
// Any other error of that kind is taken for a short buffer too. It happens again when pdata is encoded with its exact size,
// and is not recovered there.
func tryMarshal(source encodable, buf []byte) (n int, ok bool) {
	defer func() {
		switch err := recover().(type) {
		case nil:
		case runtime.Error:
			n, ok = 0, false
		default:
			panic(err)
		}
	}()
	return source.MarshalProto(buf), true
}
