// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/report"
)

// Each job of a collector has the arguments that its row says, and no two rows are the same.
func TestCollectorJobs(t *testing.T) {
	programs := map[string]string{nop: "nop", theirs: "awskinesis", queued: "kinesiskpl", gateway: "otlpgateway"}
	list := jobs(selection{shapes: load.Shapes(), parts: []string{collectors}, collectors: "built"}, fullSize())
	seen := map[report.Key]bool{}
	for _, j := range list {
		assert.False(t, seen[j.Key], j.Key)
		seen[j.Key] = true
		args := map[string]string{}
		for i := 0; i < len(j.args); i += 2 {
			args[j.args[i]] = j.args[i+1]
		}
		assert.Equal(t, "built", args["-collectors"])
		assert.Equal(t, programs[j.Variant], args["-collector"], j.Key)
		assert.Equal(t, j.Compression, args["-compression"], j.Key)
		assert.Contains(t, j.Shape, args["-protocol"]+"-"+args["-shape"])
		switch {
		case strings.HasPrefix(j.Shape, "full"):
			assert.Equal(t, strings.HasPrefix(j.Shape, "full-silent"), args["-down"] == "silent", j.Key)
			assert.Equal(t, fullRounds, j.rounds)
			assert.Equal(t, none, j.sink)
		case strings.HasPrefix(j.Shape, "paced"):
			assert.NotContains(t, args, "-memory", "memory is measured with the default")
			assert.Equal(t, prompt, j.sink)
		default:
			assert.Equal(t, collectorMemory, args["-memory"])
		}
	}
	assert.True(t, seen[report.Key{Shape: "collector-grpc-logs-10000x1", Compression: "none", Variant: nop}])
	assert.True(t, seen[report.Key{Shape: "full-grpc-logs-100x100", Compression: "zstd", Variant: queued}])
}

// The parts can be measured alone. Without collectors there are no rows of them.
func TestParts(t *testing.T) {
	count := func(collectors string, parts ...string) int {
		return len(jobs(selection{shapes: load.Shapes(), parts: parts, collectors: collectors}, fullSize()))
	}
	all := count("built", exporters, library, collectors)
	assert.Equal(t, all, count("", exporters)+count("", library)+count("built", collectors))
	assert.Positive(t, count("", exporters))
	assert.Positive(t, count("", library))
	assert.Positive(t, count("built", collectors))
	assert.Zero(t, count("", collectors))
}
