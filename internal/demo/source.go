// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// scanInterval is the time from one scan to the next.
const scanInterval = 200 * time.Millisecond

// source scans this machine at intervals. A scan makes lines of a log file, a trace with a span for each reading, and a log
// record that is sent over OTLP.
type source struct {
	file   *os.File
	conn   *grpc.ClientConn
	logs   plogotlp.GRPCClient
	traces ptraceotlp.GRPCClient
	made   items
}

// newSource returns a source that writes to a log file and sends to an OTLP receiver on a Unix socket.
func newSource(logPath, socket string) (*source, error) {
	conn, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
	if err != nil {
		return nil, err
	}
	file, err := os.Create(logPath) //nolint:gosec // A path of the demo's own.
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &source{
		file: file, conn: conn,
		logs: plogotlp.NewGRPCClient(conn), traces: ptraceotlp.NewGRPCClient(conn),
	}, nil
}

// sent returns how many items were made. Metrics are not among them, because the collector makes these itself.
func (s *source) sent() items { return s.made }

func (s *source) close() error { return errors.Join(s.file.Close(), s.conn.Close()) }

// produce scans for a duration and calls progress every progressInterval. It returns an error if something could not be sent.
func (s *source) produce(ctx context.Context, duration time.Duration, progress func()) error {
	end := time.NewTimer(duration)
	defer end.Stop()
	scan := time.NewTicker(scanInterval)
	defer scan.Stop()
	tell := time.NewTicker(progressInterval)
	defer tell.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-end.C:
			progress()
			return nil
		case <-tell.C:
			progress()
		case <-scan.C:
			if err := s.scan(ctx); err != nil {
				return err
			}
		}
	}
}

// scan reads the machine once and sends the result.
func (s *source) scan(ctx context.Context) error {
	start := time.Now()
	readings := readMachine()
	written, err := writeLines(s.file, readings)
	s.made.Logs += written
	if err != nil {
		return fmt.Errorf("write the log file: %w", err)
	}
	traces, traceID := newTrace(start, readings)
	traced, err := s.traces.Export(ctx, ptraceotlp.NewExportRequestFromTraces(traces))
	if err != nil {
		return fmt.Errorf("send spans: %w", err)
	}
	s.made.Traces += traces.SpanCount() - int(traced.PartialSuccess().RejectedSpans())
	logs := newScanLog(start, traceID, readings)
	logged, err := s.logs.Export(ctx, plogotlp.NewExportRequestFromLogs(logs))
	if err != nil {
		return fmt.Errorf("send a log record: %w", err)
	}
	s.made.Logs += logs.LogRecordCount() - int(logged.PartialSuccess().RejectedLogRecords())
	return nil
}

// writeLines appends a line for each reading that succeeded, and returns their number.
func writeLines(w io.Writer, readings []reading) (int, error) {
	lines := 0
	buffered := bufio.NewWriter(w)
	for _, r := range readings {
		if r.err == nil {
			fmt.Fprintf(buffered, "%s %s\n", r.end.UTC().Format(time.RFC3339Nano), r.text) // Flush returns the error.
			lines++
		}
	}
	return lines, buffered.Flush()
}

// newTrace returns the trace of a scan: a root span, and below it one for each reading.
func newTrace(start time.Time, readings []reading) (ptrace.Traces, pcommon.TraceID) {
	traces := ptrace.NewTraces()
	resource := traces.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "demo")
	spans := resource.ScopeSpans().AppendEmpty().Spans()
	var traceID pcommon.TraceID
	_, _ = rand.Read(traceID[:]) // Read never fails.
	add := func(name string, parent pcommon.SpanID, start, end time.Time) ptrace.Span {
		var id pcommon.SpanID
		_, _ = rand.Read(id[:])
		span := spans.AppendEmpty()
		span.SetTraceID(traceID)
		span.SetSpanID(id)
		span.SetParentSpanID(parent)
		span.SetName(name)
		span.SetKind(ptrace.SpanKindInternal)
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(end))
		return span
	}
	root := add("scan", pcommon.SpanID{}, start, time.Now()).SpanID()
	for _, r := range readings {
		span := add("read "+r.name, root, r.start, r.end)
		if r.err != nil {
			span.Status().SetCode(ptrace.StatusCodeError)
			span.Status().SetMessage(r.err.Error())
		}
	}
	return traces, traceID
}

// newScanLog returns a log record that says what a scan found.
func newScanLog(start time.Time, traceID pcommon.TraceID, readings []reading) plog.Logs {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "demo")
	record := resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.SetTimestamp(pcommon.NewTimestampFromTime(start))
	record.SetSeverityNumber(plog.SeverityNumberInfo)
	record.SetTraceID(traceID)
	record.Body().SetStr(fmt.Sprintf("%d readings in %v", len(readings), time.Since(start)))
	return logs
}
