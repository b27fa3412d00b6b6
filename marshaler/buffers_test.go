// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

func TestSizeClasses(t *testing.T) {
	for _, tt := range []struct{ size, capacity int }{
		{0, 256}, {1, 256}, {256, 256}, {257, 288}, {288, 288}, {289, 320}, {512, 512}, {51_184, 53_248}, {maxKept, maxKept},
	} {
		_, capacity := sizeClass(tt.size)
		assert.Equal(t, tt.capacity, capacity, tt.size)
	}
	var p buffers
	last, lastPlace := 0, -1
	for size := 1; size <= maxKept; size += 1 + size/1000 {
		place, capacity := sizeClass(size)
		require.GreaterOrEqual(t, capacity, size)
		if size > minKept {
			require.LessOrEqual(t, 9*(capacity-size), capacity, size)
		}
		if capacity != last {
			require.Greater(t, place, lastPlace, size)
			last, lastPlace = capacity, place
		}
		require.Equal(t, lastPlace, place, "one size, one place")
		require.Less(t, place, len(p.kept))
	}
}

// A buffer is lent to one user at a time. Very large buffers are not kept.
func TestBuffersAreLentOnce(t *testing.T) {
	var p buffers
	first, second := p.get(1000), p.get(1000)
	assert.Len(t, first.data, 1000)
	assert.NotSame(t, &first.data[0], &second.data[0])
	first.release()
	second.release()
	huge := p.get(maxKept + 1)
	assert.Len(t, huge.data, maxKept+1)
	assert.Nil(t, huge.home)
	huge.release()
	(*buffer)(nil).release()
}

// A message holds no more memory than its size takes, although the buffer that a push is encoded into has a guessed size.
func TestMessagesHoldTheirSizeOnly(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	for _, c := range []Config{
		usual(OTLPProto), usual(OTLPJSON),
		{Encoding: OTLPProto, TargetSize: 51_200, MaxSize: 1 << 20, Compression: Snappy},
		{Encoding: OTLPProto, TargetSize: 400, MaxSize: 1 << 20},
	} {
		m := mustNew(t, c)
		slack := 0
		check := func(encoded Encoded, err error) {
			require.NoError(t, err)
			for i := range encoded.Messages {
				message := &encoded.Messages[i]
				require.GreaterOrEqual(t, message.Memory(), len(message.Data))
				require.LessOrEqual(t, 8*message.Memory(), max(9*len(message.Data), 8*minKept))
				slack += message.Memory() - len(message.Data)
			}
			encoded.Release()
			for i := range encoded.Messages {
				require.Zero(t, encoded.Messages[i].Memory())
			}
		}
		for range 200 {
			logs := plog.NewLogs()
			text := strings.Repeat("x", r.IntN(3000))
			if r.IntN(10) == 0 {
				text += "\xff"
			}
			addLogs(logs, "r", text, text)
			check(m.MarshalLogs(logs))
			check(m.MarshalEncoded(Logs, logsData{logs}.whole(t, &Marshaler{codec: newCodec(OTLPProto)})))
		}
		assert.Positive(t, slack)
	}
}

// What a push is encoded into is copied to a smaller buffer only if that saves memory.
func TestFittingBuffer(t *testing.T) {
	var p buffers
	b := p.get(1000)
	copy(b.data, "some text")
	b.data = b.data[:990]
	assert.Same(t, b, p.fit(b), "the size class is the same")
	b.data = b.data[:600]
	fitting := p.fit(b)
	assert.Len(t, fitting.all, 640)
	assert.Equal(t, "some text", string(fitting.data[:9]))
	assert.Nil(t, b.data, "it is released")

	foreign := &buffer{data: make([]byte, 600, 2000)}
	assert.Len(t, p.fit(foreign).all, 640)
	exact := &buffer{data: make([]byte, 600)}
	assert.Same(t, exact, p.fit(exact))
	huge := p.get(maxKept + 1)
	assert.Same(t, huge, p.fit(huge))
	huge.skip(maxKept / 2)
	assert.Len(t, p.fit(huge).data, maxKept/2+1)
}
