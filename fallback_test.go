// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// The exporter logs at its start that encoding is slow. It logs that in no other case.
func TestStartWarnsOfSlowEncoding(t *testing.T) {
	for _, slow := range []bool{false, true} {
		e := newRig(t, factoryFor(newTestKinesis(1)), directConfig())
		if slow { // as in a build with a version of pdata that the marshaler does not know
			e.Logs.(*logsExporter).slow = true
		}
		require.NoError(t, e.Start(t.Context(), e.host))
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a")))
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("b")))
		e.stop(t)

		warnings := e.logs.FilterLevelExact(zapcore.WarnLevel).All()
		if !slow {
			assert.Empty(t, warnings)
			continue
		}
		require.Len(t, warnings, 1)
		assert.Contains(t, warnings[0].Message, "public marshaler")
		assert.Contains(t, warnings[0].ContextMap()["cost"], "CPU time")
		assert.Contains(t, warnings[0].ContextMap()["what_to_do"], "go.mod")
	}
}

// The marshaler does not import kpl, but it counts the bytes of the key that kpl makes for a record without one.
func TestBothPackagesCountTheSameKey(t *testing.T) {
	assert.Equal(t, kpl.KeylessKeySize, marshaler.KeylessKeySize,
		"change both constants together: a message must fill a Kinesis record, key included")
}
