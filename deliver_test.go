// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.uber.org/zap"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadata"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// Each Result belongs to its message, also after messages that the producer does not accept.
func TestResultsFindTheirMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(1), directConfig()
		k.Inject(failing(kpltest.CodeThrottled, "slow"))
		c.Producer.FailIfThrottled = true
		sessions := newSessions(func(context.Context, *Config, *zap.Logger) (kpl.Client, func(), error) { return k, func() {}, nil })
		set := exportertest.NewNopSettings(metadata.Type)
		running, err := sessions.acquire(t.Context(), c, set)
		require.NoError(t, err)
		p, err := newPusher(c, set, marshaler.Logs)
		require.NoError(t, err)
		p.start(running)

		tooLarge := bytes.Repeat([]byte("x"), c.Producer.MaxRecordSize+1)
		v := p.newVerdict()
		messages := appendMessages(nil, []marshaler.Message{
			{Data: tooLarge, Items: 1},
			{Data: []byte("first"), Items: 10},
			{Data: tooLarge, Items: 100},
			{Data: tooLarge, Items: 1000},
			{Data: []byte("slow"), Items: 10_000},
			{Data: []byte("last"), Items: 100_000},
			{Data: tooLarge, Items: 1_000_000},
		})
		p.deliver(t.Context(), messages, v)
		assert.Equal(t, 100_010, v.delivered)
		assert.Equal(t, 1_001_101, v.dropped)
		assert.Equal(t, 10_000, v.left)
		left := (&request{messages: messages}).left()
		require.Len(t, left, 1)
		assert.Equal(t, "slow", string(left[0].Data))
		require.NoError(t, sessions.release(context.WithoutCancel(t.Context()), c, running))
	})
}
