// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/otel/trace"
)

// requestKey is the key of the request in a context.
type requestKey struct{}

// requestOf returns the request that a context carries.
func requestOf(ctx context.Context) *request { return ctx.Value(requestKey{}).(*request) }

// requestContext is the context of a request in the queue. Until detach it is the context of the caller. Afterwards it has only
// the values that matter later: the span and what is known of the client. The queue would keep the memory of a whole
// connection of gRPC otherwise.
type requestContext struct {
	request *request
	caller  atomic.Pointer[callerContext] // nil after detach
	values  context.Context
}

// callerContext makes an interface a type that an atomic.Pointer takes.
type callerContext struct{ context.Context }

// newRequestContext returns the context of a request whose caller has the context ctx.
func newRequestContext(ctx context.Context, r *request) *requestContext {
	c := &requestContext{request: r, values: context.Background()}
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		c.values = trace.ContextWithSpanContext(c.values, span)
	}
	if info := client.FromContext(ctx); !isEmpty(&info) {
		c.values = client.NewContext(c.values, info)
	}
	c.caller.Store(&callerContext{ctx})
	return c
}

// isEmpty reports whether nothing is known of a client.
func isEmpty(info *client.Info) bool {
	for range info.Metadata.Keys() {
		return false
	}
	return info.Addr == nil && info.Auth == nil
}

// detach ends the use of the caller's context. The caller does not wait any longer.
func (c *requestContext) detach() { c.caller.Store(nil) }

// current returns the context that counts.
func (c *requestContext) current() context.Context {
	if caller := c.caller.Load(); caller != nil {
		return caller.Context
	}
	return c.values
}

// Deadline implements [context.Context].
func (c *requestContext) Deadline() (time.Time, bool) { return c.current().Deadline() }

// Done implements [context.Context].
func (c *requestContext) Done() <-chan struct{} { return c.current().Done() }

// Err implements [context.Context].
func (c *requestContext) Err() error { return c.current().Err() }

// Value implements [context.Context].
func (c *requestContext) Value(key any) any {
	if key == (requestKey{}) {
		return c.request
	}
	return c.current().Value(key)
}
