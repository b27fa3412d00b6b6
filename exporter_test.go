// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadata"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// failing fails the records whose data has a word in it.
func failing(code, word string) kpltest.Fault {
	return kpltest.ForOperation(kpltest.OpPutRecords,
		kpltest.FailRecords(code, func(r types.PutRecordsRequestEntry) bool {
			return bytes.Contains(r.Data, []byte(word))
		}))
}

// What one push returns, for each way in which its records can end.
func TestPushReturnsOneError(t *testing.T) {
	huge := "huge" + strings.Repeat("x", 2<<20)
	for _, tt := range []struct {
		name      string
		faults    []kpltest.Fault
		push      []string
		stored    []string
		left      []string // what the error hands back; nil if all of it or nothing
		code      codes.Code
		permanent bool
		message   string
		outcomes  map[string]int
	}{
		{
			name: "everything is stored",
			push: []string{"a", "b"}, stored: []string{"a", "b"},
			outcomes: map[string]int{"success": 2},
		},
		{
			name: "nothing to send",
		},
		{
			name:   "some are throttled",
			faults: []kpltest.Fault{failing(kpltest.CodeThrottled, "busy")},
			push:   []string{"a", "busy1", "b", "busy2"}, stored: []string{"a", "b"}, left: []string{"busy1", "busy2"},
			code: codes.Unavailable, message: "2 of 4 log records not delivered: kpl: the shard is throttled",
			outcomes: map[string]int{"success": 2, "throttled": 2},
		},
		{
			name:   "all are throttled",
			faults: []kpltest.Fault{failing(kpltest.CodeThrottled, "busy")},
			push:   []string{"busy1", "busy2"},
			code:   codes.Unavailable, message: "2 of 2 log records not delivered: kpl: the shard is throttled",
			outcomes: map[string]int{"throttled": 2},
		},
		{
			name:   "some expire",
			faults: []kpltest.Fault{failing(kpltest.CodeInternalFailure, "broken")},
			push:   []string{"a", "broken"}, stored: []string{"a"}, left: []string{"broken"},
			code: codes.DeadlineExceeded, message: "1 of 2 log records not delivered: kpl: the record was not delivered",
			outcomes: map[string]int{"success": 1, "expired": 1},
		},
		{
			name:   "some are rejected and all others stored",
			faults: []kpltest.Fault{failing(kpltest.CodeInvalidArgument, "odd")},
			push:   []string{"a", "odd", "b"}, stored: []string{"a", "b"},
			outcomes: map[string]int{"success": 2, "rejected": 1},
		},
		{
			name:   "all are rejected",
			faults: []kpltest.Fault{failing(kpltest.CodeInvalidArgument, "odd")},
			push:   []string{"odd1", "odd2"},
			code:   codes.InvalidArgument, permanent: true,
			message:  "2 log records dropped: kpl: the service rejected the record",
			outcomes: map[string]int{"rejected": 2},
		},
		{
			name: "some are rejected, some throttled, some stored",
			faults: []kpltest.Fault{
				failing(kpltest.CodeInvalidArgument, "odd"), failing(kpltest.CodeThrottled, "busy"),
			},
			push: []string{"odd", "a", "busy"}, stored: []string{"a"}, left: []string{"busy"},
			code: codes.Unavailable, message: "1 of 3 log records not delivered: kpl: the shard is throttled",
			outcomes: map[string]int{"success": 1, "throttled": 1, "rejected": 1},
		},
		{
			name:   "some are rejected and all others throttled",
			faults: []kpltest.Fault{failing(kpltest.CodeInvalidArgument, "odd"), failing(kpltest.CodeThrottled, "busy")},
			push:   []string{"odd", "busy"}, left: []string{"busy"},
			code: codes.Unavailable, message: "1 of 2 log records not delivered: kpl: the shard is throttled",
			outcomes: map[string]int{"throttled": 1, "rejected": 1},
		},
		{
			name: "one is too large",
			push: []string{"a", huge, "b"}, stored: []string{"a", "b"},
			outcomes: map[string]int{"success": 2, "oversize": 1},
		},
		{
			name: "all are too large",
			push: []string{huge}, code: codes.InvalidArgument, permanent: true,
			message: "1 log records dropped: marshaler: a log record takes", outcomes: map[string]int{"oversize": 1},
		},
		{
			name:   "nobody may write to the stream",
			faults: []kpltest.Fault{kpltest.FailCall(kpltest.CodeAccessDenied)},
			push:   []string{"a", "b"},
			code:   codes.Unavailable, message: "2 of 2 log records not delivered: kpl: the stream accepts no records",
			outcomes: map[string]int{"unavailable": 2},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTestKinesis(2)
				for _, fault := range tt.faults {
					k.Inject(fault)
				}
				c := directConfig()
				c.Producer.FailIfThrottled = true
				e := startLogs(t, k, c)
				err := e.ConsumeLogs(t.Context(), logsOf(tt.push...))
				e.stop(t)

				assert.ElementsMatch(t, tt.stored, storedBodies(t, k))
				for outcome, items := range tt.outcomes {
					assert.Equal(t, items, e.sum(t, "items_put", "signal", "logs", "outcome", outcome), outcome)
				}
				assert.Equal(t, len(tt.push), e.sum(t, "items_put"))
				if tt.message == "" {
					require.NoError(t, err)
					return
				}
				require.ErrorContains(t, err, tt.message)
				assert.Equal(t, tt.permanent, consumererror.IsPermanent(err))
				assert.Equal(t, tt.code, status.Code(err))
				var partial consumererror.Logs
				if tt.left == nil {
					assert.NotErrorAs(t, err, &partial)
					return
				}
				require.ErrorAs(t, err, &partial)
				assert.ElementsMatch(t, tt.left, bodiesOf(partial.Data()))
			})
		})
	}
}

