// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The command lines of the README and of the package's documentation are right.
func TestDocumentedCommandLines(t *testing.T) {
	count := 0
	for file, prefix := range map[string]string{"../../README.md": "go run ./cmd/kinesistail ", "main.go": "//	kinesistail "} {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		for line := range strings.Lines(string(content)) {
			command, found := strings.CutPrefix(line, prefix)
			if !found {
				continue
			}
			command, _, _ = strings.Cut(command, " #")
			_, err := parseOptions(strings.Fields(strings.ReplaceAll(command, "'", "")), t.Output(), time.Now())
			require.NoError(t, err, line)
			count++
		}
	}
	assert.GreaterOrEqual(t, count, 11)
}
