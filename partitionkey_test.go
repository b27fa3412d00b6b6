// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// tenantLogs returns log records of a tenant. The name of each begins with the tenant. Each has a trace, a session and a hash
// key.
func tenantLogs(tenant string, push, records int) plog.Logs {
	logs := oneResource(fmt.Sprintf("%s-%d-", tenant, push), records)
	resource := logs.ResourceLogs().At(0)
	resource.Resource().Attributes().PutStr("tenant", tenant)
	for i, lr := range resource.ScopeLogs().At(0).LogRecords().All() {
		var id [16]byte
		binary.BigEndian.PutUint64(id[8:], uint64(i+1))
		lr.SetTraceID(id)
		lr.Attributes().PutInt("session", int64(i%3))
		lr.Attributes().PutStr("place", []string{"0", "340282366920938463463374607431768211455", "no number"}[i%3])
	}
	return logs
}

// ofClient returns the context of a client whose metadata names a tenant.
func ofClient(ctx context.Context, tenant string) context.Context {
	return client.NewContext(ctx, client.Info{Metadata: client.NewMetadata(map[string][]string{"X-Tenant": {tenant}})})
}

// Every kind of key works on every path through the exporter: nothing is lost or stored twice, and what has equal values has the
// same key.
func TestKeysOnEveryPath(t *testing.T) {
	keys := map[string]struct {
		key  PartitionKeyConfig
		of   func(body string) string // what decides about the key of a log record
		most int                      // distinct keys
	}{
		"static": {PartitionKeyConfig{Static: "k"}, func(string) string { return "" }, 1},
		"trace_id": {
			PartitionKeyConfig{TraceID: true, Buckets: 4096}, func(body string) string { return body[strings.LastIndex(body, "-"):] }, 10,
		},
		"resource_attributes": {PartitionKeyConfig{ResourceAttributes: []string{"tenant"}}, tenantOf, 2},
		"record_attributes":   {PartitionKeyConfig{RecordAttributes: []string{"session"}}, sessionOf, 3},
		"metadata_keys":       {PartitionKeyConfig{MetadataKeys: []string{"x-tenant"}}, tenantOf, 2},
		"all together": {
			PartitionKeyConfig{
				ResourceAttributes: []string{"service.name"}, RecordAttributes: []string{"session"}, MetadataKeys: []string{"x-tenant"},
			},
			func(body string) string { return tenantOf(body) + sessionOf(body) }, 6,
		},
	}
	paths := map[string]func(*Config){
		"direct":          func(c *Config) { c.Queue = directConfig().Queue },
		"queue":           func(*Config) {},
		"compressed":      func(c *Config) { c.Compression = marshaler.Gzip },
		"json":            func(c *Config) { c.Encoding = marshaler.OTLPJSON },
		"wait_for_result": func(c *Config) { c.Queue.Get().WaitForResult = true },
		"storage":         func(c *Config) { c.Queue.Get().StorageID = &memoryStorageID },
		"storage and batch": func(c *Config) {
			c.Queue.Get().StorageID = &memoryStorageID
			batch := c.Queue.Get().Batch.GetOrInsertDefault()
			batch.FlushTimeout, batch.MinSize, batch.MaxSize = time.Second, 100, 15
			batch.MinSize = 10
			batch.Partition.MetadataKeys = []string{"x-tenant"}
		},
	}
	for name, key := range keys {
		for path, tune := range paths {
			t.Run(name+"/"+path, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					k, c := newTestKinesis(4), queuedConfig()
					k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailRecordFraction(kpltest.CodeThrottled, .2)))
					c.PartitionKey, c.Producer.AggregationFormat = key.key, kpl.AggregationKPL
					tune(c)
					e := startStoredOr(t, k, c)
					const pushes, records = 6, 10
					for push := range pushes {
						for _, tenant := range []string{"a", "b"} {
							require.NoError(t, e.ConsumeLogs(ofClient(t.Context(), tenant), tenantLogs(tenant, push, records)))
						}
					}
					pass(10 * time.Second)
					e.stop(t)
					byValue, byKey := map[string]string{}, map[string]string{}
					bodies := storedBodies(t, k)
					assert.Len(t, distinct(t, bodies), pushes*2*records)
					m, err := marshaler.New(c.marshalerConfig(marshaler.Logs))
					require.NoError(t, err)
					for _, record := range k.UserRecords(testStream) {
						logs, err := m.UnmarshalLogs(record.Data)
						require.NoError(t, err)
						for _, body := range bodiesOf(logs) {
							value := key.of(body)
							if before, known := byValue[value]; known {
								assert.Equal(t, before, record.PartitionKey, "equal values, equal keys: %s", body)
							}
							byValue[value], byKey[record.PartitionKey] = record.PartitionKey, value
						}
					}
					assert.Len(t, byKey, key.most)
				})
			})
		}
	}
}

func tenantOf(body string) string { return body[:1] }

func sessionOf(body string) string { return string('0' + (body[len(body)-1]-'0')%3) }

// startStoredOr starts an exporter, with a storage if it has one.
func startStoredOr(t *testing.T, k *kpltest.Kinesis, c *Config) *rig {
	t.Helper()
	if c.storesRequests() {
		return startStoredAs(t, k, newMemoryStorage(), c)
	}
	return startLogs(t, k, c)
}