// The same for the other signals. Each item of the push is either stored or handed back.
func TestPushOfEachSignal(t *testing.T) {
	set := exportertest.NewNopSettings(metadata.Type)
	names := func(resources int, name func(int) string) []string {
		var all []string
		for i := range resources {
			all = append(all, name(i))
		}
		return all
	}
	t.Run("traces", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k, c := newTestKinesis(2), directConfig()
			k.Inject(failing(kpltest.CodeThrottled, "busy"))
			c.Producer.FailIfThrottled = true
			e, err := factoryFor(k).CreateTraces(t.Context(), set, c)
			require.NoError(t, err)
			require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
			traces := ptrace.NewTraces()
			for _, name := range []string{"busy1", "a", "busy2"} {
				resource := traces.ResourceSpans().AppendEmpty()
				resource.Resource().Attributes().PutStr("service.name", name)
				resource.ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName(name)
			}
			err = e.ConsumeTraces(t.Context(), traces)
			var partial consumererror.Traces
			require.ErrorAs(t, err, &partial)
			left := partial.Data().ResourceSpans()
			assert.ElementsMatch(t, []string{"busy1", "busy2"}, names(left.Len(), func(i int) string {
				return left.At(i).ScopeSpans().At(0).Spans().At(0).Name()
			}))
			assert.Len(t, k.UserRecords(testStream), 1)
			require.NoError(t, e.Shutdown(t.Context()))
		})
	})
	t.Run("metrics", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			k, c := newTestKinesis(2), directConfig()
			k.Inject(failing(kpltest.CodeThrottled, "busy"))
			c.Producer.FailIfThrottled = true
			e, err := factoryFor(k).CreateMetrics(t.Context(), set, c)
			require.NoError(t, err)
			require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
			metrics := pmetric.NewMetrics()
			for _, name := range []string{"busy1", "a", "busy2"} {
				resource := metrics.ResourceMetrics().AppendEmpty()
				resource.Resource().Attributes().PutStr("service.name", name)
				metric := resource.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
				metric.SetName(name)
				metric.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
			}
			err = e.ConsumeMetrics(t.Context(), metrics)
			var partial consumererror.Metrics
			require.ErrorAs(t, err, &partial)
			left := partial.Data().ResourceMetrics()
			assert.ElementsMatch(t, []string{"busy1", "busy2"}, names(left.Len(), func(i int) string {
				return left.At(i).ScopeMetrics().At(0).Metrics().At(0).Name()
			}))
			assert.Len(t, k.UserRecords(testStream), 1)
			require.NoError(t, e.Shutdown(t.Context()))
		})
	})
}

