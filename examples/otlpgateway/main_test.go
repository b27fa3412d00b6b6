// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// postTo posts a request of log records to a server. The status is 0 if there was no answer.
func postTo(ctx context.Context, client *http.Client, address string, body []byte) (code int, answer string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/v1/logs", bytes.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	request.Header.Set("Content-Type", typeProto)
	response, err := client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}

// TestDrainUnderLoad stops the program while clients of both protocols send as fast as they can, to a stream that is slow and
// throttles: what was answered with success is stored, and nothing else is.
func TestDrainUnderLoad(t *testing.T) {
	for _, answer := range []string{confirmed, accepted} {
		t.Run(answer, func(t *testing.T) {
			const clients, answersBeforeEnd = 16, 300
			fake := serveKinesis(t)
			fake.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.All(
				kpltest.Latency(5*time.Millisecond), kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.2),
			)))
			p := start(t, func(c *config) {
				// A busy machine sends nothing twice and gives up nothing.
				c.producer.RequestTimeout, c.producer.RecordTTL, c.grace = time.Hour, 2*time.Hour, 3*time.Hour
			}, "-otlp-answer", answer)
			overHTTP, overGRPC := newHTTPClient(t), p.dial(t)
			var (
				running  sync.WaitGroup
				answers  atomic.Int64
				answered [clients][]string // items
			)
			for i := range clients {
				running.Go(func() {
					for n := 0; ; n++ {
						sent := newTelemetry(t, marshaler.Logs, fmt.Sprintf("%d-%d", i, n), 3)
						var taken bool
						if i%2 == 0 {
							taken = sendHTTP(t, overHTTP, p.HTTP, sent.proto)
						} else {
							taken = sendGRPC(t, overGRPC, sent.proto)
						}
						if !taken {
							return
						}
						answered[i] = append(answered[i], sent.items...)
						if answers.Add(1) == answersBeforeEnd {
							p.stop()
						}
					}
				})
			}
			running.Wait()
			logged, err := p.end()
			require.NoError(t, err)
			assert.Len(t, logged, 1, "nothing but that it drains")
			peers.RequireSameItems(t, slices.Concat(answered[:]...), storedItems(t, fake, marshaler.Logs))
		})
	}
}

// sendHTTP reports whether a request succeeded. If not, the server is gone.
func sendHTTP(t *testing.T, client *http.Client, address string, body []byte) bool {
	code, answer := postTo(t.Context(), client, address, body)
	return code != 0 && assert.Equal(t, http.StatusOK, code, answer)
}

// sendGRPC reports whether a request succeeded. If not, the server is gone.
func sendGRPC(t *testing.T, c *grpc.ClientConn, body []byte) bool {
	err := send(t.Context(), c, exportLogs, body)
	if err != nil {
		assert.Equal(t, codes.Unavailable, status.Code(err), err)
		assert.Empty(t, status.Convert(err).Details(), "it comes from the client itself")
	}
	return err == nil
}

// hang makes the service answer no PutRecords call. The channel is closed when the first call is there.
func hang(fake *kpltest.Kinesis) (arrived chan struct{}) {
	arrived = make(chan struct{})
	fake.Inject(kpltest.ForOperation(kpltest.OpPutRecords, func(call *kpltest.Call) kpltest.Action {
		if call.Number == 1 {
			close(arrived)
		}
		return kpltest.Action{Connection: kpltest.ConnectionHangs}
	}))
	return arrived
}

// TestDrainHasAnEnd stops the program while the stream does not answer: it ends all the same, with an error, and logs what it
// could not deliver.
func TestDrainHasAnEnd(t *testing.T) {
	fake := serveKinesis(t)
	arrived := hang(fake)
	p := start(t, func(c *config) { c.grace = time.Millisecond }, "-otlp-answer", accepted)
	_, err := export(t.Context(), t, p.dial(t), marshaler.Logs, "lost", 7)
	require.NoError(t, err)
	<-arrived
	logged, err := p.end()
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "records are left after 1ms")
	require.Len(t, logged, 2)
	assert.Contains(t, logged[0], `"msg":"draining","outstanding_records":1`)
	assert.Contains(t, logged[1], `"msg":"items not delivered","items":7`)
}

// Requests that wait for their confirmation do not hold up the end either. They are not answered with success.
func TestDrainEndsRequests(t *testing.T) {
	body := newTelemetry(t, marshaler.Logs, "lost", 7).proto
	for name, request := range map[string]func(*testing.T, *program){
		"HTTP": func(t *testing.T, p *program) {
			code, _ := postTo(t.Context(), newHTTPClient(t), p.HTTP, body)
			assert.NotEqual(t, http.StatusOK, code)
		},
		"gRPC": func(t *testing.T, p *program) { assert.Error(t, send(t.Context(), p.dial(t), exportLogs, body)) },
	} {
		t.Run(name, func(t *testing.T) {
			arrived := hang(serveKinesis(t))
			p := start(t, func(c *config) {
				c.grace, c.producer.RequestTimeout, c.producer.RecordTTL = time.Millisecond, time.Hour, 2*time.Hour
			})
			var client sync.WaitGroup
			client.Go(func() { request(t, p) })
			<-arrived
			_, err := p.end()
			require.ErrorContains(t, err, "requests are left after 1ms")
			client.Wait()
		})
	}
}

