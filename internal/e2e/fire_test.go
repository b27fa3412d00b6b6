// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// service serves a Kinesis at an address. The address stays the same when the service goes down and comes up again.
type service struct {
	*kpltest.Kinesis

	address string
	trouble func(http.Handler) http.Handler // wraps the handler; may be nil
	server  *http.Server                    // nil while the service is down
	serving sync.WaitGroup
}

// newService returns a service that is down.
func newService(t *testing.T, config kpltest.Config, shards int) *service {
	t.Helper()
	s := &service{
		Kinesis: kpltest.New(config, kpltest.Stream{Name: stream, Shards: shards}),
		address: lastingAddress(t),
	}
	t.Cleanup(s.down)
	return s
}

// lastingAddress returns an address of this machine that nobody listens on. No connection and no other test gets the address by
// chance while the service is down: the port is below those that systems give to connections, and is returned only once.
func lastingAddress(t *testing.T) string {
	t.Helper()
	for {
		address := fmt.Sprintf("127.0.0.1:%d", nextPort())
		if listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address); err == nil {
			require.NoError(t, listener.Close())
			return address
		}
	}
}

// nextPort returns another port for each call. The first one is random.
var nextPort = func() func() int {
	const first, end = 20_000, 32_000
	var given atomic.Int64
	given.Store(rand.Int64N(end - first))
	return func() int { return first + int(given.Add(1)%(end-first)) }
}()

func (s *service) url() string { return "http://" + s.address }

// up starts to serve.
func (s *service) up(t *testing.T) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", s.address)
	require.NoError(t, err)
	handler := s.Handler()
	if s.trouble != nil {
		handler = s.trouble(handler)
	}
	s.server = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: peers.Patience,
		ErrorLog:          log.New(io.Discard, "", 0), // Connections break here on purpose.
	}
	s.serving.Go(func() { _ = s.server.Serve(listener) }) // Serve always returns an error, because down closes the server.
}

// down stops to serve. It breaks all connections, also in the middle of a call.
func (s *service) down() {
	if s.server == nil {
		return
	}
	_ = s.server.Close()
	s.serving.Wait()
	s.server = nil
}

// logRequest returns a request of log records. Each has its own resource with its own service name, an id as its body, and an
// attribute with text of the given length.
func logRequest(name string, records, textLength int) request {
	logs := plog.NewLogs()
	items := make([]string, records)
	for i := range records {
		items[i] = fmt.Sprintf("%s/%d", name, i)
		resource := logs.ResourceLogs().AppendEmpty()
		resource.Resource().Attributes().PutStr("service.name", fmt.Sprint("service-", i))
		record := resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		record.Body().SetStr(items[i])
		record.Attributes().PutStr("text", strings.Repeat("x", textLength))
	}
	r := plogotlp.NewExportRequestFromLogs(logs)
	return request{
		items:    items,
		path:     "/v1/logs",
		protobuf: r.MarshalProto,
		export: func(ctx context.Context, connection *grpc.ClientConn) error {
			_, err := plogotlp.NewGRPCClient(connection).Export(ctx, r)
			return err
		},
	}
}

// loadConfig says what the clients of a load send.
type loadConfig struct {
	name       string
	records    int           // log records in a request
	textLength int           // see logRequest
	every      time.Duration // the time from one request of a client to the next
}

// load is a group of clients that send log records, as OTLP clients do. Each sends one request after the other, and repeats a
// request until it is accepted.
type load struct {
	config   loadConfig
	stopping chan struct{}
	running  sync.WaitGroup

	mu       sync.Mutex
	accepted []string // the items of requests that were answered with success
	failed   int      // how many requests were answered with an error
}

// startLoad starts a client for each of sends.
func startLoad(ctx context.Context, config loadConfig, sends ...send) *load {
	l := &load{config: config, stopping: make(chan struct{})}
	for i, send := range sends {
		l.running.Go(func() { l.run(ctx, fmt.Sprintf("%s/%d", config.name, i), send) })
	}
	return l
}

func (l *load) run(ctx context.Context, name string, send send) {
	pace := time.NewTicker(l.config.every)
	defer pace.Stop()
	var r request
	for n, done := 0, true; ; {
		if done {
			r = logRequest(fmt.Sprintf("%s/%d", name, n), l.config.records, l.config.textLength)
			n++
		}
		done = l.send(ctx, send, r)
		select {
		case <-l.stopping:
			return
		case <-ctx.Done():
			return
		case <-pace.C:
		}
	}
}

// send sends r once, and reports whether it was accepted.
func (l *load) send(ctx context.Context, send send, r request) bool {
	err := send(ctx, r)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failed++
		return false
	}
	l.accepted = append(l.accepted, r.items...)
	return true
}

// counts returns how many items were accepted, and how many requests were not.
func (l *load) counts() (items, failed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.accepted), l.failed
}

// waitAccepted waits until so many items more were accepted.
func (l *load) waitAccepted(ctx context.Context, t *testing.T, more int) {
	t.Helper()
	before, _ := l.counts()
	peers.Until(ctx, t, func() error {
		if now, failed := l.counts(); now < before+more {
			return fmt.Errorf("%d items were accepted, not %d more; %d requests failed", now-before, more, failed)
		}
		return nil
	})
}

// waitFailed waits until n requests were not answered with success.
func (l *load) waitFailed(ctx context.Context, t *testing.T, n int) {
	t.Helper()
	peers.Until(ctx, t, func() error {
		if _, failed := l.counts(); failed < n {
			return fmt.Errorf("%d requests failed, not %d", failed, n)
		}
		return nil
	})
}

// stop ends the clients after their last answers.
func (l *load) stop() {
	close(l.stopping)
	l.running.Wait()
}

// bothClients returns n clients for each of OTLP/gRPC and OTLP/HTTP.
func bothClients(t *testing.T, c *collector, n int) (sends []send) {
	t.Helper()
	for range n {
		sends = append(sends, grpcClient(t, c), httpClient(t, c))
	}
	return sends
}

// withStorage are overrides that keep the queue in a directory.
func withStorage(directory string) []string {
	return []string{
		"extensions::file_storage::directory: " + directory,
		"service::extensions: [file_storage]",
		"exporters::kinesis_kpl::sending_queue::storage: file_storage",
	}
}

// patient are overrides for tests that count copies or calls: nothing is given up or sent again because the machine is busy.
func patient() []string {
	return []string{fmt.Sprintf("exporters::kinesis_kpl: {request_timeout: %v, record_ttl: %v, timeout: %v}",
		peers.Patience, 2*peers.Patience, 3*peers.Patience)}
}

// impatientTTL is the record_ttl of impatient.
const impatientTTL = 2 * time.Second

// impatient are overrides that make the life of a record and the pauses between lives short, so that an outage of seconds
// shows what an outage of hours would. A request is tried until record_ttl, comes back, pauses, and is tried again. No pause
// depends on how many there were before, but for its own upper bound.
func impatient() []string {
	return []string{
		fmt.Sprintf("exporters::kinesis_kpl::record_ttl: %v", impatientTTL),
		"exporters::kinesis_kpl::request_timeout: 1s",
		"exporters::kinesis_kpl::timeout: 5s",
		"exporters::kinesis_kpl::retry_on_failure: {initial_interval: 50ms, max_interval: 200ms, max_elapsed_time: 0s}",
	}
}
