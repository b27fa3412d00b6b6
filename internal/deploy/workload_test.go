// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otel-kinesis/kinesiskplexporter"
)

// folder is what is tested, as seen from this package's directory.
const folder = "../../deploy/"

// block is a mapping of YAML.
type block = map[string]any

// workload is one collector as a file of the folder deploys it.
type workload struct {
	file   string
	config string // the configuration of the collector, in YAML

	image      string        // "" if it runs without one
	limit      int           // bytes of memory
	requested  int           // bytes of memory; 0 if the file has no such number
	goMemLimit int           // bytes
	grace      time.Duration // from SIGTERM to SIGKILL, with preStop
	preStop    time.Duration
	disk       int // bytes; 0 if the file does not limit it
}

// workloads returns all collectors in the folder.
func workloads(t *testing.T) []workload {
	t.Helper()
	return []workload{
		ofManifest(t, "kubernetes/agent.yaml"), ofManifest(t, "kubernetes/gateway.yaml"),
		ofManifest(t, "kubernetes/gateway-storage.yaml"),
		ofChart(t, "helm/agent-values.yaml"), ofChart(t, "helm/gateway-values.yaml"),
		ofUnit(t), ofImage(t),
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(folder + file)
	require.NoError(t, err)
	return string(text)
}

// documents returns the YAML documents of a file.
func documents(t *testing.T, file string) []block {
	t.Helper()
	var all []block
	for text := range strings.SplitSeq(read(t, file), "\n---\n") {
		all = append(all, decode(t, text))
	}
	return all
}

func decode(t *testing.T, text string) block {
	t.Helper()
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(text))
	require.NoError(t, err)
	raw, err := retrieved.AsRaw()
	require.NoError(t, err)
	require.IsType(t, block{}, raw)
	return raw.(block)
}

// at returns what stands in a document below keys. An integer is an index of a list.
func at[T any](t *testing.T, document any, path ...any) T {
	t.Helper()
	for _, key := range path {
		switch key := key.(type) {
		case string:
			require.IsType(t, block{}, document, "%v", path)
			document = document.(block)[key]
		case int:
			require.IsType(t, []any{}, document, "%v", path)
			document = document.([]any)[key]
		}
	}
	value, is := document.(T)
	require.Truef(t, is, "%v is %T", path, document)
	return value
}

// ofManifest reads a file of Kubernetes with one workload.
func ofManifest(t *testing.T, file string) workload {
	t.Helper()
	w := workload{file: file}
	for _, document := range documents(t, file) {
		switch document["kind"] {
		case "ConfigMap":
			w.config = at[string](t, document, "data", "config.yaml")
		case "DaemonSet", "Deployment", "StatefulSet":
			pod := at[block](t, document, "spec", "template", "spec")
			container := at[block](t, pod, "containers", 0)
			w.image = at[string](t, container, "image")
			w.grace = seconds(t, pod, "terminationGracePeriodSeconds")
			if hooks, has := container["lifecycle"]; has {
				w.preStop = seconds(t, hooks, "preStop", "sleep", "seconds")
			}
			w.limit = quantity(t, at[string](t, container, "resources", "limits", "memory"))
			w.requested = quantity(t, at[string](t, container, "resources", "requests", "memory"))
			for _, variable := range at[[]any](t, container, "env") {
				if at[string](t, variable, "name") == "GOMEMLIMIT" {
					w.goMemLimit = quantity(t, at[string](t, variable, "value"))
				}
			}
			if document["kind"] == "StatefulSet" {
				w.disk = quantity(t, at[string](t, document, "spec", "volumeClaimTemplates", 0, "spec", "resources", "requests", "storage"))
			}
		}
	}
	return w
}

