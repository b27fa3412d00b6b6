// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// manyKeys are all ways to make keys.
var manyKeys = []KeyConfig{
	{},
	{Static: "fixed"},
	{ResourceAttributes: []string{"tenant"}},
	{TraceID: true, Buckets: 3},
	{RecordAttributes: []string{"a"}},
	{ResourceAttributes: []string{"tenant"}, RecordAttributes: []string{"a", "service.name"}, MetadataKeys: []string{"x-tenant"}},
	{ExplicitHashKeyAttribute: "place"},
	{RecordAttributes: []string{"a"}, ExplicitHashKeyAttribute: "place"},
	{TraceID: true},
}

// resourceDestination returns where a resource with the attributes goes.
func resourceDestination(c *Config, attributes pcommon.Map) destination {
	k := newKeyer(c)
	p := push{items: 1, resources: 1, attributes: func(int) pcommon.Map { return attributes }}
	p.records = func(visit func(*record)) { visit(&record{attributes: pcommon.NewMap()}) }
	k.group(&p, new(grouper))
	return p.groups[0].destination
}

// keyOf returns the partition key for the attributes.
func keyOf(t *testing.T, attributes map[string]any, names ...string) string {
	m := pcommon.NewMap()
	require.NoError(t, m.FromRaw(attributes))
	return resourceDestination(&Config{Key: KeyConfig{ResourceAttributes: names}}, m).key
}

// The expected keys were made apart from this code, with printf and sha256sum: a change of any of them sends the records
// of every user to other shards.
func TestKeysAreStable(t *testing.T) {
	// printf '\014service.name\002\010checkout' | sha256sum
	assert.Equal(t, "668f8e7a7d6cca32f1046df27219d74f", keyOf(t, map[string]any{"service.name": "checkout"}, "service.name"))
	// printf '\001a\000\001b\003\000\000\000\000\000\000\000\007' | sha256sum
	assert.Equal(t, "3a269b95f7a51a8e6502de9b9e175d27", keyOf(t, map[string]any{"b": 7}, "b", "a"))
	// printf '\001v\007\007\005\001\005\000\004\077\360\000\000\000\000\000\000\010\002\377\000' |
	// cat - <(printf '\002\001z\006\001\001k\001\003\377\377\377\377\377\377\377\376') | sha256sum
	assert.Equal(t, "2bbc6b3b4c97b389c78c9f56f39aff44", keyOf(t, map[string]any{
		"v": []any{true, false, 1.0, []byte{0xff, 0}, "z", map[string]any{"k": nil}, -2},
	}, "v"))
}

// The same for keys of several sources, in the order resource, metadata, record.
func TestKeysOfSeveralSourcesAreStable(t *testing.T) {
	resource, attributes := pcommon.NewMap(), pcommon.NewMap()
	resource.PutStr("tenant", "t1")
	attributes.PutInt("a", 7)
	metadata := map[string][]string{"x-tenant": {"a", "b"}}
	for _, test := range []struct {
		key  KeyConfig
		want string
	}{
		// printf '\006tenant\002\002t1\000\001\010x-tenant\007\002\002\001a\002\001b' |
		// cat - <(printf '\000\002\001a\003\000\000\000\000\000\000\000\007\003url\000') | sha256sum
		{
			KeyConfig{
				ResourceAttributes: []string{"tenant"}, RecordAttributes: []string{"url", "a"}, MetadataKeys: []string{"X-Tenant"},
			},
			"219c11e107f987af59c50649a9cc98e8",
		},
		// printf '\000\001\003org\000' | sha256sum
		{KeyConfig{MetadataKeys: []string{"org"}}, "a9cad94ef8abd22be49f19eec26d80fd"},
	} {
		k := newKeyer(&Config{Key: test.key})
		p := push{items: 1, resources: 1, attributes: func(int) pcommon.Map { return resource }}
		p.records = func(visit func(*record)) { visit(&record{attributes: attributes}) }
		p.apply([]PushOption{WithMetadata(func(key string) []string { return metadata[key] })})
		k.group(&p, new(grouper))
		assert.Equal(t, test.want, p.groups[0].key)
	}
}

// The same value of a resource, a record and a client makes three keys.
func TestKeysTellSourcesApart(t *testing.T) {
	m := pcommon.NewMap()
	m.PutStr("a", "v")
	keys := map[string]bool{}
	for _, key := range []KeyConfig{
		{ResourceAttributes: []string{"a"}}, {RecordAttributes: []string{"a"}}, {MetadataKeys: []string{"a"}},
	} {
		k := newKeyer(&Config{Key: key})
		p := push{items: 1, resources: 1, attributes: func(int) pcommon.Map { return m }}
		p.metadata = func(string) []string { return []string{"v"} }
		p.records = func(visit func(*record)) { visit(&record{attributes: m}) }
		k.group(&p, new(grouper))
		keys[p.groups[0].key] = true
		assert.False(t, p.keyless)
	}
	assert.Len(t, keys, 3)
}

