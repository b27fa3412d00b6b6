// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// A rejected item names its resource, however the push is encoded, cut, grouped and compressed.
func TestRejectedItemsNameTheirResource(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var noise strings.Builder // does not compress
	for noise.Len() < 60_000 {
		fmt.Fprintf(&noise, "%016x", random.Uint64())
	}
	for _, encoding := range bothEncodings {
		for _, compression := range []Compression{NoCompression, Snappy} {
			for _, key := range []KeyConfig{{}, {ResourceAttributes: []string{"service.name"}}} {
				t.Run(fmt.Sprint(encoding, compression, key), func(t *testing.T) {
					m := mustNew(t, Config{
						Encoding: encoding, Compression: compression, TargetSize: 5_000, MaxSize: 20_000, Key: key,
					})
					m.pieceSize = 10_000
					logs := plog.NewLogs()
					var want []string
					for i := range 200 {
						name := fmt.Sprint("service-", i)
						bodies := []string{"small", strings.Repeat("x", i*5), "small"}
						if i%17 == 3 {
							bodies[1] = noise.String()
							want = append(want, "service.name="+name)
						}
						addLogs(logs, name, bodies...)
					}
					encoded := logsData{logs}.marshal(t, m)
					var got []string
					for _, rejected := range encoded.Rejected {
						got = append(got, rejected.Resource)
						assert.NotContains(t, rejected.Error(), "service-")
					}
					slices.Sort(got)
					slices.Sort(want)
					assert.Equal(t, want, got)
				})
			}
		}
	}
}

// A push is keyless if keys depend on attributes that none of its resources has.
func TestKeyless(t *testing.T) {
	for _, tt := range []struct {
		key  KeyConfig
		want bool
	}{
		{KeyConfig{}, false},
		{KeyConfig{Static: "k"}, false},
		{KeyConfig{ResourceAttributes: []string{"service.name"}}, false},
		{KeyConfig{ResourceAttributes: []string{"typo", "service.name"}}, false},
		{KeyConfig{ResourceAttributes: []string{"typo", "servicename"}}, true},
	} {
		logs := plog.NewLogs()
		addLogs(logs, "a", "x")
		addLogs(logs, "b", "x")
		encoded, err := mustNew(t, Config{Encoding: OTLPProto, TargetSize: 5_000, MaxSize: 20_000, Key: tt.key}).MarshalLogs(logs)
		require.NoError(t, err)
		assert.Equal(t, tt.want, encoded.Keyless, "%v", tt.key)
		encoded.Release()
	}
}
