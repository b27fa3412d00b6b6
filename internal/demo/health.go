// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
)

// componentStatus makes the extension health_check show the status of components.
const componentStatus = "--feature-gates=extension.healthcheck.useComponentStatus"

// health is what the extension health_check tells of a component, and of the components in it.
type health struct {
	Status     string            `json:"status"`
	Error      string            `json:"error"`
	Components map[string]health `json:"components"`
}

// exporterStatus asks the extension health_check, which listens on a Unix socket, for the status of the exporter of logs.
func exporterStatus(ctx context.Context, socket string) (health, error) {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://collector/status?verbose", http.NoBody)
	if err != nil {
		return health{}, err
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return health{}, fmt.Errorf("the health check: %w", err)
	}
	defer answer.Body.Close() //nolint:errcheck // It has been read.
	var all health
	if err := json.NewDecoder(answer.Body).Decode(&all); err != nil {
		return health{}, fmt.Errorf("the health check: %w", err)
	}
	exporter, found := all.Components["pipeline:logs"].Components["exporter:kinesis_kpl"]
	if !found {
		return health{}, fmt.Errorf("the health check shows no exporter: %+v", all)
	}
	return exporter, nil
}