// Nothing in the push has what keys are made of.
func TestKeylessWithoutAnyValue(t *testing.T) {
	logs := plog.NewLogs()
	addLogs(logs, "one", "a", "b")
	for name, test := range map[string]struct {
		key     KeyConfig
		set     func(plog.LogRecord)
		option  PushOption
		keyless bool
	}{
		"no record has one": {key: KeyConfig{RecordAttributes: []string{"a", "b"}}, keyless: true},
		"a record has one": {
			key: KeyConfig{RecordAttributes: []string{"a", "b"}}, set: func(lr plog.LogRecord) { lr.Attributes().PutInt("b", 1) },
		},
		"the client has none": {key: KeyConfig{MetadataKeys: []string{"a"}}, keyless: true},
		"the client has one": {
			key: KeyConfig{MetadataKeys: []string{"a"}}, option: WithMetadata(func(string) []string { return []string{""} }),
		},
		"only a hash key": {key: KeyConfig{ExplicitHashKeyAttribute: "a"}},
		"traces":          {key: KeyConfig{TraceID: true}},
	} {
		t.Run(name, func(t *testing.T) {
			copied := plog.NewLogs()
			logs.CopyTo(copied)
			if test.set != nil {
				test.set(copied.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1))
			}
			c := usual(OTLPProto)
			c.Key = test.key
			m := mustNew(t, c)
			encoded, err := m.MarshalLogs(copied, test.option)
			require.NoError(t, err)
			assert.Equal(t, test.keyless, encoded.Keyless)
			encoded, err = m.MarshalEncoded(Logs, logsData{copied}.whole(t, m), test.option)
			require.NoError(t, err)
			assert.Equal(t, test.keyless, encoded.Keyless)
		})
	}
}

func TestKeysTellValuesApart(t *testing.T) {
	seen := map[string]int{}
	values := []map[string]any{
		{},
		{"a": nil},
		{"a": ""},
		{"a": "1"},
		{"a": 1},
		{"a": 1.0},
		{"a": true},
		{"a": false},
		{"a": []byte("1")},
		{"a": []any{"1"}},
		{"a": []any{"1", "1"}},
		{"a": []any{[]any{"1"}, "1"}},
		{"a": map[string]any{"1": "1"}},
		{"a": map[string]any{"1": "1", "2": "2"}},
		{"b": "1"},
		{"a": "1", "b": ""},
		{"a": "", "b": "1"},
		{"a": "x", "b": "yz"},
		{"a": "xy", "b": "z"},
	}
	for i, attributes := range values {
		key := keyOf(t, attributes, "a", "b")
		assert.Len(t, key, digestKeySize)
		before, known := seen[key]
		assert.False(t, known, "values %d and %d have the same key", before, i)
		seen[key] = i
	}
}

func TestKeysOfEqualValuesAreEqual(t *testing.T) {
	attributes := map[string]any{"a": "1", "b": map[string]any{"x": 1, "y": []any{2, "z"}}, "c": "any"}
	assert.Equal(t, keyOf(t, attributes, "a", "b"), keyOf(t, attributes, "b", "a"), "order of the names")

	one, other := pcommon.NewMap(), pcommon.NewMap()
	m := one.PutEmptyMap("m")
	m.PutStr("x", "1")
	m.PutStr("y", "2")
	m = other.PutEmptyMap("m")
	m.PutStr("y", "2")
	m.PutStr("x", "1")
	c := &Config{Key: KeyConfig{ResourceAttributes: []string{"m"}}}
	assert.Equal(t, resourceDestination(c, one), resourceDestination(c, other), "order of the entries of a map")
}

func TestGroupsComeInOrderOfFirstAppearance(t *testing.T) {
	logs := plog.NewLogs()
	for _, tenant := range []string{"b", "a", "b", "b", "c", "a"} {
		rl := logs.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("tenant", tenant)
		rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(tenant)
	}
	for _, encoding := range []Encoding{OTLPProto, OTLPJSON} {
		m := mustNew(t, Config{
			Encoding: encoding, TargetSize: 51_200, MaxSize: 51_200, Key: KeyConfig{ResourceAttributes: []string{"tenant"}},
		})
		encoded := logsData{logs}.marshal(t, m)
		require.Len(t, encoded.Messages, 3)
		for i, want := range []struct {
			tenant string
			items  int
		}{{"b", 3}, {"a", 2}, {"c", 1}} {
			message := encoded.Messages[i]
			assert.Equal(t, keyOf(t, map[string]any{"tenant": want.tenant}, "tenant"), message.PartitionKey)
			assert.Equal(t, want.items, message.Items)
			read, err := m.UnmarshalLogs(message.Data)
			require.NoError(t, err)
			for _, rl := range read.ResourceLogs().All() {
				assert.Equal(t, want.tenant, rl.ScopeLogs().At(0).LogRecords().At(0).Body().Str())
			}
		}
	}
}

func TestOneGroupIsNotCut(t *testing.T) {
	m := mustNew(t, Config{
		Encoding: OTLPProto, TargetSize: 51_200, MaxSize: 51_200, Key: KeyConfig{ResourceAttributes: []string{"cloud.region"}},
	})
	logs := logsData{benchLogs(3, 2)}
	encoded := logs.marshal(t, m)
	require.Len(t, encoded.Messages, 1)
	assert.Equal(t, logs.whole(t, m), encoded.Messages[0].Data)
	assert.Equal(t, 6, encoded.Messages[0].Items)
	assert.Equal(t, keyOf(t, map[string]any{"cloud.region": "eu-central-1"}, "cloud.region"), encoded.Messages[0].PartitionKey)
}
