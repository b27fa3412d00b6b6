// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The README names each recipe, and each says first what it is for.
func TestRecipesOfTheReadme(t *testing.T) {
	readme := read(t, "README.md")
	recipes, err := files(os.DirFS(root+"/examples/recipes"), "*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, recipes)
	for _, recipe := range recipes {
		assert.Contains(t, readme, "(examples/recipes/"+recipe+")")
		text := read(t, "examples/recipes/"+recipe)
		assert.True(t, strings.HasPrefix(text, "# "), "%s has no comment first", recipe)
	}
}
