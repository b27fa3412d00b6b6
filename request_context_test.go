// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"net"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/otel/trace"
)

// Until its caller returns, a request has the context of the caller. Then it keeps the span and the client.
func TestRequestContext(t *testing.T) {
	type key struct{}
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
	info := client.Info{
		Addr: &net.TCPAddr{Port: 1}, Metadata: client.NewMetadata(map[string][]string{"tenant": {"blue"}}),
	}
	caller, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "value"), time.Hour)
	caller = client.NewContext(trace.ContextWithSpanContext(caller, span), info)
	r := &request{}
	c := newRequestContext(caller, r)
	assert.Same(t, r, requestOf(context.WithoutCancel(c)))
	assert.Equal(t, "value", c.Value(key{}))
	deadline, ok := c.Deadline()
	assert.True(t, ok)
	assert.Positive(t, time.Until(deadline))
	inner, stop := context.WithCancel(c)
	defer stop()
	cancel()
	require.ErrorIs(t, c.Err(), context.Canceled)
	<-inner.Done()

	c.detach()
	require.NoError(t, c.Err())
	assert.Nil(t, c.Done())
	_, ok = c.Deadline()
	assert.False(t, ok)
	assert.Nil(t, c.Value(key{}))
	assert.Equal(t, span, trace.SpanContextFromContext(c))
	assert.Equal(t, info, client.FromContext(c))
	assert.Same(t, r, requestOf(c))
}

// What the caller's context holds is free once the caller has returned, although the request waits.
func TestRequestContextFreesTheCaller(t *testing.T) {
	type key struct{}
	connection := new([1 << 16]byte)
	held := weak.Make(connection)
	c := newRequestContext(context.WithValue(t.Context(), key{}, connection), &request{})
	stored := context.WithoutCancel(c)
	connection = nil
	runtime.GC()
	assert.NotNil(t, held.Value())
	c.detach()
	runtime.GC()
	assert.Nil(t, held.Value())
	runtime.KeepAlive(stored)
	_ = connection
}
