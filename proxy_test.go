// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// connectProxy is a proxy that tunnels to servers on this machine, whatever their names are.
type connectProxy struct {
	servers map[string]string // addresses, by the address that is asked for

	mu       sync.Mutex
	asked    []string // guarded by mu
	password []string // what clients showed, guarded by mu
}

func (p *connectProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.Host)
	p.password = append(p.password, r.Header.Get("Proxy-Authorization"))
	p.mu.Unlock()
	server, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", p.servers[r.Host])
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer server.Close()
	w.WriteHeader(http.StatusOK)
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	up := make(chan struct{})
	go func() {
		defer close(up)
		_, _ = io.Copy(server, client)
		_ = server.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(client, server)
	_ = client.Close()
	<-up
}

// What TestProxy gives to the process that it starts: the address of Kinesis and of STS, and what the push must end with.
const (
	proxyServers = "KINESIS_KPL_TEST_SERVERS"
	proxyCA      = "KINESIS_KPL_TEST_CA"
	proxyWant    = "KINESIS_KPL_TEST_WANT"
)

// HTTPS_PROXY and NO_PROXY hold for Kinesis and for STS. Go reads them once in a process, so each case is a process.
func TestProxy(t *testing.T) {
	if os.Getenv(proxyServers) != "" {
		pushThroughProxy(t)
		return
	}
	a := newAuthority(t)
	address := func(url string) string { return strings.TrimPrefix(url, "https://") }
	k, signed := newTestKinesis(1), &fakeSTS{}
	kinesis := address(serveTLS(t, k.Handler(), a.server(t, "kinesis.local")))
	sts := address(serveTLS(t, signed, a.server(t, "sts.local")))
	const login = "Basic dXNlcjpwcm94eS1wYXNzd29yZA==" // of user:proxy-password
	for name, tt := range map[string]struct {
		noProxy string
		down    bool
		asked   []string
		want    string // of the error, empty: stored
	}{
		"all":         {asked: []string{"CONNECT kinesis.local:443", "CONNECT sts.local:443"}},
		"not Kinesis": {noProxy: "kinesis.local", asked: []string{"CONNECT sts.local:443"}},
		"none":        {noProxy: ".local"},
		"down":        {down: true, want: "Bad Gateway", asked: []string{"CONNECT sts.local:443"}},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := &connectProxy{servers: map[string]string{"kinesis.local:443": kinesis, "sts.local:443": sts}}
			if tt.down {
				proxy.servers = nil
			}
			server := httptest.NewServer(proxy)
			defer server.Close()
			stored := len(storedBodies(t, k))
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxy$", "-test.timeout=60s")
			child.Env = append(os.Environ(), proxyServers+"="+kinesis+" "+sts, proxyCA+"="+fileOf(t, a.pem()), proxyWant+"="+tt.want,
				"HTTPS_PROXY="+strings.Replace(server.URL, "//", "//user:proxy-password@", 1), "NO_PROXY="+tt.noProxy)
			output, err := child.CombinedOutput()
			require.NoError(t, err, "%s", output)
			proxy.mu.Lock()
			defer proxy.mu.Unlock()
			slices.Sort(proxy.asked)
			assert.Equal(t, tt.asked, slices.Compact(proxy.asked))
			for _, shown := range proxy.password {
				assert.Equal(t, login, shown)
			}
			if tt.want == "" {
				assert.Len(t, storedBodies(t, k), stored+1)
			}
		})
	}
}

// pushThroughProxy is the process that TestProxy starts.
func pushThroughProxy(t *testing.T) {
	t.Helper()
	withoutAWS(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	kinesis, sts, _ := strings.Cut(os.Getenv(proxyServers), " ")
	servers := map[string]string{"kinesis.local:443": kinesis, "sts.local:443": sts}
	c := directConfig()
	c.AWS.Endpoint, c.AWS.STSEndpoint, c.AWS.RoleARN = "https://kinesis.local", "https://sts.local", writerRole
	c.AWS.TLS.CAFile = os.Getenv(proxyCA)
	c.Producer.RecordTTL = 10 * time.Second
	e := newRig(t, newFactory(func(ctx context.Context, c *Config, log *zap.Logger) (kpl.Client, func(), error) {
		return connectThrough(ctx, c, log, func(tr *http.Transport) {
			tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				if server := servers[address]; server != "" { // past the proxy
					address = server
				}
				return (&net.Dialer{}).DialContext(ctx, network, address)
			}
		})
	}), c)
	require.NoError(t, e.Start(t.Context(), e.host))
	err := e.ConsumeLogs(t.Context(), logsOf("a"))
	e.stop(t)
	assert.NotContains(t, told(t, e, err), "proxy-password")
	if want := os.Getenv(proxyWant); want != "" {
		require.ErrorContains(t, err, want)
		return
	}
	require.NoError(t, err)
}
