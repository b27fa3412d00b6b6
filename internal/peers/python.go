// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// python returns a command that runs a script of testdata/peers with its Python packages.
func python(t testing.TB, script string) *exec.Cmd {
	t.Helper()
	cmd := PythonTool(t, "python", script)
	cmd.Dir = filepath.Join(Root(t), "testdata", "peers")
	return cmd
}

// PythonTool returns a command that runs a program of the Python packages in testdata/peers. It skips the test where there is no
// Python at all, and fails the test if only the packages are not installed.
func PythonTool(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("there is no python3: " + name + " is not tried")
	}
	path, err := filepath.Abs(filepath.Join(Root(t), "testdata", "peers", ".venv", "bin", name))
	require.NoError(t, err)
	_, err = os.Stat(path)
	require.NoError(t, err, "the Python packages are not installed: run `make peers`")
	return exec.Command(path, args...) //nolint:gosec // The tests name the programs.
}

// DecodedOTLP is what Python's protobuf reads in a message.
type DecodedOTLP struct {
	// Error says why the message was not decoded. It is empty for a message that was decoded.
	Error string
	// Items is the number of log records, spans, data points or samples.
	Items int
	// Texts are all different strings in the message, sorted.
	Texts []string
}

// DecodeInPython decodes the data of messages of one signal, which are not compressed, with Python's protobuf.
func DecodeInPython(t testing.TB, s marshaler.Signal, e marshaler.Encoding, messages [][]byte) []DecodedOTLP {
	t.Helper()
	var input bytes.Buffer
	lines := json.NewEncoder(&input)
	for _, data := range messages {
		require.NoError(t, lines.Encode(map[string]string{
			"signal": s.String(), "encoding": string(e), "data": base64.StdEncoding.EncodeToString(data),
		}))
	}
	cmd := python(t, "otlp.py")
	var stdout, stderr strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &input, &stdout, &stderr
	require.NoError(t, cmd.Run(), "otlp.py wrote: %s", &stderr)
	all := make([]DecodedOTLP, 0, len(messages))
	for line := range strings.Lines(stdout.String()) {
		var decoded DecodedOTLP
		require.NoError(t, json.Unmarshal([]byte(line), &decoded))
		all = append(all, decoded)
	}
	require.Len(t, all, len(messages))
	return all
}
