// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// With a storage, what a shutdown leaves undelivered is delivered after the next start, once.
func TestStorageKeepsWhatShutdownLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, files := newTestKinesis(2), newMemoryStorage()
		var want []string
		e := startStored(t, hanging(), files)
		for i := range 50 {
			want = append(want, fmt.Sprint(i))
			require.NoError(t, e.ConsumeLogs(t.Context(), logsOf(want[i])))
		}
		synctest.Wait()
		require.ErrorIs(t, e.Shutdown(within(t, 300*time.Millisecond)), context.DeadlineExceeded)

		e = startStored(t, k, files)
		require.NoError(t, k.WaitRecords(t.Context(), testStream, len(want)))
		e.stop(t)
		assert.ElementsMatch(t, want, storedBodies(t, k))
	})
}

// startStored starts an exporter whose queue has a storage.
func startStored(t *testing.T, client kpl.Client, files *memoryStorage) *rig {
	t.Helper()
	c := queuedConfig()
	c.Retry.Enabled, c.Retry.RandomizationFactor = true, 0
	c.Retry.InitialInterval, c.Retry.MaxInterval = 100*time.Millisecond, 100*time.Millisecond
	storageID := component.MustNewID("memory")
	c.Queue.Get().StorageID = &storageID
	e := newRig(t, factoryFor(client), c)
	e.host.Host = storageHost{storageID: files}
	require.NoError(t, e.Start(t.Context(), e.host))
	return e
}

func newMemoryStorage() *memoryStorage { return &memoryStorage{values: map[string][]byte{}} }

type storageHost map[component.ID]component.Component

func (h storageHost) GetExtensions() map[component.ID]component.Component { return h }

// memoryStorage is a storage extension and its only client.
type memoryStorage struct {
	component.StartFunc
	component.ShutdownFunc

	mu     sync.Mutex
	values map[string][]byte // guarded by mu
}

func (s *memoryStorage) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return s, nil
}

func (s *memoryStorage) Get(ctx context.Context, key string) ([]byte, error) {
	get := storage.GetOperation(key)
	err := s.Batch(ctx, get)
	return get.Value, err
}

func (s *memoryStorage) Set(ctx context.Context, key string, value []byte) error {
	return s.Batch(ctx, storage.SetOperation(key, value))
}

func (s *memoryStorage) Delete(ctx context.Context, key string) error {
	return s.Batch(ctx, storage.DeleteOperation(key))
}

func (s *memoryStorage) Batch(_ context.Context, operations ...*storage.Operation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range operations {
		switch o.Type {
		case storage.Get:
			o.Value = s.values[o.Key]
		case storage.Set:
			s.values[o.Key] = o.Value
		case storage.Delete:
			delete(s.values, o.Key)
		}
	}
	return nil
}

func (s *memoryStorage) Close(context.Context) error { return nil }