// Only what was not delivered goes into the next attempt of retry_on_failure, so nothing is stored twice.
func TestRetryOnFailureSendsOnlyTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(2), directConfig()
		heal := k.Inject(failing(kpltest.CodeThrottled, "busy"))
		c.Producer.FailIfThrottled = true
		c.Retry.Enabled = true
		e := startLogs(t, k, c)
		done := make(chan error, 1)
		go func() { done <- e.ConsumeLogs(t.Context(), logsOf("a", "busy", "b")) }()
		require.NoError(t, k.WaitCalls(t.Context(), kpltest.OpPutRecords, 1))
		synctest.Wait() // the first attempt is over, and the pause before the second has begun
		assert.ElementsMatch(t, []string{"a", "b"}, storedBodies(t, k))
		heal()
		require.NoError(t, <-done)
		assert.ElementsMatch(t, []string{"a", "b", "busy"}, storedBodies(t, k))
		e.stop(t)
	})
}

// When the caller's time is over, it gets back at once what is in no request.
func TestPushReturnsWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, failing(kpltest.CodeThrottled, "")))
		c := directConfig()
		c.Timeout.Timeout = 0
		e := startLogs(t, k, c)
		start := time.Now()
		err := e.ConsumeLogs(within(t, 2*time.Second), logsOf("a"))
		assert.Equal(t, 2*time.Second, time.Since(start))
		require.ErrorContains(t, err, "1 of 1 log records not delivered: kpl: the record was canceled")
		assert.False(t, consumererror.IsPermanent(err))
		assert.Equal(t, codes.Canceled, status.Code(err))
		e.stop(t)
		assert.Equal(t, 1, e.sum(t, "items_put", "outcome", "canceled"))
		assert.Empty(t, storedBodies(t, k))
	})
}

// fire_and_forget returns once the producer has the records; what fails then is counted and logged.
func TestFireAndForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(2), directConfig()
		k.Inject(failing(kpltest.CodeInvalidArgument, "odd"))
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(time.Second)))
		c.Delivery = FireAndForget
		e := startLogs(t, k, c)
		start := time.Now()
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a", "odd1", "odd2", "b")))
		assert.Zero(t, time.Since(start))
		assert.Empty(t, storedBodies(t, k), "nobody waited for the call")
		e.stop(t)
		assert.ElementsMatch(t, []string{"a", "b"}, storedBodies(t, k))
		assert.Equal(t, 2, e.sum(t, "items_put", "outcome", "success"))
		assert.Equal(t, 2, e.sum(t, "items_put", "outcome", "rejected"))
		lost := e.logs.FilterMessage("Lost telemetry after fire-and-forget delivery").All()
		require.Len(t, lost, 1, "the same message is logged once in a while")
		assert.Contains(t, lost[0].ContextMap()["error"], "kpl: the service rejected the record")
		assert.Equal(t, int64(1), lost[0].ContextMap()["items"])
	})
}

// Admission blocks with either delivery while the producer is full, and what was not admitted goes back.
func TestFireAndForgetBlocksWhileFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(1), directConfig()
		k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, failing(kpltest.CodeThrottled, "")))
		c.Delivery = FireAndForget
		c.Timeout.Timeout = 0
		c.Producer.MaxOutstandingRecords = 2
		e := startLogs(t, k, c)
		err := e.ConsumeLogs(within(t, time.Second), logsOf("a", "b", "c", "d"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var partial consumererror.Logs
		require.ErrorAs(t, err, &partial)
		assert.ElementsMatch(t, []string{"c", "d"}, bodiesOf(partial.Data()))
		e.stop(t)
	})
}

// A hundred pushes with a rejected log record each make one line of log. It says what helps and has no payload.
func TestDroppedItemsAreLoggedOnceInAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(1), directConfig()
		c.Producer.MaxRecordSize = 64 << 10
		e := startLogs(t, k, c)
		for range 100 {
			require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a", "big-"+strings.Repeat("x", 64<<10))))
		}
		e.stop(t)
		dropped := e.logs.FilterMessage("Dropped telemetry that the stream will never accept").All()
		seconds := int(dropped[len(dropped)-1].Time.Sub(dropped[0].Time).Seconds())
		assert.Len(t, dropped, 1+seconds/10)
		fields := dropped[0].ContextMap()
		assert.Equal(t, testStream, fields["stream"])
		assert.Equal(t, "logs", fields["signal"])
		assert.Contains(t, fields["error"], "the limit is 65536")
		assert.NotContains(t, fields["error"], "xxx")
		assert.Regexp(t, `^service\.name=big-x+$`, fields["resource"])
		assert.Len(t, fields["resource"], len("service.name=")+128)
		assert.Equal(t, 100, e.sum(t, "items_put", "outcome", "oversize"))
	})
}

