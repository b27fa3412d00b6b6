// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The document is in step with the schema, which another test compares with the code.
func TestDocumentIsInStep(t *testing.T) {
	schema, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	want, err := document(schema)
	require.NoError(t, err)
	got, err := os.ReadFile(documentFile)
	require.NoError(t, err)
	assert.Equal(t, want, string(got), "run go generate ./internal/options")
}

func TestDocument(t *testing.T) {
	const schema = `
properties:
  size: {description: How large., type: integer, minimum: 1, maximum: 9, default: 5}
  least: {description: "A | b.", type: number, minimum: 2}
  most: {description: Most., type: integer, maximum: 3}
  kind:
    description: Which
      kind.
    type: string
    enum: [one, two]
    default: one
  block:
    description: A block.
    type: object
    properties:
      names: {description: Names., type: array}
      wait: {description: How long., type: string, format: duration, default: 1s}
      on: {description: Whether., type: boolean, default: false}
  again: {description: The same., $ref: "#/properties/block"}
  tls: {description: TLS., $ref: go.opentelemetry.io/collector/config/configtls.client_config}
`
	text, err := document([]byte(schema))
	require.NoError(t, err)
	_, rows, found := strings.Cut(text, "|---|---|---|---|---|\n")
	require.True(t, found)
	assert.Equal(t, "| `again` | block, as `block` |  |  | The same. |\n"+
		"| `block` | block |  |  | A block. |\n"+
		"| `block::names` | list |  |  | Names. |\n"+
		"| `block::on` | boolean | `false` |  | Whether. |\n"+
		"| `block::wait` | duration | `1s` |  | How long. |\n"+
		"| `kind` | text | `one` | `one`, `two` | Which kind. |\n"+
		"| `least` | number |  | at least 2 | A \\| b. |\n"+
		"| `most` | integer |  | at most 3 | Most. |\n"+
		"| `size` | integer | `5` | 1 to 9 | How large. |\n"+
		"| `tls` | block, as [configtls](https://github.com/open-telemetry/opentelemetry-collector/tree/main/config/configtls) |"+
		"  |  | TLS. |\n", rows)

	_, err = document([]byte("- a"))
	assert.ErrorContains(t, err, "want a mapping")
}
