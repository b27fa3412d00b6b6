// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package sink

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/result"
)

// Control reads a sink's counts from another process.
type Control struct{ Endpoint string }

// Reset sets all counts to zero.
func (c Control) Reset(ctx context.Context) error {
	_, err := c.call(ctx, http.MethodDelete)
	return err
}

// Counts returns what has been sent since the last reset.
func (c Control) Counts(ctx context.Context) (result.Counts, error) {
	return c.call(ctx, http.MethodGet)
}

func (c Control) call(ctx context.Context, method string) (counts result.Counts, err error) {
	request, err := http.NewRequestWithContext(ctx, method, c.Endpoint+ControlPath, http.NoBody)
	if err != nil {
		return counts, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return counts, err
	}
	defer response.Body.Close() //nolint:errcheck // there is nothing to be lost
	err = json.NewDecoder(response.Body).Decode(&counts)
	return counts, err
}
