// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"crypto/fips140"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// In a program that allows FIPS 140-3 algorithms only, MD5 panics unless the use is declared to be no cryptography.
func TestWorksWhereOnlyFIPSAlgorithmsAreAllowed(t *testing.T) {
	if !fips140.Enforced() {
		again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		again.Env = append(os.Environ(), "GODEBUG=fips140=only")
		output, err := again.CombinedOutput()
		require.NoError(t, err, string(output))
		return
	}
	list := aggregate(t, 51_200, sized("one", 10), sized("two", 10))
	require.Len(t, list, 1)
	members, err := Deaggregate(aggregated(list[0]))
	require.NoError(t, err)
	assert.Len(t, members, 2)
}
