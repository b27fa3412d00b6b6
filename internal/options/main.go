// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command options writes docs/options.md from config.schema.yaml: all keys, with their types, defaults, ranges and meanings.
package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

//go:generate go run .

// Where the schema is and where the document goes, as seen from this package's directory, where go generate runs the command.
const (
	schemaFile   = "../../config.schema.yaml"
	documentFile = "../../docs/options.md"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "options:", err)
		os.Exit(1)
	}
}

func run() error {
	schema, err := os.ReadFile(schemaFile)
	if err != nil {
		return err
	}
	text, err := document(schema)
	if err != nil {
		return err
	}
	return os.WriteFile(documentFile, []byte(text), 0o600) //nolint:gosec // the path is a constant
}

const head = `# Options

All keys of a kinesis_kpl exporter. The command internal/options makes this page of [config.schema.yaml](../config.schema.yaml).
Do not edit. [README.md](../README.md#configure-it) has the same keys in the order of need, with examples.

Durations have a unit, such as 100ms or 5m. Sizes are bytes. Without a default, a key is empty, or what its meaning says.

| key | type | default | allowed | meaning |
|---|---|---|---|---|
`

// document returns the Markdown for a schema.
func document(schema []byte) (string, error) {
	retrieved, err := confmap.NewRetrievedFromYAML(schema)
	if err != nil {
		return "", err
	}
	raw, err := retrieved.AsRaw()
	if err != nil {
		return "", err
	}
	root, is := raw.(map[string]any)
	if !is {
		return "", fmt.Errorf("the schema is a %T, want a mapping", raw)
	}
	var b strings.Builder
	b.WriteString(head)
	writeKeys(&b, root, "")
	return b.String(), nil
}

// writeKeys writes a row for each key of a node, and for those below it, in the order of their names.
func writeKeys(b *strings.Builder, node map[string]any, prefix string) {
	properties, _ := node["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		property, _ := properties[name].(map[string]any)
		writeRow(b, property, prefix+name)
		writeKeys(b, property, prefix+name+"::")
	}
}

func writeRow(b *strings.Builder, node map[string]any, key string) {
	preset := ""
	if value, given := node["default"]; given {
		preset = code(value)
	}
	meaning, _ := node["description"].(string)
	meaning = strings.ReplaceAll(strings.Join(strings.Fields(meaning), " "), "|", `\|`)
	fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", key, kind(node), preset, allowed(node), meaning)
}

func code(value any) string { return "`" + fmt.Sprint(value) + "`" }

// kind returns the type of a node for people: a link to the block of the Collector or of this table that it is, if it is one.
func kind(node map[string]any) string {
	if reference, _ := node["$ref"].(string); reference != "" {
		if own, is := strings.CutPrefix(reference, "#/properties/"); is {
			return "block, as " + code(own)
		}
		module, _, _ := strings.Cut(strings.TrimPrefix(reference, "go.opentelemetry.io/collector/"), ".")
		return "block, as [" + module[strings.LastIndex(module, "/")+1:] +
			"](https://github.com/open-telemetry/opentelemetry-collector/tree/main/" + module + ")"
	}
	name, _ := node["type"].(string)
	switch {
	case node["format"] == "duration":
		return "duration"
	case name == "object":
		return "block"
	case name == "array":
		return "list"
	case name == "string":
		return "text"
	}
	return name
}

// allowed returns the values that a node may have, as far as the schema says so.
func allowed(node map[string]any) string {
	if values, is := node["enum"].([]any); is {
		var all []string
		for _, value := range values {
			all = append(all, code(value))
		}
		return strings.Join(all, ", ")
	}
	least, hasLeast := node["minimum"]
	most, hasMost := node["maximum"]
	switch {
	case hasLeast && hasMost:
		return fmt.Sprintf("%v to %v", least, most)
	case hasLeast:
		return fmt.Sprintf("at least %v", least)
	case hasMost:
		return fmt.Sprintf("at most %v", most)
	}
	return ""
}
