// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadata"
)

// whatToDo is for whoever moves to a version of the Collector that fails here.
const whatToDo = "xexporterhelper is experimental and has changed: read ADR 21, then change encoder.go, request.go or storage.go"

// countedRequest is a request that notes what exporterhelper does with it.
type countedRequest struct {
	items int
	rest  *countedRequest
	onErr []error
}

func (r *countedRequest) ItemsCount() int { return r.items }
func (r *countedRequest) BytesSize() int  { return 100 * r.items }

func (r *countedRequest) OnError(err error) xexporterhelper.Request {
	r.onErr = append(r.onErr, err)
	return r.rest
}

func (r *countedRequest) MergeSplit(
	context.Context, int, exporterhelper.RequestSizerType, xexporterhelper.Request,
) ([]xexporterhelper.Request, error) {
	return []xexporterhelper.Request{r}, nil
}

// references notes the calls of a ReferenceCounter.
type references struct{ held, released []xexporterhelper.Request }

func (c *references) Ref(r xexporterhelper.Request)   { c.held = append(c.held, r) }
func (c *references) Unref(r xexporterhelper.Request) { c.released = append(c.released, r) }

// copiedEncoding stores a fixed text, and reads another request than it stored.
type copiedEncoding struct {
	marshaled int
	read      *countedRequest
}

func (e *copiedEncoding) Marshal(context.Context, xexporterhelper.Request) ([]byte, error) {
	e.marshaled++
	return []byte("stored"), nil
}

func (e *copiedEncoding) Unmarshal([]byte) (context.Context, xexporterhelper.Request, error) {
	return context.Background(), e.read, nil
}

// helper starts exporterhelper's component as the factory makes it.
func startHelper(
	t *testing.T, c *Config, made xexporterhelper.Request, set xexporterhelper.QueueBatchSettings, host component.Host,
	push func(context.Context, xexporterhelper.Request) error,
) exporter.Logs {
	t.Helper()
	helper, err := xexporterhelper.NewLogsRequest(t.Context(), exportertest.NewNopSettings(metadata.Type),
		func(ctx context.Context, _ plog.Logs) (xexporterhelper.Request, error) {
			assert.Equal(t, "of the caller", ctx.Value(promiseKey{}), whatToDo)
			return made, nil
		}, push,
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{}),
		exporterhelper.WithRetry(configretry.BackOffConfig{
			Enabled: true, InitialInterval: time.Second, Multiplier: 1, MaxInterval: time.Second,
		}),
		xexporterhelper.WithQueueBatch(c.helperQueue(), set))
	require.NoError(t, err)
	require.NoError(t, helper.Start(t.Context(), host))
	return helper
}

type promiseKey struct{}

// The exporter relies on what exporterhelper does with a request: it asks for the converter's request only, retries what OnError
// returns, and says when its queue is done with a request.
func TestHelperKeepsItsPromises(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := queuedConfig()
		rest := &countedRequest{items: 1}
		made := &countedRequest{items: 3, rest: rest}
		counter := &references{}
		var pushed []xexporterhelper.Request
		failure := errors.New("two of three are stored")
		e := startHelper(t, c, made, xexporterhelper.QueueBatchSettings{ReferenceCounter: counter}, componenttest.NewNopHost(),
			func(_ context.Context, r xexporterhelper.Request) error {
				pushed = append(pushed, r)
				assert.Empty(t, counter.released, "the queue holds a request until its push and its retries are over")
				if len(pushed) == 1 {
					return failure
				}
				return nil
			})
		ctx := context.WithValue(t.Context(), promiseKey{}, "of the caller")
		require.NoError(t, e.ConsumeLogs(ctx, plog.NewLogs()))
		advance(time.Minute)
		require.NoError(t, e.Shutdown(t.Context()))
		assert.Equal(t, []xexporterhelper.Request{made, rest}, pushed, whatToDo)
		assert.Equal(t, []error{failure}, made.onErr, whatToDo)
		assert.Equal(t, []xexporterhelper.Request{made}, counter.held, whatToDo)
		assert.Equal(t, []xexporterhelper.Request{made}, counter.released, whatToDo)
	})
}

// With a storage, exporterhelper encodes a request before it returns, and pushes what it reads back.
func TestHelperKeepsItsPromisesWithStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := queuedConfig()
		id := memoryStorageID
		c.Queue.Get().StorageID = &id
		encoding := &copiedEncoding{read: &countedRequest{items: 1}}
		var pushed []xexporterhelper.Request
		e := startHelper(t, c, &countedRequest{items: 1}, xexporterhelper.QueueBatchSettings{Encoding: encoding},
			storageHost{id: newMemoryStorage()},
			func(_ context.Context, r xexporterhelper.Request) error {
				pushed = append(pushed, r)
				return nil
			})
		ctx := context.WithValue(t.Context(), promiseKey{}, "of the caller")
		require.NoError(t, e.ConsumeLogs(ctx, plog.NewLogs()))
		assert.Equal(t, 1, encoding.marshaled, whatToDo)
		synctest.Wait()
		require.NoError(t, e.Shutdown(t.Context()))
		assert.Equal(t, []xexporterhelper.Request{encoding.read}, pushed, whatToDo)
	})
}
