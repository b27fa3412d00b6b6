// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pprofile"
	storagerequest "go.opentelemetry.io/collector/pdata/xpdata/request"
	"go.uber.org/zap"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// plainFormat is how data is encoded whose messages are made behind the queue: as OTLP in protobuf, as a whole.
var plainFormat = marshaler.Config{
	Encoding: marshaler.OTLPProto, TargetSize: marshaler.MaxPlainSize, MaxSize: marshaler.MaxPlainSize,
	Compression: marshaler.NoCompression,
}

// The fields of a stored request: exporterhelper's own encoding of pdata with its context. They are the same for all signals.
const (
	storedContext protowire.Number = 2
	storedData    protowire.Number = 3
	storedVersion                  = "\x0d\x01\x00\x00\x00" // field 1, version 1
)

// storageEncoding is how requests stand in the storage of a queue. What it writes is byte for byte what exporterhelper writes of
// the same data. So a storage can be used by a version that queues pdata, and then by this one, and the other way round.
type storageEncoding struct {
	pusher *pusher
	log    *zap.Logger
}

// Marshal encodes a request with the span and the client of its context.
func (e storageEncoding) Marshal(ctx context.Context, r xexporterhelper.Request) ([]byte, error) {
	// The context is encoded by the Collector, around no data: the version, an empty field of data, the context.
	around, err := storagerequest.MarshalLogs(ctx, plog.NewLogs())
	if err != nil {
		return nil, fmt.Errorf("encode the context of a request: %w", err)
	}
	noData := protowire.AppendBytes(protowire.AppendTag(nil, storedData, protowire.BytesType), nil)
	head, tail, ok := bytes.Cut(around, append([]byte(storedVersion), noData...))
	if !ok || len(head) > 0 {
		return nil, errStoredFormat
	}
	size, request := 0, r.(*request)
	if e.pusher.signal == marshaler.Profiles && len(request.plain) > 1 {
		return mergeProfiles(ctx, request.plain)
	}
	for _, part := range request.plain {
		size += len(part.otlp)
	}
	stored := make([]byte, 0, len(around)+binary.MaxVarintLen64+size)
	stored = append(stored, storedVersion...)
	stored = protowire.AppendTag(stored, storedData, protowire.BytesType)
	stored = protowire.AppendVarint(stored, uint64(size))
	for _, part := range request.plain {
		stored = append(stored, part.otlp...)
	}
	return append(stored, tail...), nil
}

// mergeProfiles encodes a request of profiles that came in several parts, because it is larger than a message may ever be. Each
// part has a dictionary of its own.
func mergeProfiles(ctx context.Context, parts []plainPart) ([]byte, error) {
	var all pprofile.Profiles
	for i, part := range parts {
		profiles, err := new(pprofile.ProtoUnmarshaler).UnmarshalProfiles(part.otlp)
		if err == nil && i > 0 {
			err = profiles.MergeTo(all)
		} else {
			all = profiles
		}
		if err != nil {
			return nil, fmt.Errorf("join the parts of a request of profiles: %w", err)
		}
	}
	return storagerequest.MarshalProfiles(ctx, all)
}

var (
	errStoredFormat = errors.New("the Collector encodes stored requests in a way that is not known here")
	errStoredData   = errors.New("the stored request is malformed")
)

// Unmarshal decodes a request and its context. What older versions stored without a context is decoded too. exporterhelper drops
// what cannot be decoded without a word, so the log says it here.
func (e storageEncoding) Unmarshal(stored []byte) (context.Context, xexporterhelper.Request, error) {
	ctx, otlp, err := splitStored(stored)
	var items int
	if err == nil {
		items, err = marshaler.CountItems(e.pusher.signal, otlp)
	}
	if err != nil {
		e.log.Error("A request in the storage of the queue cannot be read and is dropped",
			zap.Int("bytes", len(stored)), zap.Error(err))
		return ctx, nil, err
	}
	r := &request{pusher: e.pusher, size: requestOverhead}
	r.takePlain(plainPart{otlp: bytes.Clone(otlp), items: items})
	return ctx, r, nil
}

// splitStored returns the context and the OTLP of a stored request. The OTLP is a part of stored, as a rule.
func splitStored(stored []byte) (context.Context, []byte, error) {
	if !bytes.HasPrefix(stored, []byte(storedVersion)) {
		return context.Background(), stored, nil // as the Collector stored it before v0.128
	}
	around := []byte(storedVersion)
	var otlp []byte
	for rest := stored[len(storedVersion):]; len(rest) > 0; {
		number, kind, n := protowire.ConsumeTag(rest)
		if n < 0 {
			return context.Background(), nil, errStoredData
		}
		length := protowire.ConsumeFieldValue(number, kind, rest[n:])
		if length < 0 {
			return context.Background(), nil, errStoredData
		}
		field := rest[:n+length]
		rest = rest[n+length:]
		if number != storedData || kind != protowire.BytesType {
			around = append(around, field...)
			continue
		}
		data, _ := protowire.ConsumeBytes(field[n:])
		if otlp == nil {
			otlp = data
		} else {
			otlp = append(bytes.Clone(otlp), data...) // fields of the same number are merged
		}
	}
	ctx, _, err := storagerequest.UnmarshalLogs(around)
	return ctx, otlp, err
}
