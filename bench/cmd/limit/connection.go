// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
)

// connection posts over one connection that stays open. Each request is one write, and no goroutine stands between.
type connection struct {
	net.Conn

	host    string
	content string // the type of bodies
	answers *bufio.Reader
	head    []byte
}

// dial opens a connection to an HTTP server for bodies of a type.
func dial(ctx context.Context, endpoint, contentType string) (*connection, error) {
	at, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", at.Host)
	if err != nil {
		return nil, err
	}
	return &connection{Conn: conn, host: at.Host, content: contentType, answers: bufio.NewReader(conn)}, nil
}

// post posts a body with the hash that a signature needs, and reads the answer.
func (c *connection) post(body []byte, hash string) error {
	c.head = fmt.Appendf(c.head[:0], "POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\n"+
		"X-Amz-Target: Kinesis_20131202.PutRecords\r\nX-Amz-Content-Sha256: %s\r\nContent-Length: %d\r\n\r\n",
		c.host, c.content, hash, len(body))
	if _, err := (&net.Buffers{c.head, body}).WriteTo(c.Conn); err != nil {
		return err
	}
	answer, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // there is nothing to be lost
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the sink says %s", answer.Status)
	}
	return nil
}
