// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otel-kinesis/kinesiskplexporter"
)

// schemaNode is a node of config.schema.yaml.
type schemaNode map[string]any

func (n schemaNode) text(key string) string {
	value, _ := n[key].(string)
	return value
}

// properties returns the nodes of the keys below n.
func (n schemaNode) properties() map[string]schemaNode {
	found := map[string]schemaNode{}
	properties, _ := n["properties"].(map[string]any)
	for key, property := range properties {
		if node, is := property.(map[string]any); is {
			found[key] = node
		}
	}
	return found
}

func readSchema(t *testing.T) schemaNode {
	t.Helper()
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(read(t, "config.schema.yaml")))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	return conf.ToStringMap()
}

// configFields returns the types of the keys of a configuration struct, those of squashed structs included.
func configFields(of reflect.Type) map[string]reflect.Type {
	found := map[string]reflect.Type{}
	for field := range of.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		switch {
		case options == "squash":
			maps.Copy(found, configFields(field.Type))
		case name != "":
			found[name] = field.Type
		}
	}
	return found
}

// schemaType returns the type and format by which a schema describes values of a Go type.
func schemaType(of reflect.Type) (string, string) {
	switch {
	case of == reflect.TypeFor[time.Duration]():
		return "string", "duration"
	case of.Kind() == reflect.Bool:
		return "boolean", ""
	case of.Kind() >= reflect.Int && of.Kind() <= reflect.Uint64:
		return "integer", ""
	case of.Kind() == reflect.Float32 || of.Kind() == reflect.Float64:
		return "number", ""
	case of.Kind() == reflect.Slice:
		return "array", ""
	case of.Kind() == reflect.Struct:
		return "object", ""
	}
	return "string", ""
}

// schemaErrors returns a line for each way in which a schema differs from a configuration struct and its defaults. Where
// the schema refers to one of the Collector, nothing is compared.
func schemaErrors(schema schemaNode, of reflect.Type, defaults map[string]any, path string) []string {
	var found []string
	fields, properties := configFields(of), schema.properties()
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		if _, exists := fields[key]; !exists {
			found = append(found, fmt.Sprintf("%s%s is in the schema and not in %v", path, key, of))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if node, exists := properties[key]; exists {
			found = append(found, nodeErrors(node, fields[key], defaults[key], path+key)...)
		} else {
			found = append(found, fmt.Sprintf("%s%s is in %v and not in the schema", path, key, of))
		}
	}
	return found
}

// nodeErrors compares the node of one key with its type and default.
func nodeErrors(node schemaNode, of reflect.Type, value any, path string) []string {
	var found []string
	if node.text("description") == "" {
		found = append(found, path+" has no description")
	}
	inner, _ := value.(map[string]any)
	if node.text("$ref") != "" {
		return found
	}
	kind, format := schemaType(of)
	if node.text("type") != kind || node.text("format") != format {
		found = append(found, fmt.Sprintf("%s is of type %s %s, the schema says %s %s",
			path, kind, format, node.text("type"), node.text("format")))
	}
	if kind == "object" {
		return append(found, schemaErrors(node, of, inner, path+"::")...)
	}
	got, given := node["default"]
	if text := fmt.Sprint(value); text == "" || text == "[]" || value == nil {
		if given {
			found = append(found, fmt.Sprintf("%s has no default, the schema says %v", path, got))
		}
	} else if !given || fmt.Sprint(got) != text {
		found = append(found, fmt.Sprintf("%s has the default %s, the schema says %v", path, text, got))
	}
	return found
}

// config.schema.yaml has the keys of the configuration, with their types and defaults.
func TestSchemaOfTheConfiguration(t *testing.T) {
	conf := confmap.New()
	require.NoError(t, conf.Marshal(defaultConfig()))
	wrong := schemaErrors(readSchema(t), reflect.TypeFor[kinesiskplexporter.Config](), conf.ToStringMap(), "")
	for _, line := range wrong {
		t.Errorf("config.schema.yaml: %s", line)
	}
}

// A configuration with every default written down is the default configuration.
func TestSchemaDefaults(t *testing.T) {
	cfg := defaultConfig()
	defaults := readSchema(t).limitsOf("default", "")
	require.Contains(t, defaults, "sending_queue::queue_size")
	require.NoError(t, confmap.NewFromStringMap(defaults).Unmarshal(cfg))
	assert.Equal(t, defaultConfig(), cfg)
}

// limitsOf collects the values that a schema has under key (minimum, maximum, enum or default), by the names of their
// properties.
func (n schemaNode) limitsOf(key, path string) map[string]any {
	found := map[string]any{}
	for name, node := range n.properties() {
		if value, given := node[key]; given {
			found[path+name] = value
		}
		maps.Copy(found, node.limitsOf(key, path+name+"::"))
	}
	return found
}

