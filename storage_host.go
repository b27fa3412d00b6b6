// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"maps"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// queueHost is the host of exporterhelper's component. Its storage keeps the queue from losing what it reads from a full disk.
type queueHost struct {
	component.Host

	storage component.ID
	log     *zap.Logger
}

// newQueueHost returns the host for a queue with the configuration. Without a storage it is the host itself.
func newQueueHost(host component.Host, c *Config, log *zap.Logger) component.Host {
	if !c.storesRequests() {
		return host
	}
	return &queueHost{host, *c.Queue.Get().StorageID, log}
}

// GetExtensions implements [component.Host].
func (h *queueHost) GetExtensions() map[component.ID]component.Component {
	extensions := maps.Clone(h.Host.GetExtensions())
	if s, ok := extensions[h.storage].(storage.Extension); ok {
		extensions[h.storage] = &queueStorage{s, h.log}
	}
	return extensions
}

// queueStorage makes clients that read from a full disk.
type queueStorage struct {
	storage.Extension

	log *zap.Logger
}

// GetClient implements [storage.Extension].
func (s *queueStorage) GetClient(
	ctx context.Context, kind component.Kind, id component.ID, name string,
) (storage.Client, error) {
	client, err := s.Extension.GetClient(ctx, kind, id, name)
	if err != nil {
		return nil, err
	}
	return &queueClient{client, s.log}, nil
}

// queueClient reads from a full disk. The queue notes that it reads a request and reads it in one transaction. If there is no
// room for the note, the queue drops the request. Without the note the request is read again after a crash, which is better.
type queueClient struct {
	storage.Client

	log *zap.Logger
}

// Batch implements [storage.Client].
func (c *queueClient) Batch(ctx context.Context, operations ...*storage.Operation) error {
	err := c.Client.Batch(ctx, operations...)
	if err == nil || !readsWithNote(operations) {
		return err
	}
	for _, o := range operations {
		if o.Type != storage.Get {
			continue
		}
		value, failed := c.Get(ctx, o.Key)
		if failed != nil {
			return err
		}
		o.Value = value
	}
	c.log.Warn("The storage has no room to note what the queue reads; if the process is killed, that is sent again", zap.Error(err))
	return nil
}

// readsWithNote reports whether operations read one key and write another one.
func readsWithNote(operations []*storage.Operation) bool {
	var reads, writes bool
	for _, o := range operations {
		reads = reads || o.Type == storage.Get
		writes = writes || o.Type == storage.Set
	}
	return reads && writes
}
