// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
)

// withOldScopes moves scopes of some resources to the field of old writers.
func withOldScopes(t *testing.T, r *rand.Rand, otlp []byte) (out []byte, moved int) {
	t.Helper()
	require.True(t, eachRawField(otlp, func(_ protowire.Number, _ protowire.Type, _, resource []byte) {
		var content []byte
		all := r.IntN(2) == 0
		require.True(t, eachRawField(resource, func(number protowire.Number, _ protowire.Type, field, scope []byte) {
			if number == 2 && (all || r.IntN(3) == 0) {
				field = appendBytes(nil, deprecatedScopes, scope)
				moved++
			}
			content = append(content, field...)
		}))
		out = appendBytes(out, 1, content)
	}))
	return out, moved
}

// Scopes in the field of old writers become messages if the resource has no others, as in a receiver of the Collector.
func TestBytesOfOldWriters(t *testing.T) {
	moved := 0
	for _, c := range manyConfigs() {
		m := mustNew(t, c)
		for seed := range uint64(3) {
			r := rand.New(rand.NewPCG(seed, 11))
			for _, d := range newRandom(seed).all() {
				otlp, n := withOldScopes(t, r, d.whole(t, &Marshaler{codec: newCodec(OTLPProto)}))
				assert.Equal(t, c.Encoding == OTLPProto && n == 0, isCut(m, d.signal(), otlp))
				checkEncoded(t, m, d.signal(), otlp)
				group := append(appendBytes(nil, 1, appendBytes(nil, 2, nil)), otlp...)
				group = protowire.AppendTag(group, 15, protowire.StartGroupType)
				group = protowire.AppendTag(group, 15, protowire.EndGroupType)
				checkEncoded(t, m, d.signal(), group)
				moved += n
			}
		}
	}
	assert.Greater(t, moved, 100)
}

// What cannot be migrated stays as it is.
func TestMigrateLeavesAllElse(t *testing.T) {
	for _, otlp := range []string{
		"", "no OTLP", "\x0a\x02\x12\x00", "\x0a\x02\x12\x05", "\x08\x01", "\x0a\x03\xc0\x3e\x01", "\x0a\x05\xc2\x3e\x00\x12\x05",
		"\x0a\x03\xc2\x3e\x00\x0a\x09",
	} {
		assert.Equal(t, otlp, string(migrate([]byte(otlp))), "%q", otlp)
	}
	assert.Equal(t, "\x7a\x01x\x0a\x04\x12\x02ab", string(migrate([]byte("\x7a\x01x\x0a\x05\xc2\x3e\x02ab"))))
	assert.Equal(t, "\x0a\x04\x12\x02cd", string(migrate([]byte("\x0a\x09\xc2\x3e\x02ab\x12\x02cd"))))
}
