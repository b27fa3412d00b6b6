// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// TestRulesFireInTime runs the tests of the rules, which have the times of the alerts.
func TestRulesFireInTime(t *testing.T) {
	t.Parallel()
	test := exec.Command(prometheusTool(t, "promtool"), "test", "rules", "rules_test.yaml")
	test.Dir = filepath.Join(peers.Root(t), "deploy", "prometheus")
	output, err := test.CombinedOutput()
	require.NoError(t, err, "%s", output)
}

// trouble is a collector that a Prometheus watches while one thing after the other goes wrong.
type trouble struct {
	*service

	collector  *collector
	prometheus *prometheus
	send       send
	fired      map[string]bool // the alerts that have fired
}

// TestDashboardAndAlertsInTrouble lets a Prometheus scrape a collector that is overloaded, throttled, cut off and fed with what
// no stream accepts. Each alert fires in the trouble that it is for, and all clear afterwards. Each query of dashboard and rules
// finds what it should find.
func TestDashboardAndAlertsInTrouble(t *testing.T) {
	t.Parallel()
	ctx := peers.Context(t)
	prometheusTool(t, "prometheus") // skips before anything is started
	s := newService(t, kpltest.Config{}, 3)
	s.up(t)
	c := startCollector(t, settings{kinesis: s.url(), overrides: []string{
		"exporters::kinesis_kpl: {record_ttl: 60s, timeout: 90s, rate_limit: 20, oversize: truncate}",
		"exporters::kinesis_kpl::sending_queue::queue_size: 4194304",
		"exporters::kinesis_kpl::retry_on_failure: {initial_interval: 50ms, max_interval: 200ms, max_elapsed_time: 2s}",
		"exporters::kinesis_kpl::traces::partition_key::resource_attributes: [service.name]",
	}})
	w := &trouble{s, c, startPrometheus(t, c), grpcClient(t, c), map[string]bool{}}
	l := startLoad(ctx, loadConfig{name: "base", records: 20, textLength: 1000, every: 200 * time.Millisecond}, w.send)
	w.healthy(ctx, t, l)
	w.overload(ctx, t)
	w.hotShard(ctx, t)
	w.throttled(ctx, t)
	w.lostAnswers(ctx, t)
	w.unavailable(ctx, t)
	w.neverAccepted(ctx, t)
	w.reshards(ctx, t)
	peers.Until(ctx, t, func() error {
		if firing := w.prometheus.firing(ctx, t); len(firing) > 0 {
			return fmt.Errorf("alerts still fire: %v", firing)
		}
		return nil
	})
	l.stop()
	c.drained(ctx, t)
	w.checkRules(ctx, t)
	w.checkDashboard(ctx, t)
	t.Logf("after %v all alerts are clear", time.Since(w.prometheus.began))
}

// waitFiring waits until an alert with a label fires. Each time it looks, it does something first.
func (w *trouble) waitFiring(ctx context.Context, t *testing.T, alert, label, value string, first ...func()) {
	t.Helper()
	peers.Until(ctx, t, func() error {
		for _, do := range first {
			do()
		}
		firing := w.prometheus.firing(ctx, t)
		for _, labels := range firing[alert] {
			if labels[label] == value {
				return nil
			}
		}
		return fmt.Errorf("%s with %s=%q does not fire; these do: %v", alert, label, value, firing)
	})
	w.fired[alert] = true
	t.Logf("%v: %s fires (%s)", time.Since(w.prometheus.began).Round(time.Second), alert, value)
}

// healthy lets no alert fire.
func (w *trouble) healthy(ctx context.Context, t *testing.T, l *load) {
	t.Helper()
	l.waitAccepted(ctx, t, 500)
	peers.Until(ctx, t, func() error {
		if value, found := most(t, w.prometheus.query(ctx, t, "kinesis_kpl:put_units:rate5m")); !found || value == 0 {
			return fmt.Errorf("Prometheus has no rate of PUT units")
		}
		return nil
	})
	assert.Empty(t, w.prometheus.firing(ctx, t), "alerts of a collector that works")
}

// overload sends more than the stream takes.
func (w *trouble) overload(ctx context.Context, t *testing.T) {
	t.Helper()
	l := startLoad(ctx, loadConfig{name: "over", records: 100, textLength: 2000, every: 50 * time.Millisecond}, w.send)
	w.waitFiring(ctx, t, "KinesisHeldBack", "stream", stream)
	w.waitFiring(ctx, t, "KinesisNearBounds", "bound", "queue_logs")
	w.waitFiring(ctx, t, "KinesisQueueFullSoon", "data_type", "logs")
	w.waitFiring(ctx, t, "KinesisNotAccepting", "reason", "queue")
	l.stop()
}

