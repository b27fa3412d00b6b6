// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakePdata encodes to the given bytes. It counts how often its size is asked for.
type fakePdata struct {
	bytes string
	sizes int
}

func (m *fakePdata) SizeProto() int {
	m.sizes++
	return len(m.bytes)
}

func (m *fakePdata) MarshalProto(buf []byte) int {
	pos := len(buf) - len(m.bytes)
	copy(buf[pos:], m.bytes)
	return len(m.bytes)
}

// writeFake encodes pdata of so many bytes and items. It reports whether the size was guessed rather than counted.
func writeFake(t *testing.T, p *buffers, g *sizeGuess, size, items int) (guessed bool) {
	t.Helper()
	m := &fakePdata{bytes: string(bytes.Repeat([]byte{byte(size)}, size))}
	b, ok := p.write(0, m, items, g)
	require.True(t, ok)
	require.Equal(t, m.bytes, string(b.data))
	b.release()
	return m.sizes == 0
}

func TestSizesAreGuessed(t *testing.T) {
	var p buffers
	var g sizeGuess
	assert.False(t, writeFake(t, &p, &g, 30_000, 100), "nothing is known")
	assert.True(t, writeFake(t, &p, &g, 30_000, 100))
	assert.True(t, writeFake(t, &p, &g, 30_400, 100), "within the margin")
	assert.False(t, writeFake(t, &p, &g, 33_000, 100), "too large, so counted after all")
	for range 5 {
		writeFake(t, &p, &g, 33_000, 100)
	}
	assert.True(t, writeFake(t, &p, &g, 33_000, 100), "which is learned")
	assert.True(t, writeFake(t, &p, &g, 8_000, 26), "four times fewer items are alike enough")
	assert.False(t, writeFake(t, &p, &g, 6_000, 20), "five times fewer are not")
	assert.False(t, writeFake(t, &p, &g, 150_000, 500))
}

func TestSizesThatDifferTooMuchAreCounted(t *testing.T) {
	var p buffers
	var g sizeGuess
	guessed := 0
	for i := range 100 {
		size := 1_000
		if i%2 == 0 {
			size = 10_000
		}
		if writeFake(t, &p, &g, size, 10) {
			guessed++
		}
	}
	assert.Less(t, guessed, 10)
	for range 40 {
		writeFake(t, &p, &g, 1_000, 10)
	}
	assert.True(t, writeFake(t, &p, &g, 1_000, 10), "until they are alike again")
}

func TestGuessesAreBounded(t *testing.T) {
	var g sizeGuess
	for i := range 1_000 {
		size, items := 100+i*7919%5_000, 1+i*104_729%50
		if guess := g.of(items); guess > 0 {
			require.LessOrEqual(t, float64(guess), maxGuess*alike*g.perItem.mean*g.items.mean)
		}
		g.learn(size, items)
	}
}

// lyingPdata has another size than it says.
type lyingPdata struct{ fakePdata }

func (m *lyingPdata) SizeProto() int { return len(m.bytes) + 1 }

// brokenPdata panics.
type brokenPdata struct {
	fakePdata

	with any
}

func (m *brokenPdata) MarshalProto([]byte) int { panic(m.with) }

func TestPdataThatCannotBeWritten(t *testing.T) {
	var p buffers
	var g sizeGuess
	_, ok := p.write(0, &lyingPdata{fakePdata{bytes: "otlp"}}, 1, &g)
	assert.False(t, ok)

	writeFake(t, &p, &g, 4, 1)
	failure := errors.New("broken")
	broken := &brokenPdata{fakePdata{bytes: "otlp"}, failure}
	assert.PanicsWithValue(t, failure, func() { p.write(0, broken, 1, &g) }, "what is no short buffer is not hidden")

	var none *fakePdata
	assert.Panics(t, func() { p.write(0, none, 1, &g) }, "nor what happens with the exact size as well")
}
