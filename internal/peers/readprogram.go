// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ToRead is a Kinesis record for a program that reads. The programs are read.py, which describes the fields, read.js and
// Read.java of testdata/peers.
type ToRead struct {
	Reader       string `json:"reader"`
	Signal       string `json:"signal"`
	Decoder      string `json:"decoder"`
	Compression  string `json:"compression"`
	PartitionKey string `json:"partition_key"`
	Data         []byte `json:"data"`
}

// Reading is what a program found in a Kinesis record.
type Reading struct {
	// Error says why the record was not read. It is empty for a record that was read.
	Error string `json:"error"`
	// Items are the log records, spans or data points, each as name|trace id.
	Items []string `json:"items"`
}

// ReadInPython reads records in Python. It skips the test where there is no Python.
func ReadInPython(t testing.TB, records []ToRead) []Reading {
	t.Helper()
	return readBy(t, python(t, "read.py"), records)
}

// ReadInNode reads records in Node.js.
func ReadInNode(t testing.TB, records []ToRead) []Reading {
	t.Helper()
	return readBy(t, node(t, "read.js"), records)
}

// ReadInJava reads records in Java. It skips the test where there is no Java.
func ReadInJava(t testing.TB, records []ToRead) []Reading {
	t.Helper()
	return readBy(t, java(t, "Read.java"), records)
}

func readBy(t testing.TB, cmd *exec.Cmd, records []ToRead) []Reading {
	t.Helper()
	var input bytes.Buffer
	lines := json.NewEncoder(&input)
	for i := range records {
		require.NoError(t, lines.Encode(&records[i]))
	}
	var stdout, stderr strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &input, &stdout, &stderr
	require.NoError(t, cmd.Run(), "%s wrote: %s", cmd, &stderr)
	all := make([]Reading, 0, len(records))
	for line := range strings.Lines(stdout.String()) {
		var r Reading
		require.NoError(t, json.Unmarshal([]byte(line), &r), "%s", line)
		all = append(all, r)
	}
	require.Len(t, all, len(records))
	return all
}
