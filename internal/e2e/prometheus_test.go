// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
)

// prometheus is a running Prometheus. A minute of its rules takes minuteOfRules here.
type prometheus struct {
	url   string
	began time.Time
}

// minuteOfRules is what a minute in a window of the rules becomes. Alerts fire minuteOfRules/2 after their condition is met.
const minuteOfRules = 2 * time.Second

var (
	minutes  = regexp.MustCompile(`\b(\d+)m\b`)
	patience = regexp.MustCompile(`(?m)^( *for:) \d+m$`)
)

// faster makes the windows of a query, or of a file of rules, as short as a test needs.
func faster(text string) string {
	text = patience.ReplaceAllString(text, fmt.Sprintf("$1 %v", minuteOfRules/2))
	return minutes.ReplaceAllStringFunc(text, func(window string) string {
		n, _ := strconv.Atoi(window[:len(window)-1]) // The pattern has digits alone.
		return (time.Duration(n) * minuteOfRules).Truncate(time.Second).String()
	})
}

// prometheusTool returns the path of a program of Prometheus. It skips the test where there is none.
func prometheusTool(t *testing.T, name string) string {
	t.Helper()
	own := filepath.Join(peers.Root(t), ".tools", "prometheus", "usr", "bin", name)
	if _, err := os.Stat(own); err == nil {
		return own
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("there is no %s: the files of deploy/prometheus are not tried; `make prometheus` gets it", name)
	}
	return path
}

// startPrometheus starts a Prometheus that scrapes a collector and evaluates the rules of deploy/prometheus.
func startPrometheus(t *testing.T, c *collector) *prometheus {
	t.Helper()
	program, dir := prometheusTool(t, "prometheus"), t.TempDir()
	rules, err := os.ReadFile(filepath.Join(peers.Root(t), "deploy", "prometheus", "rules.yaml"))
	require.NoError(t, err)
	const config = `
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [rules.yaml]
scrape_configs:
  - job_name: otelcol
    static_configs: [{targets: ["%s"]}]
`
	for name, text := range map[string]string{
		"rules.yaml": faster(string(rules)), "prometheus.yaml": fmt.Sprintf(config, c.metrics),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	address := freeAddresses(t, 1)[0]
	process := peers.Start(t, exec.Command(program,
		"--config.file="+filepath.Join(dir, "prometheus.yaml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address))
	process.WaitLine(peers.Context(t), t, "Server is ready to receive web requests")
	return &prometheus{url: "http://" + address, began: time.Now()}
}

// get calls Prometheus' API and decodes the data of the answer.
func (p *prometheus) get(ctx context.Context, t *testing.T, path string, query url.Values, data any) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/api/v1/"+path+"?"+query.Encode(), http.NoBody)
	require.NoError(t, err)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	answer := struct{ Data any }{data}
	require.NoError(t, json.Unmarshal(body, &answer), "%s", body)
	require.Equal(t, http.StatusOK, response.StatusCode, "%s: %s", query, body)
}

// series is a time series in the answer to a query.
type series struct {
	Metric map[string]string
	Values [][2]any // time in seconds, and value as text
}

// query evaluates a query over all of the time that Prometheus has run.
func (p *prometheus) query(ctx context.Context, t *testing.T, query string) []series {
	t.Helper()
	var data struct{ Result []series }
	p.get(ctx, t, "query_range", url.Values{
		"query": {query}, "step": {"1s"},
		"start": {strconv.FormatInt(p.began.Unix(), 10)}, "end": {strconv.FormatInt(time.Now().Unix(), 10)},
	}, &data)
	return data.Result
}

// most is the largest value of all series, and false if there is none that is a number.
func most(t *testing.T, all []series) (value float64, found bool) {
	t.Helper()
	value = math.Inf(-1)
	for _, s := range all {
		for _, sample := range s.Values {
			text, _ := sample[1].(string)
			one, err := strconv.ParseFloat(text, 64)
			require.NoError(t, err)
			if !math.IsNaN(one) {
				value, found = max(value, one), true
			}
		}
	}
	return value, found
}

// firing returns the alerts that fire now, by name, with what identifies each.
func (p *prometheus) firing(ctx context.Context, t *testing.T) map[string][]map[string]string {
	t.Helper()
	var data struct {
		Alerts []struct {
			Labels map[string]string
			State  string
		}
	}
	p.get(ctx, t, "alerts", nil, &data)
	found := map[string][]map[string]string{}
	for _, alert := range data.Alerts {
		if name := alert.Labels["alertname"]; alert.State == "firing" {
			found[name] = append(found[name], alert.Labels)
		}
	}
	return found
}

// rule is a rule as Prometheus has evaluated it.
type rule struct{ Name, Query, Type, Health, LastError string }

// rules returns all rules.
func (p *prometheus) rules(ctx context.Context, t *testing.T) (all []rule) {
	t.Helper()
	var data struct{ Groups []struct{ Rules []rule } }
	p.get(ctx, t, "rules", nil, &data)
	for _, group := range data.Groups {
		all = append(all, group.Rules...)
	}
	return all
}
