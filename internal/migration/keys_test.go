// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package migration

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/awskinesisexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/kafkaexporter"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
)

// guides are the migration guides from exporters, by the mark of their table of keys.
var guides = map[string]struct {
	file   string
	config func() component.Config
}{
	"awskinesis": {"awskinesisexporter.md", awskinesisexporter.NewFactory().CreateDefaultConfig},
	"kafka":      {"kafkaexporter.md", kafkaexporter.NewFactory().CreateDefaultConfig},
}

func readGuide(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/migration/" + file)
	require.NoError(t, err)
	return string(text)
}

// Each key of the other exporter is in the table of its guide, or stands below a key that is. Each key in the table exists.
func TestGuidesAreComplete(t *testing.T) {
	for name, guide := range guides {
		t.Run(name, func(t *testing.T) {
			documented := rows(readGuide(t, guide.file), name)
			require.NotEmpty(t, documented)
			existing := Keys(reflect.TypeOf(guide.config()).Elem())
			assert.Subset(t, existing, documented, "keys that %s does not have", name)
			assert.Empty(t, missing(existing, documented), "%s lacks these keys", guide.file)
		})
	}
}

// rows returns the keys in the first column of the table behind the comment <!-- keys: name -->.
func rows(document, name string) []string {
	_, table, _ := strings.Cut(document, "<!-- keys: "+name+" -->\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var keys []string
	for _, match := range regexp.MustCompile("(?m)^\\| `([a-z0-9_:]+)` \\|").FindAllStringSubmatch(table, -1) {
		keys = append(keys, match[1])
	}
	return keys
}

// missing returns the keys that are not documented. A block that is documented stands for the keys in it, unless it has rows of
// its own for some of them.
func missing(existing, documented []string) []string {
	var found []string
	for _, key := range existing {
		if !slices.Contains(documented, key) && !belowLeaf(key, documented) {
			found = append(found, key)
		}
	}
	return found
}

// belowLeaf reports whether key is in a documented block that has no documented key.
func belowLeaf(key string, documented []string) bool {
	for block := range parents(key) {
		if slices.Contains(documented, block) {
			return !slices.ContainsFunc(documented, func(k string) bool { return strings.HasPrefix(k, block+"::") })
		}
	}
	return false
}

// parents yields the blocks around a key, the nearest first.
func parents(key string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := strings.LastIndex(key, "::"); i >= 0; i = strings.LastIndex(key, "::") {
			if key = key[:i]; !yield(key) {
				return
			}
		}
	}
}

func TestMissing(t *testing.T) {
	existing := []string{"a", "b", "b::c", "b::d", "b::d::e"}
	tests := []struct {
		name       string
		documented []string
		want       []string
	}{
		{"all", []string{"a", "b", "b::c", "b::d", "b::d::e"}, nil},
		{"a block for its keys", []string{"a", "b"}, nil},
		{"a block with some keys", []string{"a", "b", "b::c"}, []string{"b::d", "b::d::e"}},
		{"a block in a block", []string{"a", "b", "b::c", "b::d"}, nil},
		{"none", nil, existing},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { assert.Equal(t, test.want, missing(existing, test.documented)) })
	}
}

// The other exporter takes the configuration that its guide begins with.
func TestGuidesBegin(t *testing.T) {
	for name, guide := range guides {
		t.Run(name, func(t *testing.T) {
			_, text, found := strings.Cut(readGuide(t, guide.file), "<!-- "+name+": before -->\n```yaml\n")
			require.True(t, found)
			text, _, _ = strings.Cut(text, "```")
			retrieved, err := confmap.NewRetrievedFromYAML([]byte(text))
			require.NoError(t, err)
			conf, err := retrieved.AsConf()
			require.NoError(t, err)
			sub, err := conf.Sub("exporters::" + name)
			require.NoError(t, err)
			require.NotEmpty(t, sub.AllKeys())
			cfg := guide.config()
			require.NoError(t, sub.Unmarshal(cfg))
			require.NoError(t, confmap.Validate(cfg))
		})
	}
}
