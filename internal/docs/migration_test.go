// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

// keyRow is a row of a table of keys in a migration guide.
type keyRow struct {
	theirs string
	ours   []string // none if there is no such key
}

// keyRows returns the rows of the table behind the comment <!-- keys: name -->. Each row has a key of theirs, and the keys of
// kinesis_kpl, or "none", or nothing for a block whose keys go to several places.
func keyRows(t *testing.T, document, name string) []keyRow {
	t.Helper()
	_, table, found := strings.Cut(document, "<!-- keys: "+name+" -->\n")
	require.True(t, found, name)
	table, _, _ = strings.Cut(table, "\n\n")
	var rows []keyRow
	key := regexp.MustCompile("`([^`]+)`")
	for line := range strings.Lines(table) {
		cells := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		row := keyRow{theirs: key.FindStringSubmatch(cells[0])[1]}
		for _, match := range key.FindAllStringSubmatch(cells[1], -1) {
			row.ours = append(row.ours, match[1])
		}
		if len(row.ours) == 0 {
			assert.Contains(t, []string{"none", ""}, strings.Trim(cells[1], "| \n"), line)
		}
		rows = append(rows, row)
	}
	require.NotEmpty(t, rows, name)
	return rows
}

// keyError returns the error of a configuration that sets the key to nothing, nil if the exporter knows the key.
func keyError(key string) error {
	path := strings.Split(key, "::")
	var value any
	for _, name := range slices.Backward(path) {
		value = map[string]any{name: value}
	}
	return confmap.NewFromStringMap(value.(map[string]any)).Unmarshal(defaultConfig())
}

// Each key that a migration guide names as one of this exporter exists.
func TestKeysOfTheMigrationGuides(t *testing.T) {
	for name, file := range map[string]string{"awskinesis": "awskinesisexporter", "kafka": "kafkaexporter", "kpl": "kpl"} {
		t.Run(name, func(t *testing.T) {
			for _, row := range keyRows(t, read(t, "docs/migration/"+file+".md"), name) {
				for _, key := range row.ours {
					assert.NoErrorf(t, keyError(key), "%s: %s", row.theirs, key)
				}
			}
		})
	}
}

// Each key that the page about upgrading calls replaced is an error now, and what it says to write exists.
func TestReplacedKeys(t *testing.T) {
	for _, row := range keyRows(t, read(t, "docs/upgrading.md"), "replaced") {
		assert.Error(t, keyError(row.theirs), row.theirs)
		for _, key := range row.ours {
			assert.NoError(t, keyError(key), key)
		}
	}
}

func TestKeyError(t *testing.T) {
	for _, key := range []string{"aws::tls::ca_file", "timeout", "logs::partition_key::trace_id", "sending_queue::batch"} {
		assert.NoError(t, keyError(key), key)
	}
	for _, key := range []string{"aws::role", "record_tll", "logs::partition_key::trace", "sending_queue::size", "no::such"} {
		assert.Error(t, keyError(key), key)
	}
}

// The guide from the KPL has all settings of its version 1.1.1, and no others.
func TestSettingsOfTheKPL(t *testing.T) {
	var want, got []string
	for line := range strings.Lines(read(t, "internal/docs/testdata/kpl-1.1.1.txt")) {
		if !strings.HasPrefix(line, "#") {
			want = append(want, strings.TrimSpace(line))
		}
	}
	for _, row := range keyRows(t, read(t, "docs/migration/kpl.md"), "kpl") {
		got = append(got, row.theirs)
	}
	assert.ElementsMatch(t, want, got)
}
