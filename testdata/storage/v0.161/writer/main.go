// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Writes the files of this folder: three requests of each signal in the queue of exporterhelper v0.161 with a file storage, as a
// process leaves them that is killed. Run it as `go run . DIRECTORY`, then as `go run . DIRECTORY dump`.
package main

import (
	"context"
	"log"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/trace"
)

type host struct{ ext component.Component }

func (h host) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("file_storage"): h.ext}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// dump writes the stored requests as they are, one file each.
func dump(dir string) {
	for _, signal := range []string{"logs", "traces", "metrics"} {
		db, err := bbolt.Open(filepath.Join(dir, "exporter_kinesis_kpl__"+signal), 0o600, &bbolt.Options{ReadOnly: true})
		must(err)
		must(db.View(func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("default")).ForEach(func(k, v []byte) error {
				if len(k) == 1 {
					return os.WriteFile(filepath.Join(dir, signal+"-"+string(k)+".bin"), v, 0o600)
				}
				return nil
			})
		}))
		must(db.Close())
	}
}

func main() {
	dir, _ := filepath.Abs(os.Args[1])
	if len(os.Args) > 2 {
		dump(dir)
		return
	}
	must(os.MkdirAll(dir, 0o755))
	f := filestorage.NewFactory()
	cfg := f.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = dir
	ext, err := f.Create(context.Background(), extension.Settings{ID: component.MustNewID("file_storage"), TelemetrySettings: componenttest.NewNopTelemetrySettings()}, cfg)
	must(err)
	must(ext.Start(context.Background(), componenttest.NewNopHost()))
	typ := component.MustNewType("kinesis_kpl")
	set := exportertest.NewNopSettings(typ)
	set.ID = component.MustNewID("kinesis_kpl")
	q := exporterhelper.NewDefaultQueueConfig()
	sid := component.MustNewID("file_storage")
	q.StorageID = &sid
	q.NumConsumers = 1
	block := make(chan struct{})
	state, _ := trace.ParseTraceState("vendor=value")
	ctx := trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, SpanID: trace.SpanID{1, 2, 3, 4, 5, 6, 7, 8},
		TraceFlags: trace.FlagsSampled, TraceState: state, Remote: true,
	}))
	ctx = client.NewContext(ctx, client.Info{
		Addr:     &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4317},
		Metadata: client.NewMetadata(map[string][]string{"tenant": {"blue"}}),
	})
	opts := []exporterhelper.Option{exporterhelper.WithQueue(configoptional.Some(q)), exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{})}
	le, err := exporterhelper.NewLogs(ctx, set, noConfig{}, func(context.Context, plog.Logs) error { <-block; return nil }, opts...)
	must(err)
	te, err := exporterhelper.NewTraces(ctx, set, noConfig{}, func(context.Context, ptrace.Traces) error { <-block; return nil }, opts...)
	must(err)
	me, err := exporterhelper.NewMetrics(ctx, set, noConfig{}, func(context.Context, pmetric.Metrics) error { <-block; return nil }, opts...)
	must(err)
	h := host{ext}
	for _, c := range []component.Component{le, te, me} {
		must(c.Start(context.Background(), h))
	}
	for i := range 3 {
		must(le.ConsumeLogs(ctx, logs(i)))
		must(te.ConsumeTraces(ctx, traces(i)))
		must(me.ConsumeMetrics(ctx, metrics(i)))
	}
	time.Sleep(2 * time.Second)
	// As after kill -9: the files are what they are.
	os.Exit(0)
}

type noConfig struct{}

func resource(r pcommon.Resource, i int) {
	r.Attributes().PutStr("service.name", "checkout")
	r.Attributes().PutInt("request", int64(i))
}

func logs(i int) plog.Logs {
	l := plog.NewLogs()
	for range 2 {
		r := l.ResourceLogs().AppendEmpty()
		resource(r.Resource(), i)
		s := r.ScopeLogs().AppendEmpty()
		s.Scope().SetName("scope")
		for j := range 2 {
			rec := s.LogRecords().AppendEmpty()
			rec.SetTimestamp(1_700_000_000_000_000_000)
			rec.Body().SetStr([]string{"first", "second"}[j])
			rec.Attributes().PutDouble("ratio", 0.5)
		}
	}
	return l
}

func traces(i int) ptrace.Traces {
	t := ptrace.NewTraces()
	r := t.ResourceSpans().AppendEmpty()
	resource(r.Resource(), i)
	s := r.ScopeSpans().AppendEmpty()
	for j := range 2 {
		sp := s.Spans().AppendEmpty()
		sp.SetName([]string{"first", "second"}[j])
		sp.SetTraceID(pcommon.TraceID{1, byte(i + 1)})
		sp.SetSpanID(pcommon.SpanID{1, byte(j + 1)})
		sp.SetStartTimestamp(1_700_000_000_000_000_000)
		sp.SetEndTimestamp(1_700_000_000_000_000_001)
	}
	return t
}

func metrics(i int) pmetric.Metrics {
	m := pmetric.NewMetrics()
	r := m.ResourceMetrics().AppendEmpty()
	resource(r.Resource(), i)
	g := r.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	g.SetName("gauge")
	points := g.SetEmptyGauge()
	for j := range 2 {
		p := points.DataPoints().AppendEmpty()
		p.SetIntValue(int64(j))
		p.SetTimestamp(1_700_000_000_000_000_000)
	}
	return m
}
