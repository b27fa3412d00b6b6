// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

const (
	rulesFile     = "deploy/prometheus/rules.yaml"
	dashboardFile = "deploy/grafana/dashboard.json"
	operateFile   = "docs/operate.md"
)

var (
	metricNamed = regexp.MustCompile(`kinesis_kpl_[a-z_]*[a-z]`)
	histogram   = regexp.MustCompile(`_(bucket|sum|count)$`)
	alertNamed  = regexp.MustCompile(`\bKinesis(?:[A-Z][a-z]+)+\b`)
)

// alert is an alert of rulesFile.
type alert struct {
	Alert       string            `mapstructure:"alert"`
	Labels      map[string]string `mapstructure:"labels"`
	Annotations map[string]string `mapstructure:"annotations"`
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(read(t, path)))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	require.NoError(t, conf.Unmarshal(into, confmap.WithIgnoreUnused()))
}

// alerts returns the alerts of rulesFile.
func alerts(t *testing.T) (all []alert) {
	t.Helper()
	var rules struct {
		Groups []struct {
			Rules []alert `mapstructure:"rules"`
		} `mapstructure:"groups"`
	}
	readYAML(t, rulesFile, &rules)
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			if rule.Alert != "" {
				all = append(all, rule)
			}
		}
	}
	return all
}

// metrics returns the names of the exporter's metrics.
func metrics(t *testing.T) map[string]bool {
	t.Helper()
	var metadata struct {
		Telemetry struct {
			Metrics map[string]any `mapstructure:"metrics"`
		} `mapstructure:"telemetry"`
	}
	readYAML(t, "metadata.yaml", &metadata)
	found := map[string]bool{}
	for name := range metadata.Telemetry.Metrics {
		found[name] = true
	}
	return found
}

// namedMetrics returns the metrics that a text names.
func namedMetrics(text string) map[string]bool {
	found := map[string]bool{}
	for _, name := range metricNamed.FindAllString(text, -1) {
		found[histogram.ReplaceAllString(name, "")] = true
	}
	return found
}

// What documents, dashboard and rules call a metric is one. The dashboard shows every metric, and docs/operate.md explains it.
func TestMetricsOfTheRepository(t *testing.T) {
	all := metrics(t)
	require.NotEmpty(t, all)
	for _, path := range []string{rulesFile, dashboardFile, operateFile, "README.md", "docs/faults.md", "docs/limits.md"} {
		for name := range namedMetrics(read(t, path)) {
			assert.True(t, all[name], "%s names %s", path, name)
		}
	}
	shown, explained := namedMetrics(read(t, dashboardFile)), namedMetrics(read(t, operateFile))
	for name := range all {
		assert.True(t, shown[name], "the dashboard shows %s", name)
		if !strings.HasSuffix(name, "_limit") && !slices.Contains(plainMetrics, name) {
			assert.True(t, explained[name], "%s explains %s", operateFile, name)
		}
	}
}

// plainMetrics need no explanation: the description in the dashboard says all.
var plainMetrics = []string{
	"kinesis_kpl_kinesis_records_data_held", "kinesis_kpl_kinesis_records_put", "kinesis_kpl_shard_map_refreshes",
	"kinesis_kpl_user_records_data_put", "kinesis_kpl_user_records_put", "kinesis_kpl_user_records_received",
}

// Each alert says what is wrong, why its threshold is what it is, and where to read what to do.
func TestAlertsOfTheRepository(t *testing.T) {
	found, err := anchors(os.DirFS(root), operateFile)
	require.NoError(t, err)
	var names []string
	for _, alert := range alerts(t) {
		names = append(names, alert.Alert)
		assert.Contains(t, []string{"critical", "warning"}, alert.Labels["severity"], alert.Alert)
		assert.NotEmpty(t, alert.Annotations["summary"], alert.Alert)
		assert.NotEmpty(t, alert.Annotations["description"], alert.Alert)
		page, anchor, _ := strings.Cut(alert.Annotations["runbook_url"], "#")
		assert.True(t, strings.HasSuffix(page, "/blob/main/"+operateFile), "%s: %s", alert.Alert, page)
		assert.True(t, found[anchor], "%s: %s has no section %q", alert.Alert, operateFile, anchor)
	}
	slices.Sort(names)
	for _, path := range []string{dashboardFile, operateFile} {
		named := alertNamed.FindAllString(read(t, path), -1)
		slices.Sort(named)
		assert.Equal(t, names, slices.Compact(named), "the alerts that %s names", path)
	}
}

// The panels of the dashboard do not overlap, have an id of their own, and say what they show.
func TestDashboardOfTheRepository(t *testing.T) {
	type panel struct {
		ID                       int
		Type, Title, Description string
		GridPos                  struct{ X, Y, W, H int }
	}
	var dashboard struct{ Panels []panel }
	require.NoError(t, json.Unmarshal([]byte(read(t, dashboardFile)), &dashboard))
	ids, taken := map[int]bool{}, map[[2]int]string{}
	var questions []string
	for _, p := range dashboard.Panels {
		assert.False(t, ids[p.ID], "%s has an id of its own", p.Title)
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				at := [2]int{x, y}
				assert.Empty(t, taken[at], "%s lies on another panel", p.Title)
				taken[at] = p.Title
			}
		}
		assert.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		if p.Type == "row" {
			questions = append(questions, "## "+p.Title)
		} else {
			assert.NotEmpty(t, p.Description, p.Title)
		}
	}
	var sections []string
	for line := range strings.Lines(read(t, operateFile)) {
		if strings.HasPrefix(line, "## ") && strings.HasSuffix(line, "?\n") {
			sections = append(sections, strings.TrimSpace(line))
		}
	}
	assert.Equal(t, sections, questions, "the rows are the questions of %s, in their order", operateFile)
}
