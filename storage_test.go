// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"errors"
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
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
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

var memoryStorageID = component.MustNewID("memory")

// A disk without room for a note of what is read loses nothing. Without a wrapper around the storage, exporterhelper drops
// each request whose reading it cannot note.
func TestFullStorageLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, files := newTestKinesis(2), newMemoryStorage()
		heal := k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Break(kpltest.ConnectionHangs)))
		e := startStored(t, k, files)
		var want []string
		files.fillAtRead()
		for i := range 50 {
			want = append(want, fmt.Sprint(i))
			require.NoError(t, e.ConsumeLogs(t.Context(), logsOf(want[i])))
			synctest.Wait()
		}
		heal()
		advance(2 * time.Minute)
		e.stop(t)
		assert.ElementsMatch(t, want, storedBodies(t, k))
		assert.Positive(t, e.logs.FilterMessageSnippet("The storage has no room to note").Len())
	})
}

// startStored starts an exporter whose queue has a storage.
func startStored(t *testing.T, client kpl.Client, files *memoryStorage) *rig {
	t.Helper()
	return startStoredAs(t, client, files, queuedConfig())
}

// startStoredAs starts an exporter whose queue has a storage.
func startStoredAs(t *testing.T, client kpl.Client, files *memoryStorage, c *Config) *rig {
	t.Helper()
	c.Retry.Enabled, c.Retry.RandomizationFactor = true, 0
	c.Retry.InitialInterval, c.Retry.MaxInterval = 100*time.Millisecond, 100*time.Millisecond
	id := memoryStorageID
	c.Queue.Get().StorageID = &id
	e := newRig(t, factoryFor(client), c)
	e.host.Host = storageHost{id: files}
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
	full   bool              // for what is written while something is read; guarded by mu
}

// fillAtRead makes transactions fail that read and write.
func (s *memoryStorage) fillAtRead() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = true
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
	if s.full && readsWithNote(operations) {
		return errors.New("no space left")
	}
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