// hotShard throttles all that is for one shard, while spans with keys come.
func (w *trouble) hotShard(ctx context.Context, t *testing.T) {
	t.Helper()
	free := w.Inject(kpltest.ForOperation(kpltest.OpPutRecords,
		kpltest.FailShard(kpltest.CodeThrottled, w.OpenShards(stream)[1])))
	// The spans of a request that is not accepted are lost here: the shard has its share of the queue.
	w.waitFiring(ctx, t, "KinesisNotAccepting", "reason", "shard", func() { _ = w.send(ctx, spansOfServices(20, 20_000)) })
	w.waitFiring(ctx, t, "KinesisHotShard", "stream", stream)
	free()
}

// throttled throttles everything, for longer than records should be old.
func (w *trouble) throttled(ctx context.Context, t *testing.T) {
	t.Helper()
	free := w.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailRecordFraction(kpltest.CodeThrottled, 1)))
	w.waitFiring(ctx, t, "KinesisThrottled", "stream", stream)
	w.waitFiring(ctx, t, "KinesisNoSuccess", "stream", stream)
	free()
	w.waitFiring(ctx, t, "KinesisLate", "stream", stream)
}

// lostAnswers breaks connections after records were stored.
func (w *trouble) lostAnswers(ctx context.Context, t *testing.T) {
	t.Helper()
	mend := w.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Fraction(0.5, kpltest.Break(kpltest.ConnectionCut))))
	w.waitFiring(ctx, t, "KinesisResent", "stream", stream)
	mend()
}

// reshards splits and merges shards while spans with keys come, until some are in records on wrong shards. Log records have no
// keys here, so they are never on wrong ones.
func (w *trouble) reshards(ctx context.Context, t *testing.T) {
	t.Helper()
	changes := 0
	w.waitFiring(ctx, t, "KinesisMisplaced", "stream", stream, func() {
		for range 5 {
			require.NoError(t, w.send(ctx, spansOfServices(20, 10)))
		}
		var err error
		if open := w.OpenShards(stream); len(open) > 6 {
			_, err = w.MergeShards(stream, open[0].ID, open[1].ID)
		} else {
			_, _, err = w.SplitShard(stream, open[changes%len(open)].ID, "")
		}
		require.NoError(t, err)
		changes++
		w.waitMore(ctx, t, 5)
	})
}

// unavailable takes away the permission to write for longer than the queue tries again.
func (w *trouble) unavailable(ctx context.Context, t *testing.T) {
	t.Helper()
	grant := w.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailCall(kpltest.CodeAccessDenied)))
	some := func() { require.NoError(t, w.send(ctx, spansOfServices(3, 10))) }
	w.waitFiring(ctx, t, "KinesisNoSuccess", "stream", stream, some)
	w.waitFiring(ctx, t, "KinesisLosingData", "outcome", "given_up", some)
	grant()
}

// neverAccepted sends a log record that fits no record, and one that fits when it is cut.
func (w *trouble) neverAccepted(ctx context.Context, t *testing.T) {
	t.Helper()
	require.NoError(t, w.send(ctx, logRequest("long", 1, 2<<20)))
	peers.Until(ctx, t, func() error { // A rate needs two samples that differ.
		if _, found := most(t, w.prometheus.query(ctx, t, "otelcol_kinesis_kpl_items_truncated")); !found {
			return errors.New("no item was cut")
		}
		return nil
	})
	require.NoError(t, w.send(ctx, logRequest("longer", 1, 2<<20)))
	logs := plog.NewLogs()
	record := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	for i := range 60_000 { // Names are never cut.
		record.Attributes().PutBool(fmt.Sprintf("a name of an attribute %d", i), true)
	}
	require.ErrorContains(t, w.send(ctx, logsOf(logs)), "log records dropped")
	w.waitFiring(ctx, t, "KinesisLosingData", "outcome", "oversize")
}

// logsOf returns a request of logs.
func logsOf(logs plog.Logs) request {
	r := plogotlp.NewExportRequestFromLogs(logs)
	return request{export: func(ctx context.Context, connection *grpc.ClientConn) error {
		_, err := plogotlp.NewGRPCClient(connection).Export(ctx, r)
		return err
	}}
}

