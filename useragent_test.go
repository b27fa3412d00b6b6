// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadata"
	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// Every call says who makes it: those of Kinesis, whoever encodes them, and those of STS.
func TestUserAgentOnTheWire(t *testing.T) {
	build, _ := debug.ReadBuildInfo()
	want := "kinesis_kpl/" + versionIn(build)
	for _, protocol := range []kpl.WireProtocol{kpl.WireAuto, kpl.WireJSON, kpl.WireSDK} {
		t.Run(string(protocol), func(t *testing.T) {
			withoutAWS(t)
			t.Setenv("AWS_ACCESS_KEY_ID", "id")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
			var mu sync.Mutex
			calls := map[string]int{} // guarded by mu
			seen := func(handler http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					agent := r.Header.Get("User-Agent")
					assert.Contains(t, agent, " "+want)
					assert.Contains(t, agent, "aws-sdk-go-v2/")
					mu.Lock()
					calls[r.Header.Get("X-Amz-Target")]++
					mu.Unlock()
					handler.ServeHTTP(w, r)
				})
			}
			k := newTestKinesis(1)
			server, tokens := httptest.NewServer(seen(k.Handler())), httptest.NewServer(seen(&fakeSTS{}))
			defer server.Close()
			defer tokens.Close()
			c := directConfig()
			c.AWS.Endpoint, c.AWS.STSEndpoint, c.AWS.RoleARN, c.AWS.Insecure = server.URL, tokens.URL, writerRole, true
			c.Producer.WireProtocol = protocol
			e := startReal(t, c)
			require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a")))
			mu.Lock()
			defer mu.Unlock()
			assert.Equal(t, 1, calls["Kinesis_20131202.PutRecords"])
			assert.Equal(t, 1, calls[""], "STS")
		})
	}
}

func TestVersionInAProgram(t *testing.T) {
	own := func(version string) *debug.Module { return &debug.Module{Path: metadata.ScopeName, Version: version} }
	other := &debug.Module{Path: "example.com/collector", Version: "v9.9.9"}
	replaced := own("v0.1.0")
	replaced.Replace = &debug.Module{Path: "../kinesiskplexporter"}
	forked := own("v0.1.0")
	forked.Replace = &debug.Module{Path: "example.com/fork", Version: "v0.2.0"}
	for name, tt := range map[string]struct {
		build *debug.BuildInfo
		want  string
	}{
		"a collector": {&debug.BuildInfo{Main: *other, Deps: []*debug.Module{other, own("v0.1.0")}}, "v0.1.0"},
		"a clone":     {&debug.BuildInfo{Main: *own("(devel)")}, "devel"},
		"a folder":    {&debug.BuildInfo{Main: *other, Deps: []*debug.Module{replaced}}, "devel"},
		"a fork":      {&debug.BuildInfo{Main: *other, Deps: []*debug.Module{forked}}, "v0.2.0"},
		"not told":    {&debug.BuildInfo{Main: *other}, "devel"},
		"nothing":     {nil, "devel"},
	} {
		assert.Equal(t, tt.want, versionIn(tt.build), name)
	}
}
