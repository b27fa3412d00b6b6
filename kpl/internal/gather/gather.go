// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package gather writes what TLS has encrypted to the network in larger pieces, because each write is a system call.
package gather

import (
	"context"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"
)

// pieceSize is how many bytes are written at a time at most: eight TLS records. Without gathering, each record would be a
// system call of its own. A piece twice as large would gain little, and each connection in use has one.
const pieceSize = 8 * (16<<10 + 256)

// goodbyeTime is how long a connection that is being closed may take to tell the other side so.
const goodbyeTime = 100 * time.Millisecond

// Transport is an [http.Transport] whose connections with TLS gather the records of a request. Its requests must not need
// an answer before their end, as with "Expect: 100-continue", nor have bodies that come slowly.
type Transport struct{ transport *http.Transport }

// NewTransport returns a Transport that takes over t, which speaks HTTP/1.1 alone.
func NewTransport(t *http.Transport) Transport {
	dial := t.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &conn{Conn: c}, nil
	}
	return Transport{t}
}

// RoundTrip implements [http.RoundTripper].
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	var last atomic.Pointer[conn] // a request can get another connection while it is still being written to a broken one
	trace := &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			c := below(info.Conn)
			if c != nil {
				c.gather()
			}
			last.Store(c)
		},
		WroteRequest: func(httptrace.WroteRequestInfo) {
			if c := last.Load(); c != nil {
				c.release()
			}
		},
	}
	return t.transport.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
}

// CloseIdleConnections closes what no request uses.
func (t Transport) CloseIdleConnections() { t.transport.CloseIdleConnections() }

// below returns the connection that is below TLS, nil if there is no TLS, or another connection.
func below(secured net.Conn) *conn {
	for {
		layer, ok := secured.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		secured = layer.NetConn()
		if c, ok := secured.(*conn); ok {
			return c
		}
	}
}

// conn is a connection that gathers what is written between gather and release.
type conn struct {
	net.Conn

	mu        sync.Mutex // orders writes, as one on a socket does; so it is held while they block
	gathering bool       // guarded by mu
	piece     []byte     // guarded by mu
	err       error      // of the write that failed; guarded by mu
}

func (c *conn) gather() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gathering = true
	if c.piece == nil {
		c.piece = make([]byte, 0, pieceSize)
	}
}

// release writes what is gathered. A connection that fails then is closed, so that nobody waits for an answer.
func (c *conn) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gathering = false
	if c.flush() != nil {
		_ = c.Close()
	}
}

// Write implements [net.Conn].
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.piece)+len(p) > cap(c.piece) || !c.gathering {
		if err := c.flush(); err != nil {
			return 0, err
		}
	}
	if !c.gathering || len(p) > cap(c.piece) {
		return c.Conn.Write(p)
	}
	c.piece = append(c.piece, p...)
	return len(p), nil
}

// SetWriteDeadline implements [net.Conn]. TLS sets a deadline of 5 s when it closes a connection, for the message that says so.
// That message waits for a release that is still writing. If the other side reads nothing, both would wait for all of the 5 s,
// and so would the call whose context has ended.
func (c *conn) SetWriteDeadline(t time.Time) error {
	if latest := time.Now().Add(goodbyeTime); t.After(latest) {
		t = latest
	}
	return c.Conn.SetWriteDeadline(t)
}

// flush writes the piece. The caller holds mu.
func (c *conn) flush() error {
	if len(c.piece) > 0 && c.err == nil {
		_, c.err = c.Conn.Write(c.piece)
		c.piece = c.piece[:0]
	}
	return c.err
}
