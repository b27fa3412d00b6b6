// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io"
	"math/bits"
	"sync"

	"google.golang.org/grpc/mem"
)

// bodyPool has the memory of requests, by the number of bits of its size. All sizes are powers of two. Unlike the pools of
// package mem, it does not clear memory.
type bodyPool [bits.UintSize]sync.Pool

// Get returns memory of a length. Its capacity is less than twice as much, or smallBody.
func (p *bodyPool) Get(length int) *[]byte {
	size := sizeOf(length)
	if b, ok := p[size].Get().(*[]byte); ok {
		*b = (*b)[:length]
		return b
	}
	b := make([]byte, length, 1<<size)
	return &b
}

// Put gives memory back that Get returned.
func (p *bodyPool) Put(b *[]byte) { p[sizeOf(cap(*b))].Put(b) }

// smallBody is the smallest capacity of memory, in bytes.
const smallBody = 4 << 10

// sizeOf returns the number of bits of the capacity that memory of a length has.
func sizeOf(length int) int { return bits.Len(uint(max(length, smallBody) - 1)) }

// read reads a body to its end. The body has as many bytes as expected, or more. The lease grows with it. The error is errNoRoom,
// errBodyTooLarge, or one of the body.
func (g *gateway) read(ctx context.Context, body io.Reader, expected int, l *lease) (mem.Buffer, error) {
	buffer, err := g.room(ctx, min(expected, g.maxBody), l)
	if err != nil {
		return nil, err
	}
	for n := 0; ; {
		if n == cap(*buffer) {
			larger, err := g.room(ctx, 2*n, l)
			if err != nil {
				g.bodies.Put(buffer)
				return nil, err
			}
			copy(*larger, *buffer)
			g.bodies.Put(buffer)
			buffer = larger
		}
		more, err := body.Read((*buffer)[n:cap(*buffer)])
		n += more
		*buffer = (*buffer)[:n]
		switch {
		case n > g.maxBody:
			err = errBodyTooLarge
		case errors.Is(err, io.EOF):
			return mem.NewBuffer(buffer, g.bodies), nil
		}
		if err != nil {
			g.bodies.Put(buffer)
			return nil, err
		}
	}
}

// room returns memory for so many bytes, once the budget has room.
func (g *gateway) room(ctx context.Context, bytes int, l *lease) (*[]byte, error) {
	if err := l.grow(ctx, 1<<sizeOf(bytes)); err != nil {
		return nil, err
	}
	return g.bodies.Get(bytes), nil
}
