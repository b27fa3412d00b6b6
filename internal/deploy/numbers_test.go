// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The rules that deploy/README.md states.
const (
	idleBytes      = 128 << 20        // of a collector whose queue is empty, with traffic
	heldFactor     = 2.4              // bytes of the process for a byte that the exporter holds
	storedRequest  = 256 << 10        // bytes of a request that was read from a storage, on average
	goMemShare     = 0.8              // of the limit
	receiversGrace = 10 * time.Second // for what stops before and after the exporter
)

// held is how many bytes the exporter holds in memory at most.
func (w workload) held(t *testing.T) int {
	t.Helper()
	cfg, signals := w.exporter(t)
	queue := cfg.Queue.Get()
	if queue.StorageID == nil {
		return signals * int(queue.QueueSize)
	}
	require.Positive(t, cfg.Producer.MaxOutstandingBytes, "with a storage, it limits memory")
	return cfg.Producer.MaxOutstandingBytes + signals*queue.NumConsumers*storedRequest
}

// Each configuration is one that the exporter takes, for all three signals.
func TestConfigurations(t *testing.T) {
	for _, w := range workloads(t) {
		t.Run(w.file, func(t *testing.T) {
			_, signals := w.exporter(t)
			assert.Equal(t, 3, signals)
		})
	}
}

// A full queue fits into the memory, and the garbage collector works harder before the limit is reached.
func TestMemoryFits(t *testing.T) {
	for _, w := range workloads(t) {
		t.Run(w.file, func(t *testing.T) {
			needed := idleBytes + int(heldFactor*float64(w.held(t)))
			assert.GreaterOrEqual(t, w.goMemLimit, needed, "GOMEMLIMIT")
			assert.InDelta(t, goMemShare*float64(w.limit), w.goMemLimit, 1<<20, "GOMEMLIMIT is 80 % of the limit")
			if w.requested > 0 {
				assert.Equal(t, w.limit, w.requested)
			}
		})
	}
}

// The limiter of memory does not stop a collector that is within GOMEMLIMIT.
func TestMemoryLimiterFits(t *testing.T) {
	for _, w := range workloads(t) {
		processors, has := decode(t, w.config)["processors"]
		if !has {
			continue
		}
		hard := at[int](t, processors, "memory_limiter", "limit_percentage")
		soft := hard - at[int](t, processors, "memory_limiter", "spike_limit_percentage")
		assert.GreaterOrEqual(t, w.limit*soft/100, w.goMemLimit, w.file)
	}
}

// A stop ends before the process is killed.
func TestGraceFits(t *testing.T) {
	for _, w := range workloads(t) {
		cfg, _ := w.exporter(t)
		assert.Positive(t, cfg.DrainTimeout, w.file)
		assert.GreaterOrEqual(t, w.grace, w.preStop+cfg.DrainTimeout+receiversGrace, w.file)
		if cfg.Queue.Get().StorageID == nil && w.preStop > 0 {
			assert.Greater(t, cfg.DrainTimeout, cfg.Producer.RecordTTL, "%s: what is left is lost", w.file)
		}
	}
}

// Full queues fit on the disk twice, because the storage does not shrink.
func TestDiskFits(t *testing.T) {
	var checked int
	for _, w := range workloads(t) {
		if w.disk == 0 {
			continue
		}
		cfg, signals := w.exporter(t)
		assert.GreaterOrEqual(t, w.disk, 2*signals*int(cfg.Queue.Get().QueueSize), w.file)
		checked++
	}
	assert.Positive(t, checked)
}

// All files run the version that builder-config.yaml builds.
func TestImagesHaveTheVersion(t *testing.T) {
	builder, err := os.ReadFile("../../builder-config.yaml")
	require.NoError(t, err)
	want := "registry.example.com/otelcol-kinesis:" + match(t, string(builder), `(?m)^  version: (.*)$`)
	for _, w := range workloads(t) {
		if w.image != "" {
			assert.Equal(t, want, w.image, w.file)
		}
	}
}

// The chart and the manifests run the same collectors.
func TestChartRunsTheManifests(t *testing.T) {
	for _, kind := range []string{"agent", "gateway"} {
		chart, manifest := ofChart(t, "helm/"+kind+"-values.yaml"), ofManifest(t, "kubernetes/"+kind+".yaml")
		assert.Equal(t, decode(t, manifest.config), decode(t, chart.config), kind)
		chart.file, chart.config, manifest.file, manifest.config = "", "", "", ""
		assert.Equal(t, manifest, chart, kind)
	}
}

// Who may write is the same everywhere: the role, its policy, and the account of the service.
func TestIdentity(t *testing.T) {
	for _, file := range []string{"iam/policy.json", "iam/trust-irsa.json", "iam/trust-pod-identity.json"} {
		assert.True(t, json.Valid([]byte(read(t, file))), file)
	}
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	assert.JSONEq(t, match(t, string(readme), "(?s)<!-- policy -->\n```json\n(.*?)```"), read(t, "iam/policy.json"))

	account := documents(t, "kubernetes/common.yaml")[1]
	name := at[string](t, account, "metadata", "namespace") + ":" + at[string](t, account, "metadata", "name")
	assert.Contains(t, read(t, "iam/trust-irsa.json"), fmt.Sprintf("%q", "system:serviceaccount:"+name))
}

// The table of the README has the numbers of the files.
func TestReadmeHasTheNumbers(t *testing.T) {
	text := read(t, "README.md")
	for name, w := range map[string]workload{
		"agent": ofManifest(t, "kubernetes/agent.yaml"), "gateway": ofManifest(t, "kubernetes/gateway.yaml"),
		"gateway with storage": ofManifest(t, "kubernetes/gateway-storage.yaml"), "systemd": ofUnit(t),
	} {
		cfg, _ := w.exporter(t)
		held := w.held(t)
		row := regexp.MustCompile(`(?m)^\| ` + name + ` \| .*$`).FindString(text)
		assert.Contains(t, row, fmt.Sprintf("= %d MiB | %d MiB |", held>>20, (idleBytes+int(heldFactor*float64(held))+(1<<20-1))>>20))
		assert.Contains(t, row, fmt.Sprintf("| %dMiB | %.0f s | %.0f s |",
			w.goMemLimit>>20, cfg.DrainTimeout.Seconds(), w.grace.Seconds()))
	}
}

// The README has a row for each file.
func TestReadmeNamesAllFiles(t *testing.T) {
	text := read(t, "README.md")
	require.NoError(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != "README.md" && filepath.Ext(path) != ".go" {
			name, relErr := filepath.Rel(folder, path)
			require.NoError(t, relErr)
			assert.Regexp(t, regexp.QuoteMeta("("+filepath.ToSlash(name)+")"), text)
		}
		return err
	}))
}
