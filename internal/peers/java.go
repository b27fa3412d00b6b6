// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// java returns a command that runs a source file of testdata/peers/java with its libraries. It skips the test where there is no
// Java or no Maven at all, and fails the test if only the libraries are not installed.
func java(t testing.TB, source string) *exec.Cmd {
	t.Helper()
	for _, program := range []string{"javac", "mvn"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("there is no %s: what Java reads is not tried", program)
		}
	}
	dir := filepath.Join(Root(t), "testdata", "peers", "java")
	_, err := os.Stat(filepath.Join(dir, "lib", ".stamp"))
	require.NoError(t, err, "the libraries for Java are not installed: run `make peers`")
	cmd := exec.Command("java", "-cp", filepath.Join("lib", "*"), source) //nolint:gosec // The sources are this repository's.
	cmd.Dir = dir
	return cmd
}
