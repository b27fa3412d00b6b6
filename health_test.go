// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap/zapcore"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// callAt is a call from one second to another. Its records have the codes; an empty code is a success.
func callAt(start, end float64, codes ...string) *kpl.RequestEvent {
	at := func(seconds float64) time.Time {
		return time.Unix(0, 0).Add(time.Duration(seconds * float64(time.Second)))
	}
	r := &kpl.RequestEvent{Start: at(start), End: at(end)}
	for _, code := range codes {
		r.Entries = append(r.Entries, kpl.FinishedEntry{Code: code, Message: "words about " + code})
	}
	return r
}

// failedAt is a call that failed as a whole.
func failedAt(start, end float64, code string) *kpl.RequestEvent {
	r := callAt(start, end, code)
	r.Code, r.Message = code, "words about "+code
	return r
}

// A stall is told once, after ten seconds without a stored record while there were calls, and so is its end.
func TestHealth(t *testing.T) {
	const none = ""
	for _, tt := range []struct {
		name  string
		calls []*kpl.RequestEvent
		want  []string // what each call makes known
	}{
		{
			"a stall and its end",
			[]*kpl.RequestEvent{
				failedAt(0, 6, "A"), failedAt(0, 9.9, "A"), failedAt(6, 12, "B"), failedAt(12, 18, "B"),
				callAt(18, 19, ""), callAt(19, 20, ""),
			},
			[]string{none, none, "nothing was delivered for 12s: B: words about B", none, "over after 19s", none},
		},
		{
			"time without calls is no stall",
			[]*kpl.RequestEvent{callAt(0, 1, ""), failedAt(1000, 1001, "A"), failedAt(1001, 1009, "A"), callAt(1009, 1010, "")},
			[]string{none, none, none, none},
		},
		{
			"the pause of an outer retry belongs to it",
			[]*kpl.RequestEvent{failedAt(0, 1, "A"), failedAt(45, 46, "A")},
			[]string{none, "nothing was delivered for 46s: A: words about A"},
		},
		{
			"failures far apart do not",
			[]*kpl.RequestEvent{failedAt(0, 1, "A"), failedAt(100, 101, "A"), failedAt(105, 110, "A")},
			[]string{none, none, "nothing was delivered for 10s: A: words about A"},
		},
		{
			"a slow call that began before the last success",
			[]*kpl.RequestEvent{callAt(0, 5, ""), failedAt(0, 12, "A"), failedAt(12, 15, "A")},
			[]string{none, none, "nothing was delivered for 10s: A: words about A"},
		},
		{
			"one stored record is enough",
			[]*kpl.RequestEvent{callAt(0, 1, "A", "A"), callAt(1, 11, "A", ""), callAt(11, 20, "A")},
			[]string{none, none, none},
		},
		{
			"the code of most records is the cause",
			[]*kpl.RequestEvent{callAt(0, 10, "A", "B", "A", "B", "B")},
			[]string{"nothing was delivered for 10s: B: words about B (3 of 5 records of the last call)"},
		},
		{
			"a call that a stop gave up says nothing",
			[]*kpl.RequestEvent{failedAt(0, 1, "A"), failedAt(5, 50, kpl.CodeCanceled)},
			[]string{none, none},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h health
			for i, call := range tt.calls {
				begun, over := h.finished(call)
				got := none
				if begun != nil {
					got = begun.Error()
				}
				if over > 0 {
					got = fmt.Sprint("over after ", over)
				}
				assert.Equal(t, tt.want[i], got, "call %d", i)
			}
		})
	}
}

// A stop with a storage asks for how long nothing was stored.
func TestHealthStalled(t *testing.T) {
	at := func(seconds int) time.Time { return time.Unix(int64(seconds), 0) }
	var h health
	assert.Zero(t, h.stalled(at(5)), "nothing was sent")
	_, _ = h.finished(failedAt(10, 11, "A"))
	assert.Equal(t, 7*time.Second, h.stalled(at(17)))
	assert.Zero(t, h.stalled(at(100)), "nothing is sent any more")
	_, _ = h.finished(callAt(100, 101, ""))
	assert.Zero(t, h.stalled(at(102)))
	_, _ = h.finished(failedAt(103, 104, "A"))
	h.restart()
	assert.Zero(t, h.stalled(at(105)))
}

