// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// asProgram is set in the environment of a test binary that shall be the program itself.
const asProgram = "OTLPGATEWAY_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// serveKinesis serves a stream until the test ends, and sets the environment for it.
func serveKinesis(t *testing.T) *kpltest.Kinesis {
	t.Helper()
	fake := kpltest.New(kpltest.Config{Seed: 1}, kpltest.Stream{Name: events, Shards: 2})
	server := httptest.NewServer(fake.Handler())
	t.Cleanup(server.Close)
	for key, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": "eu-west-1",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_PROFILE": "", "AWS_DEFAULT_REGION": "",
		"KINESIS_STREAM": events, "KINESIS_ENDPOINT": server.URL,
		"OTLP_HTTP_ADDRESS": "127.0.0.1:0", "OTLP_GRPC_ADDRESS": "127.0.0.1:0",
	} {
		t.Setenv(key, value)
	}
	return fake
}

// lines is a log: each write is a line.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

// program is a run of the program.
type program struct {
	addresses

	stop context.CancelFunc
	log  lines      // closed when run has returned
	run  chan error // what run returns
}

// addresses are where the program listens.
type addresses struct {
	HTTP string `json:"http_address"`
	GRPC string `json:"grpc_address"`
}

// start runs the program with the configuration of the environment.
func start(t *testing.T, tune func(*config), args ...string) *program {
	t.Helper()
	cfg, err := configFrom(append([]string{"otlpgateway"}, args...), os.Getenv, t.Output())
	require.NoError(t, err)
	if tune != nil {
		tune(&cfg)
	}
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	p := &program{stop: stop, log: make(lines, 100), run: make(chan error, 1)}
	go func() {
		p.run <- run(ctx, cfg, slog.New(slog.NewJSONHandler(p.log, nil)))
		close(p.log)
	}()
	p.addresses = addressesOf(t, <-p.log)
	return p
}

// addressesOf reads the line that says where the program listens.
func addressesOf(t *testing.T, line string) (a addresses) {
	t.Helper()
	require.Contains(t, line, `"msg":"listening"`)
	require.NoError(t, json.Unmarshal([]byte(line), &a), line)
	return a
}

// end lets the program drain, and returns the lines it logged since it listens and what run returned.
func (p *program) end() (logged []string, err error) {
	p.stop()
	for line := range p.log {
		logged = append(logged, line)
	}
	return logged, <-p.run
}

// dial returns a connection to the gRPC services, which ends with the test.
func (a addresses) dial(t *testing.T) *grpc.ClientConn {
	t.Helper()
	connection, err := grpc.NewClient(a.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, connection.Close()) })
	return connection
}

// newHTTPClient returns a client whose connections end with the test.
func newHTTPClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}