// The component's status follows the stream, and only changes are reported.
func TestComponentStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kpltest.New(kpltest.Config{Seed: 1}) // the stream does not exist
		e := startLogs(t, k, directConfig())
		for range 2 {
			err := e.ConsumeLogs(t.Context(), logsOf("a"))
			require.ErrorContains(t, err, "ResourceNotFoundException")
			assert.False(t, consumererror.IsPermanent(err))
		}
		assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError}, e.host.statuses())
		require.ErrorContains(t, e.host.events[0].Err(), "kpl: the stream accepts no records: ResourceNotFoundException")

		require.NoError(t, k.CreateStream(kpltest.Stream{Name: testStream, Shards: 1}))
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a")))
		want := []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}
		assert.Equal(t, want, e.host.statuses())
		e.stop(t)
		assert.Equal(t, want, e.host.statuses())
	})
}

// A stream that chooses shards itself gets no aggregates, and the log says so.
func TestStreamThatChoosesShardsItselfIsLogged(t *testing.T) {
	for known, denied := range map[string]bool{"description": false, "placement of records": true} {
		synctest.Test(t, func(t *testing.T) {
			k := kpltest.New(kpltest.Config{Seed: 1},
				kpltest.Stream{Name: testStream, Shards: 4, Distribution: types.RecordDistributionStrategyAuto})
			k.Inject(kpltest.Latency(time.Millisecond))
			if denied {
				k.Inject(kpltest.ForOperation(
					kpltest.OpDescribeStreamSummary, kpltest.FailCall(kpltest.CodeAccessDenied)))
			}
			c := directConfig()
			c.Producer.AggregationFormat = kpl.AggregationKPL
			e := startLogs(t, k, c)
			for i := range 10 {
				services := make([]string, 100)
				for j := range services {
					services[j] = fmt.Sprint("service-", i, "-", j)
				}
				require.NoError(t, e.ConsumeLogs(t.Context(), logsOf(services...)))
			}
			assert.Len(t, k.UserRecords(testStream), 1000)
			lines := e.logs.FilterMessage("The stream chooses shards itself, by no key; no record gets the KPL's format").All()
			require.Len(t, lines, 1)
			assert.Equal(t, map[string]any{"stream": testStream, "known_from": known}, lines[0].ContextMap())
			e.stop(t)
		})
	}
}

// A signal that starts while the stream is unavailable reports that, and all signals report when the stream is back.
func TestStatusOfLaterSignals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := kpltest.New(kpltest.Config{Seed: 1}), directConfig()
		f := factoryFor(k)
		first := newRig(t, f, c)
		require.NoError(t, first.Start(t.Context(), first.host))
		require.Error(t, first.ConsumeLogs(t.Context(), logsOf("a")))

		later := &statusHost{Host: componenttest.NewNopHost()}
		e, err := f.CreateTraces(t.Context(), exportertest.NewNopSettings(metadata.Type), c)
		require.NoError(t, err)
		require.NoError(t, e.Start(t.Context(), later))
		assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError}, later.statuses())

		require.NoError(t, k.CreateStream(kpltest.Stream{Name: testStream, Shards: 1}))
		require.NoError(t, first.ConsumeLogs(t.Context(), logsOf("a")))
		for _, host := range []*statusHost{first.host, later} {
			assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK},
				host.statuses())
		}
		require.NoError(t, e.Shutdown(t.Context()))
		first.stop(t)
	})
}

// A push without items sends nothing.
func TestEmptyRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		e := startLogs(t, k, directConfig())
		empty := plog.NewLogs()
		empty.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
		require.NoError(t, e.ConsumeLogs(t.Context(), empty))
		e.stop(t)
		assert.Empty(t, k.Calls(kpltest.OpPutRecords))
	})
}
