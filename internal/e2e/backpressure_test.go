// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// TestBackPressureReachesClients throttles every record until the queue is full and a client gets UNAVAILABLE or status
// 503. When the shards have room, the client sends the request again. No accepted request is lost.
func TestBackPressureReachesClients(t *testing.T) {
	tests := []struct {
		name   string
		client func(*testing.T, *collector) send
		full   func(t *testing.T, err error) // requires the error of a full queue
	}{
		{"grpc", grpcClient, func(t *testing.T, err error) {
			assert.Equal(t, codes.Unavailable, status.Code(err), "%v", err)
		}},
		{"http", httpClient, func(t *testing.T, err error) {
			var answer *statusError
			require.ErrorAs(t, err, &answer)
			assert.Equal(t, http.StatusServiceUnavailable, answer.status, "%v", err)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx := peers.Context(t)
			k, endpoint := newKinesis(t, kpltest.Config{})
			free := k.Inject(kpltest.ForOperation(kpltest.OpPutRecords,
				kpltest.FailRecordFraction(kpltest.CodeThrottled, 1)))
			c := startCollector(t, settings{kinesis: endpoint, overrides: append(patient(),
				"exporters::kinesis_kpl::sending_queue: {sizer: requests, queue_size: 5, num_consumers: 2}",
			)})
			send := test.client(t, c)
			accepted, last, err := fill(ctx, t, send)
			test.full(t, err)
			assert.Less(t, len(accepted), 10, "requests accepted by a queue of 5 and 2 consumers")
			assert.Empty(t, k.Records(stream))

			free()
			peers.Until(ctx, t, func() error { return send(ctx, last) })
			c.Terminate(t)
			require.NoError(t, c.Wait(ctx, t))
			stored := storedItems(t, k)
			for _, r := range append(accepted, last) {
				for _, item := range r.items {
					require.Equal(t, 1, stored[item], "copies of %s", item)
				}
			}
		})
	}
}

// fill sends requests until one is not accepted. It returns that one as last, with its error.
func fill(ctx context.Context, t *testing.T, send send) (accepted []request, last request, err error) {
	t.Helper()
	for i := 0; ; i++ {
		r := signals[marshaler.Logs](t, fmt.Sprint("request-", i), 3)
		if err := send(ctx, r); err != nil {
			return accepted, r, err
		}
		accepted = append(accepted, r)
	}
}