// ofChart reads values of the Collector's chart.
func ofChart(t *testing.T, file string) workload {
	t.Helper()
	values := decode(t, read(t, file))
	config, err := json.Marshal(at[block](t, values, "alternateConfig")) // JSON is YAML
	require.NoError(t, err)
	w := workload{
		file: file, config: string(config),
		image:     at[string](t, values, "image", "repository") + ":" + at[string](t, values, "image", "tag"),
		limit:     quantity(t, at[string](t, values, "resources", "limits", "memory")),
		requested: quantity(t, at[string](t, values, "resources", "requests", "memory")),
		grace:     seconds(t, values, "terminationGracePeriodSeconds"),
	}
	require.True(t, at[bool](t, values, "useGOMEMLIMIT"))
	w.goMemLimit = w.limit * 8 / 10 >> 20 << 20 // as the chart does
	if hooks, has := values["lifecycleHooks"]; has {
		w.preStop = seconds(t, hooks, "preStop", "sleep", "seconds")
	}
	return w
}

// ofUnit reads the unit of systemd.
func ofUnit(t *testing.T) workload {
	t.Helper()
	const file = "systemd/otelcol-kinesis.service"
	unit := read(t, file)
	grace, err := time.ParseDuration(match(t, unit, `(?m)^TimeoutStopSec=(.*)$`))
	require.NoError(t, err)
	return workload{
		file: file, config: read(t, "systemd/config.yaml"), grace: grace,
		limit:      quantity(t, match(t, unit, `(?m)^MemoryMax=(.*)$`)+"i"), // systemd counts in powers of 1,024
		goMemLimit: quantity(t, match(t, unit, `(?m)^Environment=GOMEMLIMIT=(.*)$`)),
	}
}

// ofImage reads the command of Docker in the configuration of the image.
func ofImage(t *testing.T) workload {
	t.Helper()
	const file = "docker/config.yaml"
	text := read(t, file)
	grace, err := strconv.Atoi(match(t, text, `--stop-timeout (\d+)`))
	require.NoError(t, err)
	return workload{
		file: file, config: text, grace: time.Duration(grace) * time.Second,
		limit:      quantity(t, strings.ToUpper(match(t, text, `--memory (\S+)`))+"i"), // Docker counts in powers of 1,024
		goMemLimit: quantity(t, match(t, text, `GOMEMLIMIT=(\S+)`)),
	}
}

func match(t *testing.T, text, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	require.NotNil(t, found, pattern)
	return found[1]
}

func seconds(t *testing.T, document any, path ...any) time.Duration {
	t.Helper()
	return time.Duration(at[int](t, document, path...)) * time.Second
}

// quantity returns the bytes that a quantity of Kubernetes or a GOMEMLIMIT means. Only powers of 1,024 occur.
func quantity(t *testing.T, text string) int {
	t.Helper()
	parts := regexp.MustCompile(`^(\d+)([MG])iB?$`).FindStringSubmatch(text)
	require.NotNil(t, parts, text)
	n, err := strconv.Atoi(parts[1])
	require.NoError(t, err)
	return n << map[string]int{"M": 20, "G": 30}[parts[2]]
}

// environment has the variables that the configurations use and that have no default.
var environment = map[string]string{
	"KINESIS_STREAM": "telemetry", "KINESIS_STREAM_ARN": "arn:aws:kinesis:eu-central-1:123456789012:stream/telemetry",
}

// exporter returns the exporter's configuration as the Collector reads it, and how many signals it has.
func (w workload) exporter(t *testing.T) (cfg *kinesiskplexporter.Config, signals int) {
	t.Helper()
	text := regexp.MustCompile(`\$\{env:([A-Z_]+)(?::-([^}]*))?\}`).ReplaceAllStringFunc(w.config, func(variable string) string {
		name, otherwise, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(variable, "${env:"), "}"), ":-")
		if value, set := environment[name]; set {
			return value
		}
		return otherwise
	})
	collector := decode(t, text)
	for _, pipeline := range at[block](t, collector, "service", "pipelines") {
		if slices.Contains(at[[]any](t, pipeline, "exporters"), any("kinesis_kpl")) {
			signals++
		}
	}
	cfg, is := kinesiskplexporter.NewFactory().CreateDefaultConfig().(*kinesiskplexporter.Config)
	require.True(t, is)
	require.NoError(t, confmap.NewFromStringMap(at[block](t, collector, "exporters", "kinesis_kpl")).Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))
	return cfg, signals
}
