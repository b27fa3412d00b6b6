// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
)

type httpConnection struct {
	client *http.Client
	url    string
}

func dialHTTP(address string) *httpConnection {
	return &httpConnection{&http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}, "http://" + address + "/v1/logs"}
}

// Send sends a request.
func (c *httpConnection) Send(ctx context.Context, request []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(request))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	response, err := c.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	switch response.StatusCode {
	case http.StatusOK:
		return checkAnswer(answer)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return fmt.Errorf("%w: %s", ErrFull, response.Status)
	default:
		return fmt.Errorf("the collector answers %s: %q", response.Status, answer)
	}
}

// Close closes the connection.
func (c *httpConnection) Close() error {
	c.client.CloseIdleConnections()
	return nil
}
