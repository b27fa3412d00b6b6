// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestChild(t *testing.T) {
	shell, err := exec.LookPath("sh")
	require.NoError(t, err)
	tests := []struct{ name, script, output, err string }{
		{name: "ends when told to", script: `trap 'echo bye; exit 0' TERM; echo up; while :; do :; done`, output: "bye\n"},
		{name: "fails when told to", script: `trap 'exit 3' TERM; echo up; while :; do :; done`, err: "sh: exit status 3"},
		{name: "ends by the signal", script: `echo up; exec sleep 60`, err: "sh: signal: terminated"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			stdout, stdoutWriter := io.Pipe()
			c, err := start(t.Context(), shell, []string{"DEMO_TEST=1"}, stdoutWriter, io.Discard, "-c", test.script)
			require.NoError(t, err)
			up := make([]byte, 3)
			_, err = io.ReadFull(stdout, up)
			require.NoError(t, err)
			require.Equal(t, "up\n", string(up))

			output := make(chan string)
			go func() {
				rest, _ := io.ReadAll(stdout)
				output <- string(rest)
			}()
			err = c.stop()
			assert.Equal(t, test.output, <-output)
			if test.err == "" {
				assert.NoError(t, err)
			} else {
				assert.EqualError(t, err, test.err)
			}
		})
	}

	t.Run("no such program", func(t *testing.T) {
		_, writer := io.Pipe()
		_, err := start(t.Context(), "/no/such/program", nil, writer, io.Discard)
		assert.Error(t, err)
	})
}