// A client that never sends the rest of its request does not hold up the end, and what others have sent is delivered.
func TestSlowClientDoesNotHoldTheDrain(t *testing.T) {
	fake := serveKinesis(t)
	p := start(t, func(c *config) { c.client, c.grace = 500*time.Millisecond, time.Hour })
	sent, err := export(t.Context(), t, p.dial(t), marshaler.Logs, "sent", 7)
	require.NoError(t, err)
	slow, err := new(net.Dialer).DialContext(t.Context(), "tcp", p.HTTP)
	require.NoError(t, err)
	defer func() { _ = slow.Close() }()
	_, err = io.WriteString(slow,
		"POST /v1/logs HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-protobuf\r\nContent-Length: 100\r\n\r\n{")
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(slow), nil)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	_, err = p.end()
	require.NoError(t, err)
	peers.RequireSameItems(t, sent, storedItems(t, fake, marshaler.Logs))
}

// The time that a client has is not that of its data: the answer waits for the result.
func TestResultsMayTakeLongerThanClients(t *testing.T) {
	fake := serveKinesis(t)
	fake.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(200*time.Millisecond)))
	p := start(t, func(c *config) { c.client = 100 * time.Millisecond })
	client := newHTTPClient(t)
	body := newTelemetry(t, marshaler.Logs, "sent", 7).proto
	for range 2 { // on the same connection
		code, answer := postTo(t.Context(), client, p.HTTP, body)
		assert.Equal(t, http.StatusOK, code, answer)
	}
	_, err := p.end()
	require.NoError(t, err)
}

func TestRunFails(t *testing.T) {
	serveKinesis(t)
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, taken.Close()) })
	tests := []struct {
		name string
		tune func(*config)
		want string
	}{
		{"no region", func(c *config) { c.region = "" }, "-aws-region must be set"},
		{"HTTP address taken", func(c *config) { c.httpAddress = taken.Addr().String() }, "-otlp-http-address"},
		{"gRPC address taken", func(c *config) { c.grpcAddress = taken.Addr().String() }, "-otlp-grpc-address"},
		{"bad producer", func(c *config) { c.producer.MaxRecordSize = 1 }, "MaxRecordSize must be"},
		{"bad compression", func(c *config) { c.marshaler.Compression = "br" }, "Compression must be"},
	}
	t.Setenv("AWS_REGION", "")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := configFrom([]string{"otlpgateway"}, os.Getenv, t.Output())
			require.NoError(t, err)
			cfg.region = "eu-west-1"
			tt.tune(&cfg)
			require.ErrorContains(t, run(t.Context(), cfg, slog.New(slog.DiscardHandler)), tt.want)
		})
	}
}

// Who listens on more than loopback is warned that there is neither TLS nor authentication.
func TestWarnOfAddresses(t *testing.T) {
	for address, want := range map[string]int{"127.0.0.1:1": 0, "[::1]:1": 0, "0.0.0.0:1": 2, "10.0.0.1:1": 2} {
		tcp, err := net.ResolveTCPAddr("tcp", address)
		require.NoError(t, err)
		var log strings.Builder
		warnOfAddresses(listeners{at{addr: tcp}, at{addr: tcp}}, slog.New(slog.NewJSONHandler(&log, nil)))
		assert.Equal(t, want, strings.Count(log.String(), "without TLS and authentication"), address)
	}
}

// at is a listener that has nothing but an address.
type at struct {
	net.Listener

	addr net.Addr
}

func (l at) Addr() net.Addr { return l.addr }

// TestTermination sends the program, as a process of its own, SIGTERM: it delivers what it accepted and exits with 0.
func TestTermination(t *testing.T) {
	fake := serveKinesis(t)
	self, err := os.Executable()
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), self)
	command.Env = append(os.Environ(), asProgram+"=1", "OTLP_ANSWER="+accepted)
	stderr, err := command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	log := bufio.NewScanner(stderr)
	require.True(t, log.Scan())
	sent, err := export(t.Context(), t, addressesOf(t, log.Text()).dial(t), marshaler.Logs, "sent", 7)
	require.NoError(t, err)
	require.NoError(t, command.Process.Signal(syscall.SIGTERM))
	require.True(t, log.Scan())
	assert.Contains(t, log.Text(), `"msg":"draining"`)
	assert.False(t, log.Scan(), log.Text())
	require.NoError(t, command.Wait())
	peers.RequireSameItems(t, sent, storedItems(t, fake, marshaler.Logs))
}