// spansOfServices returns a request with a span of each of n services, with text of the given length.
func spansOfServices(n, textLength int) request {
	traces := ptrace.NewTraces()
	for i := range n {
		resource := traces.ResourceSpans().AppendEmpty()
		resource.Resource().Attributes().PutStr("service.name", fmt.Sprint("service-", i))
		resource.ScopeSpans().AppendEmpty().Spans().AppendEmpty().Attributes().PutStr("text", strings.Repeat("x", textLength))
	}
	r := ptraceotlp.NewExportRequestFromTraces(traces)
	return request{export: func(ctx context.Context, connection *grpc.ClientConn) error {
		_, err := ptraceotlp.NewGRPCClient(connection).Export(ctx, r)
		return err
	}}
}

// checkRules checks that Prometheus evaluates each rule, that each recording rule had a value, and that each alert has fired.
func (w *trouble) checkRules(ctx context.Context, t *testing.T) {
	t.Helper()
	rules := w.prometheus.rules(ctx, t)
	require.NotEmpty(t, rules)
	for _, rule := range rules {
		assert.Equal(t, "ok", rule.Health, "%s: %s", rule.Name, rule.LastError)
		if rule.Type == "alerting" {
			assert.True(t, w.fired[rule.Name], "%s has fired", rule.Name)
			continue
		}
		value, found := most(t, w.prometheus.query(ctx, t, rule.Name))
		assert.True(t, found && value > 0, "%s has values", rule.Name)
	}
}

// panel is a panel of the dashboard.
type panel struct {
	Title       string
	Type        string
	GridPos     struct{ X, Y, W, H int }
	FieldConfig struct{ Defaults struct{ Unit string } }
	Targets     []struct{ Expr, LegendFormat string }
}

// dashboardVariables gives the variables of the dashboard their values, and windows that fit into the run.
var dashboardVariables = strings.NewReplacer("$exporter", "kinesis_kpl.*", "$stream", ".*", "$__rate_interval", "10s",
	"$__range", "2m", "[1h]", "[10s]", "[15m]", "[30s]", "$unit_price", "0.014", "$shard_price", "0.015")

// checkDashboard evaluates each query of the dashboard over the whole run, and draws what it finds.
func (w *trouble) checkDashboard(ctx context.Context, t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(peers.Root(t), "deploy", "grafana", "dashboard.json"))
	require.NoError(t, err)
	var dashboard struct{ Panels []panel }
	require.NoError(t, json.Unmarshal(text, &dashboard))
	last := dashboard.Panels[len(dashboard.Panels)-1].GridPos
	drawn := newPicture(w.prometheus.began, time.Now(),
		w.prometheus.query(ctx, t, `max by (alertname) (ALERTS{alertstate="firing"})`), last.Y+last.H)
	for _, panel := range dashboard.Panels {
		var all []named
		for _, target := range panel.Targets {
			found := w.prometheus.query(ctx, t, dashboardVariables.Replace(target.Expr))
			checkTarget(t, panel.Title+" / "+target.LegendFormat, found)
			for _, s := range found {
				all = append(all, named{s, legendOf(target.LegendFormat, s.Metric)})
			}
		}
		drawn.draw(panel, all)
	}
	if *operateDocs != "" {
		require.NoError(t, os.WriteFile(filepath.Join(*operateDocs, "operate.svg"), []byte(drawn.String()), 0o600))
	}
}

// checkTarget checks what a query of the dashboard has found.
func checkTarget(t *testing.T, name string, found []series) {
	t.Helper()
	value, is := most(t, found)
	t.Logf("%-80s %v", name, value)
	switch bounds, known := dashboardBounds[name]; {
	case !known:
		assert.True(t, is && value > 0, "%s has the value %v", name, value)
	case bounds == nothing:
		assert.False(t, is && value > 0, "%s has the value %v", name, value)
	default:
		assert.True(t, is && value >= bounds.least && value <= bounds.most, "%s has the value %v", name, value)
	}
}

// bounds are the least and the most that the largest value of a query may be.
type bounds struct{ least, most float64 }

// nothing is the bounds of what must not happen in the run.
var nothing = bounds{}

// dashboardBounds are the bounds of queries whose values are known. The values of the others are above zero.
var dashboardBounds = map[string]bounds{
	"Throttled part of the attempts / {{stream}}":                 {0.2, 1},
	"Learned share of the busiest shards / {{stream}} {{shard}}":  {0.01, 1},
	"How full the queue is / {{data_type}}":                       {0.8, 1},
	"Lost items in this range / given up: metrics":                nothing,
	"Lost items in this range / given up: profiles":               nothing,
	"Items that were not accepted / queue: traces":                nothing,
	"Items that were not accepted / queue: metrics":               nothing,
	"Items that were not accepted / queue: profiles":              nothing,
	"Items that were changed on the way / not routed: {{reason}}": nothing,
	"Open shards / failed listings: {{stream}}":                   nothing,
}
