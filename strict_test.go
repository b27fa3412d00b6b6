// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"
)

// broken returns a hundred good log records of checkout, between them one with invalid UTF-8 and one that is nested too deeply.
func broken() plog.Logs {
	logs := oneResource("good", 100)
	records := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.At(40).Body().SetStr("caf\xe9")
	deep := records.At(60).Attributes().PutEmpty("deep")
	for range 60 {
		deep = deep.SetEmptyMap().PutEmpty("k")
	}
	return logs
}

// One bad byte, or one value that is nested too deeply, costs no other log record: strict readers decode all messages.
func TestOneBadByteCostsNoOtherRecord(t *testing.T) {
	for _, delivery := range []Delivery{Confirmed, FireAndForget} {
		synctest.Test(t, func(t *testing.T) {
			k, c := newTestKinesis(1), directConfig()
			c.Delivery = delivery
			e := startLogs(t, k, c)
			logs := broken()
			logs.MarkReadOnly() // other exporters have the same pdata
			require.NoError(t, e.ConsumeLogs(t.Context(), logs))
			e.stop(t)
			read := map[string]bool{}
			for _, record := range k.UserRecords(testStream) {
				var data logspb.LogsData
				require.NoError(t, proto.Unmarshal(record.Data, &data))
				for _, lr := range data.ResourceLogs[0].ScopeLogs[0].LogRecords {
					read[lr.Body.GetStringValue()] = true
				}
			}
			assert.Len(t, read, 100)
			assert.True(t, read["caf\uFFFD"])
		})
	}
}

// Data that came back after it was changed is stored with the same text and under the same key.
func TestMendedTelemetryComesBackWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(1), directConfig()
		e := startLogs(t, k, c)
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("caf\xe9")))
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("caf\uFFFD")))
		e.stop(t)
		records := k.UserRecords(testStream)
		require.Len(t, records, 2)
		assert.Equal(t, records[0].Data, records[1].Data)
		assert.Equal(t, records[0].PartitionKey, records[1].PartitionKey)
	})
}

// What is changed is told with its resource, once in a while, and without the text itself.
func TestMendedTelemetryIsLoggedOnceInAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := startLogs(t, newTestKinesis(1), directConfig())
		for range 30 {
			require.NoError(t, e.ConsumeLogs(t.Context(), broken()))
		}
		e.stop(t)
		told := e.logs.FilterMessageSnippet("Changed telemetry that strict readers could not decode").All()
		seconds := int(told[len(told)-1].Time.Sub(told[0].Time).Seconds())
		assert.Len(t, told, 1+seconds/10)
		fields := told[0].ContextMap()
		assert.Equal(t, "logs", fields["signal"])
		assert.EqualValues(t, 1, fields["strings"])
		assert.EqualValues(t, 1, fields["values"])
		assert.Equal(t, "service.name=checkout", fields["first_resource"])
		assert.NotContains(t, fmt.Sprint(fields), "caf")
	})
}