// While nothing is delivered, there is one line with the cause and one status; afterwards one line and the status OK.
func TestStallIsTold(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault kpltest.Fault
		cause string
	}{
		{"connection", kpltest.Break(kpltest.ConnectionReset), "ConnectionError: "},
		{"no answer", kpltest.Break(kpltest.ConnectionHangs), "RequestTimeout: "},
		{"throttled", failing(kpltest.CodeThrottled, ""), "ProvisionedThroughputExceededException: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, c := newTestKinesis(1), queuedConfig()
				heal := k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, tt.fault))
				c.Retry.Enabled = true
				e := startLogs(t, k, c)
				queueAll(t, e, names("a", 3)...)
				pass(2 * time.Minute)
				lines := e.logs.FilterMessage("Nothing is delivered").All()
				require.Len(t, lines, 1)
				assert.Equal(t, zapcore.ErrorLevel, lines[0].Level)
				fields := lines[0].ContextMap()
				assert.Contains(t, fields["cause"], tt.cause)
				lasted, err := time.ParseDuration(fmt.Sprint(fields["for"]))
				require.NoError(t, err)
				assert.InDelta(t, 12*time.Second, lasted, float64(3*time.Second))
				assert.Equal(t, "bytes", fields["queue_unit"])
				assert.EqualValues(t, 3, fields["messages"])
				assert.Positive(t, fields["message_bytes"])
				assert.Positive(t, fields["queue_size"])
				assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError}, e.host.statuses())
				require.ErrorContains(t, e.host.events[0].Err(), tt.cause)

				heal()
				require.NoError(t, k.WaitRecords(t.Context(), testStream, 3))
				synctest.Wait()
				assert.Len(t, e.logs.FilterMessage("Records are delivered again").All(), 1)
				assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK},
					e.host.statuses())
				e.stop(t)
			})
		})
	}
}

// A stream that is unavailable is told at once, and not a second time as a stall.
func TestOutageIsNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(1), queuedConfig()
		heal := k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailCall(kpltest.CodeAccessDenied)))
		c.Retry.Enabled = true
		e := startLogs(t, k, c)
		queueAll(t, e, "a")
		pass(time.Minute)
		assert.Len(t, e.logs.FilterMessage("The stream accepts no records").All(), 1)
		heal()
		require.NoError(t, k.WaitRecords(t.Context(), testStream, 1))
		synctest.Wait()
		assert.Empty(t, e.logs.FilterMessage("Nothing is delivered").All())
		assert.Empty(t, e.logs.FilterMessage("Records are delivered again").All())
		assert.Len(t, e.logs.FilterMessage("The stream accepts records again").All(), 1)
		assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK},
			e.host.statuses())
		e.stop(t)
	})
}

// "records are sent all the same" is said only when they are.
func TestFailedListingsSayWhetherRecordsAreSent(t *testing.T) {
	for _, works := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			k, c := newTestKinesis(1), directConfig()
			k.Inject(kpltest.ForOperation(kpltest.OpListShards, kpltest.FailCall(kpltest.CodeAccessDenied)))
			if !works {
				k.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Break(kpltest.ConnectionReset)))
			}
			e := startLogs(t, k, c)
			for range 40 {
				_ = e.ConsumeLogs(within(t, time.Second), logsOf("a"))
				pass(time.Second)
			}
			e.stop(t)
			assert.Equal(t, works, e.logs.FilterMessageSnippet("sent all the same").Len() > 0)
			assert.NotZero(t, e.logs.FilterMessageSnippet("Listing the shards failed").Len())
		})
	}
}