// configError returns what the exporter says of a configuration with some values.
func configError(t *testing.T, values map[string]any, changed ...any) error {
	t.Helper()
	all := map[string]any{"aws::stream_name": "s"}
	maps.Copy(all, values)
	for i := 0; i < len(changed); i += 2 {
		all[changed[i].(string)] = changed[i+1]
	}
	cfg := defaultConfig()
	if err := confmap.NewFromStringMap(all).Unmarshal(cfg); err != nil {
		return err
	}
	return confmap.Validate(cfg)
}

// The ranges and values that config.schema.yaml allows are those that the exporter takes. A configuration with every number
// at its lower bound is valid, and so is one with every number at its upper bound. A step further it is not.
func TestSchemaRanges(t *testing.T) {
	schema := readSchema(t)
	least, most := schema.limitsOf("minimum", ""), schema.limitsOf("maximum", "")
	require.NotEmpty(t, least)
	require.NotEmpty(t, most)
	require.NoError(t, configError(t, least))
	for key, bound := range least {
		assert.Error(t, configError(t, least, key, bound.(int)-1), "%s below its minimum", key)
	}
	highest := maps.Clone(most)
	highest["compression"] = "zstd"           // has the most levels
	highest["partition_key::trace_id"] = true // has buckets
	for key := range least {
		if _, bounded := most[key]; !bounded {
			highest[key] = math.MaxInt
		}
	}
	require.NoError(t, configError(t, highest))
	for key, bound := range most {
		assert.Error(t, configError(t, highest, key, bound.(int)+1), "%s above its maximum", key)
	}
	for key, values := range schema.limitsOf("enum", "") {
		for _, value := range values.([]any) {
			// Units other than bytes want a size.
			assert.NoError(t, configError(t, nil, key, value, "sending_queue::queue_size", 2_000_000), "%s: %v", key, value)
		}
		err := configError(t, nil, key, "other")
		require.Error(t, err, key)
		if key != "sending_queue::sizer" { // exporterhelper does not name all
			assert.ErrorContains(t, err, enumeration(values.([]any)), "%s: the error names all values, and the schema has the same", key)
		}
	}
}

// enumeration returns "a, b or c".
func enumeration(values []any) string {
	var text strings.Builder
	for i, value := range values {
		switch i {
		case 0:
		case len(values) - 1:
			text.WriteString(" or ")
		default:
			text.WriteString(", ")
		}
		fmt.Fprint(&text, value)
	}
	return text.String()
}

func TestSchemaErrors(t *testing.T) {
	type inner struct {
		Here bool `mapstructure:"here"`
	}
	type config struct {
		Size   int           `mapstructure:"size"`
		Wait   time.Duration `mapstructure:"wait"`
		Names  []string      `mapstructure:"names"`
		Block  inner         `mapstructure:"block"`
		Squash inner         `mapstructure:",squash"`
		_      struct{}
	}
	defaults := map[string]any{
		"size": 3, "wait": time.Second, "names": []string(nil), "block": map[string]any{"here": true}, "here": false,
	}
	node := func(kind string, more ...any) map[string]any {
		made := map[string]any{"type": kind, "description": "d"}
		for i := 0; i < len(more); i += 2 {
			made[more[i].(string)] = more[i+1]
		}
		return made
	}
	whole := func() map[string]any {
		return map[string]any{
			"size": node("integer", "default", 3), "wait": node("string", "format", "duration", "default", "1s"),
			"names": node("array"), "here": node("boolean", "default", false),
			"block": node("object", "properties", map[string]any{"here": node("boolean", "default", true)}),
		}
	}
	tests := []struct {
		name   string
		change func(properties map[string]any)
		want   []string
	}{
		{"equal", func(map[string]any) {}, nil},
		{"missing", func(p map[string]any) { delete(p, "size") }, []string{"size is in docs.config and not in the schema"}},
		{"unknown", func(p map[string]any) { p["x"] = node("string") }, []string{"x is in the schema and not in docs.config"}},
		{"other type", func(p map[string]any) { p["size"] = node("string", "default", 3) }, []string{
			"size is of type integer , the schema says string ",
		}},
		{"other default", func(p map[string]any) { p["size"] = node("integer", "default", 4) }, []string{
			"size has the default 3, the schema says 4",
		}},
		{"default of its own", func(p map[string]any) { p["names"] = node("array", "default", "a") }, []string{
			"names has no default, the schema says a",
		}},
		{"no description", func(p map[string]any) { delete(p["names"].(map[string]any), "description") }, []string{
			"names has no description",
		}},
		{"below", func(p map[string]any) { p["block"] = node("object") }, []string{
			"block::here is in docs.inner and not in the schema",
		}},
		{"reference", func(p map[string]any) { p["block"] = map[string]any{"description": "d", "$ref": "x"} }, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			properties := whole()
			test.change(properties)
			got := schemaErrors(schemaNode{"properties": properties}, reflect.TypeFor[config](), defaults, "")
			assert.Equal(t, test.want, got)
		})
	}
}
