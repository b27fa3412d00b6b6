// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// keyOf returns the partition key for the attributes.
func keyOf(t *testing.T, attributes map[string]any, names ...string) string {
	m := pcommon.NewMap()
	require.NoError(t, m.FromRaw(attributes))
	d, _ := newKeyer(&Config{Key: KeyConfig{ResourceAttributes: names}}).digest(m, nil)
	return hex.EncodeToString(d[:])
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
	k := newKeyer(&Config{Key: KeyConfig{ResourceAttributes: []string{"m"}}})
	first, _ := k.digest(one, nil)
	second, _ := k.digest(other, nil)
	assert.Equal(t, first, second, "order of the entries of a map")
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
