// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otel-kinesis/kinesiskplexporter"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(root + "/" + path)
	require.NoError(t, err)
	return string(data)
}

// snippets returns the fenced blocks of a Markdown document that follow a comment <!-- mark --> or <!-- mark: name -->,
// by name.
func snippets(document, mark string) map[string]string {
	block := regexp.MustCompile("(?s)<!-- " + mark + "(?:: ([^ ]+))? -->\n```\\w+\n(.*?)```")
	found := map[string]string{}
	for _, match := range block.FindAllStringSubmatch(document, -1) {
		found[match[1]] = match[2]
	}
	return found
}

// The manifest in the README names this module, as the repository's own does.
func TestReadmeManifest(t *testing.T) {
	var modules []string
	for _, text := range []string{snippets(read(t, "README.md"), "manifest")[""], read(t, "builder-config.yaml")} {
		retrieved, err := confmap.NewRetrievedFromYAML([]byte(text))
		require.NoError(t, err)
		conf, err := retrieved.AsConf()
		require.NoError(t, err)
		exporters, is := conf.Get("exporters").([]any)
		require.True(t, is)
		module, _, _ := strings.Cut(exporters[0].(map[string]any)["gomod"].(string), " ")
		modules = append(modules, module)
	}
	assert.Equal(t, modules[1], modules[0])
	assert.Contains(t, read(t, "go.mod"), "module "+modules[0]+"\n")
}

func defaultConfig() component.Config {
	return kinesiskplexporter.NewFactory().CreateDefaultConfig()
}

// Each key in the README's tables exists and has the default that the table says; and no key is missing.
func TestReadmeDefaults(t *testing.T) {
	conf := confmap.New()
	require.NoError(t, conf.Marshal(defaultConfig()))
	actual := conf.ToStringMap()
	documented := map[string]bool{}
	_, text, _ := strings.Cut(read(t, "README.md"), "\n## Configure it\n")
	text, _, _ = strings.Cut(text, "\n## ")
	row := regexp.MustCompile("(?m)^\\| ((?:`[a-z_:]+`(?:, )?)+) \\| (.*?) \\|")
	for _, match := range row.FindAllStringSubmatch(text, -1) {
		for key := range strings.SplitSeq(match[1], ", ") {
			key = strings.Trim(key, "`")
			value, exists := lookUp(actual, strings.Split(key, "::"))
			require.True(t, exists, key)
			documented[key] = true
			if _, block := value.(map[string]any); block {
				continue
			}
			text := fmt.Sprint(value)
			if value == nil || text == "" || text == "[]" {
				assert.NotRegexp(t, "^`|^[0-9]", match[2], "%s has no default of its own", key)
				continue
			}
			assert.Equal(t, text, strings.Trim(match[2], "`"), key)
		}
	}
	for _, key := range keys(actual, "") {
		block, _, _ := strings.Cut(key, "::")
		assert.True(t, documented[key] || documented[block], "README.md lacks %s", key)
	}
}

func lookUp(conf map[string]any, path []string) (any, bool) {
	value, exists := conf[path[0]]
	if len(path) == 1 || !exists {
		return value, exists
	}
	inner, is := value.(map[string]any)
	if !is {
		return nil, false
	}
	return lookUp(inner, path[1:])
}

// keys returns the full names of all keys.
func keys(conf map[string]any, prefix string) []string {
	var all []string
	for key, value := range conf {
		if inner, is := value.(map[string]any); is {
			all = append(all, keys(inner, prefix+key+"::")...)
		} else {
			all = append(all, prefix+key)
		}
	}
	slices.Sort(all)
	return all
}

// The Go code in the README is the code that package kpl's tests run.
func TestReadmeGo(t *testing.T) {
	tested := read(t, "kpl/readme_test.go")
	code := snippets(read(t, "README.md"), "go")
	require.Len(t, code, 2)
	for name, text := range code {
		_, rest, found := strings.Cut(tested, "\t// README "+name+" {\n")
		require.True(t, found, name)
		want, _, found := strings.Cut(rest, "\t// }\n")
		require.True(t, found, name)
		assert.Equal(t, regexp.MustCompile("(?m)^\t").ReplaceAllString(want, ""), text, name)
	}
}

// The policy in the README allows the calls that the producer makes, and nothing else.
func TestReadmePolicy(t *testing.T) {
	var policy struct{ Statement []struct{ Action []string } }
	require.NoError(t, json.Unmarshal([]byte(snippets(read(t, "README.md"), "policy")[""]), &policy))
	require.Len(t, policy.Statement, 1)
	var calls []string
	for method := range reflect.TypeFor[kpl.Client]().Methods() {
		calls = append(calls, "kinesis:"+method.Name)
	}
	assert.ElementsMatch(t, calls, policy.Statement[0].Action)
}
