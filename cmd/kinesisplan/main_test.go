// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what kinesisplan prints into docs/sizing.md")

// The example in docs/sizing.md is what the command prints. go test ./cmd/kinesisplan -update renews it.
func TestExampleOfTheDocument(t *testing.T) {
	const file = "../../docs/sizing.md"
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(text), "<!-- kinesisplan ")
	require.True(t, found)
	args, rest, found := strings.Cut(rest, " -->\n```\n")
	require.True(t, found)
	output, after, found := strings.Cut(rest, "```\n")
	require.True(t, found)
	var printed strings.Builder
	require.NoError(t, run(strings.Fields(args), &printed))
	if *update {
		renewed := before + "<!-- kinesisplan " + args + " -->\n```\n" + printed.String() + "```\n" + after
		require.NoError(t, os.WriteFile(file, []byte(renewed), 0o600))
		return
	}
	assert.Equal(t, printed.String(), output)
	assert.Contains(t, before, "go run ./cmd/kinesisplan "+args+"\n")
}

func TestRun(t *testing.T) {
	tests := []struct{ name, args, want string }{
		{"help", "-help", "help requested"},
		{"an argument", "10000", `found argument "10000"`},
		{"no such flag", "-shards 3", "not defined"},
		{"no such compression", "-compression lz4", `found "lz4"`},
		{"no load", "-items 0", "-items must be more than 0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var printed strings.Builder
			assert.ErrorContains(t, run(strings.Fields(test.args), &printed), test.want)
			assert.Equal(t, test.name == "help", strings.Contains(printed.String(), "-price-shard-hour"))
		})
	}
}

// Prices can be changed, and the ratio of a compression.
func TestFlags(t *testing.T) {
	tests := []struct{ name, args, want string }{
		{"price of a shard", "-price-shard-hour 1 -hours 10", "shards $80,"}, // 8 shards
		{"price of units", "-price-units 1000000 -hours 1 -price-shard-hour 0", "PUT units $528,"},
		{"ratio", "-compression zstd -ratio 0.5", "at the peak 2.9 MiB/s"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var printed strings.Builder
			require.NoError(t, run(strings.Fields(test.args), &printed))
			assert.Contains(t, printed.String(), test.want)
		})
	}
}

func TestNumbers(t *testing.T) {
	for value, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567.6: "1,234,568"} {
		assert.Equal(t, want, count(value))
	}
	for value, want := range map[float64]string{0: "0.0 B", 1 << 10: "1.0 KiB", 20 << 20: "20 MiB", 5 << 40: "5120 GiB"} {
		assert.Equal(t, want, size(value))
	}
}
