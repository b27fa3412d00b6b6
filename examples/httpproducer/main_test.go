// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// asProgram is set in the environment of a test binary that shall be the program itself.
const asProgram = "HTTPPRODUCER_AS_PROGRAM"

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
		"KINESIS_STREAM": events, "KINESIS_ENDPOINT": server.URL, "LISTEN_ADDRESS": "127.0.0.1:0",
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
	url  string
	stop context.CancelFunc
	log  lines      // closed when run has returned
	run  chan error // what run returns
}

// start runs the program with the configuration of the environment.
func start(t *testing.T, tune func(*config)) *program {
	t.Helper()
	cfg, err := configFrom(nil, os.Getenv, io.Discard)
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
	p.url = address(t, <-p.log)
	return p
}

// end lets the program drain, and returns the lines it logged since it listens and what run returned.
func (p *program) end() (logged []string, err error) {
	p.stop()
	for line := range p.log {
		logged = append(logged, line)
	}
	return logged, <-p.run
}

// address reads the line that says where the program listens.
func address(t *testing.T, line string) (url string) {
	t.Helper()
	var listening struct{ Msg, Address, Stream string }
	require.NoError(t, json.Unmarshal([]byte(line), &listening), line)
	assert.Equal(t, "listening "+events, listening.Msg+" "+listening.Stream)
	return "http://" + listening.Address
}

// newClientOfProgram returns a client whose connections end with the test.
func newClientOfProgram(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// post posts an event and returns the answer; status is 0 if there was none.
func post(ctx context.Context, client *http.Client, url, body string) (status int, answer string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
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

func TestRun(t *testing.T) {
	fake := serveKinesis(t)
	p := start(t, nil)
	client := newClientOfProgram(t)

	status, answer := post(t.Context(), client, p.url+confirmed, `{"partition_key":"k","payload":"one"}`)
	require.Equal(t, http.StatusOK, status, answer)
	stored := fake.UserRecords(events)
	require.Len(t, stored, 1)
	assert.JSONEq(t, fmt.Sprintf(`{"shard_id":%q,"sequence_number":%q,"attempts":1}`,
		stored[0].ShardID, stored[0].SequenceNumber), answer)

	status, answer = post(t.Context(), client, p.url+accepted, `{"partition_key":"k","payload":"two"}`)
	assert.Equal(t, http.StatusAccepted, status, answer)
	require.NoError(t, fake.WaitRecords(t.Context(), events, 2))

	fake.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.FailCall(kpltest.CodeValidation)))
	status, answer = post(t.Context(), client, p.url+confirmed, `{"partition_key":"k","payload":"three"}`)
	assert.Equal(t, http.StatusBadGateway, status)
	// The id counts all calls. How many there were before is a matter of time.
	answer = regexp.MustCompile(`request id [0-9-]+`).ReplaceAllString(answer, "request id of the call")
	assert.JSONEq(t, `{"detail":{"error_code":"ValidationException","error_message":"kpl: the service rejected the record `+
		`(attempts: 1, last: ValidationException: 1 validation error detected. (request id of the call))","attempts":1}}`, answer)

	logged, err := p.end()
	require.NoError(t, err)
	require.Len(t, logged, 1)
	assert.Contains(t, logged[0], `"msg":"draining"`)
	assert.Len(t, fake.UserRecords(events), 2)
}

// TestDrainUnderLoad stops the program while clients post as fast as they can, to a stream that is slow and throttles:
// what was answered with 200 or 202 is stored, and nothing else is.
func TestDrainUnderLoad(t *testing.T) {
	const numClients, answersBeforeEnd = 16, 300
	fake := serveKinesis(t)
	fake.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.All(
		kpltest.Latency(5*time.Millisecond), kpltest.FailRecordFraction(kpltest.CodeThrottled, 0.2),
	)))
	p := start(t, func(c *config) {
		// A busy machine sends nothing twice and gives up nothing.
		c.producer.RequestTimeout, c.producer.RecordTTL, c.grace = time.Hour, 2*time.Hour, 3*time.Hour
		c.producer.MaxOutstandingRecords = 20
		c.producer.AggregationMaxCount = 4
	})
	client := newClientOfProgram(t)
	var (
		clients  sync.WaitGroup
		answers  atomic.Int64
		answered [numClients][]string // payloads
	)
	for i := range numClients {
		path, want := accepted, http.StatusAccepted
		if i%2 == 0 {
			path, want = confirmed, http.StatusOK
		}
		clients.Go(func() {
			for n := 0; ; n++ {
				payload := fmt.Sprintf(`"%d-%d"`, i, n)
				status, answer := post(t.Context(), client, p.url+path,
					fmt.Sprintf(`{"partition_key":"%d","payload":%s}`, n%10, payload))
				if status == 0 { // no connection any more
					return
				}
				if !assert.Equal(t, want, status, answer) {
					return
				}
				answered[i] = append(answered[i], payload)
				if answers.Add(1) == answersBeforeEnd {
					p.stop()
				}
			}
		})
	}
	clients.Wait()
	logged, err := p.end()
	require.NoError(t, err)
	assert.Len(t, logged, 1, "nothing but that it drains")

	var stored []string
	for _, record := range fake.UserRecords(events) {
		stored = append(stored, string(record.Data))
	}
	assert.GreaterOrEqual(t, len(stored), answersBeforeEnd)
	assert.ElementsMatch(t, slices.Concat(answered[:]...), stored)
	assert.Empty(t, fake.DroppedAggregates(events))
}

// TestDrainHasAnEnd stops the program while the stream does not answer: it ends all the same, with an error, and logs
// what it could not deliver.
func TestDrainHasAnEnd(t *testing.T) {
	fake := serveKinesis(t)
	arrived := make(chan struct{})
	fake.Inject(kpltest.ForOperation(kpltest.OpPutRecords, func(call *kpltest.Call) kpltest.Action {
		if call.Number == 1 {
			close(arrived)
		}
		return kpltest.Action{Connection: kpltest.ConnectionHangs}
	}))
	p := start(t, func(c *config) { c.grace = time.Millisecond })
	status, answer := post(t.Context(), newClientOfProgram(t), p.url+accepted, `{"partition_key":"k","payload":1}`)
	require.Equal(t, http.StatusAccepted, status, answer)
	<-arrived
	logged, err := p.end()
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "records are left after 1ms")
	require.Len(t, logged, 2)
	assert.Contains(t, logged[0], `"msg":"draining","outstanding_records":1`)
	assert.Contains(t, logged[1], `"msg":"event not delivered","partition_key":"k"`)
}

// A drain that ends early ends the requests too: each has its answer, and no handler is left.
func TestDrainEndsRequests(t *testing.T) {
	fake := serveKinesis(t)
	arrived := make(chan struct{})
	fake.Inject(kpltest.ForOperation(kpltest.OpPutRecords, func(call *kpltest.Call) kpltest.Action {
		if call.Number == 1 {
			close(arrived)
		}
		return kpltest.Action{Connection: kpltest.ConnectionHangs}
	}))
	p := start(t, func(c *config) { c.grace = time.Millisecond })
	var client sync.WaitGroup
	client.Go(func() {
		status, answer := post(t.Context(), newClientOfProgram(t), p.url+confirmed, `{"partition_key":"k","payload":1}`)
		assert.Equal(t, http.StatusBadGateway, status, answer)
		assert.Contains(t, answer, `"error_message":"kpl: `)
	})
	<-arrived
	_, err := p.end()
	require.ErrorContains(t, err, "requests are left after 1ms")
	client.Wait()
}

// The metrics say what became of the events.
func TestMetrics(t *testing.T) {
	serveKinesis(t)
	p := start(t, nil)
	client := newClientOfProgram(t)
	status, answer := post(t.Context(), client, p.url+confirmed, `{"payload":"secret"}`)
	require.Equal(t, http.StatusOK, status, answer)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/metrics", http.NoBody)
	require.NoError(t, err)
	response, err := client.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Contains(t, string(text), `kinesis_kpl_user_records_put_total{outcome="success",stream="events"} 1`)
	assert.Contains(t, string(text), "\nkinesis_kpl_user_records_pending ")
	assert.NotContains(t, string(text), "secret")
	_, err = p.end()
	require.NoError(t, err)
}

// A certificate that nobody trusts is taken only if that is requested.
func TestUntrustedCertificate(t *testing.T) {
	serveKinesis(t)
	fake := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: events, Shards: 1})
	server := httptest.NewUnstartedServer(fake.Handler())
	server.Config.ErrorLog = stdlog.New(io.Discard, "", 0) // of handshakes that fail
	server.StartTLS()
	t.Cleanup(server.Close)
	t.Setenv("KINESIS_ENDPOINT", server.URL)
	for value, want := range map[string]int{"": http.StatusBadGateway, "false": http.StatusOK} {
		t.Setenv("KINESIS_VERIFY_CERTIFICATE", value)
		p := start(t, nil)
		status, answer := post(t.Context(), newClientOfProgram(t), p.url+confirmed, `{"payload":1}`)
		assert.Equal(t, want, status, answer)
		_, err := p.end()
		require.NoError(t, err)
	}
}

// A client that never sends the rest of its event does not hold up the end, and what others have posted is delivered.
func TestSlowClientDoesNotHoldTheDrain(t *testing.T) {
	fake := serveKinesis(t)
	p := start(t, func(c *config) { c.client, c.grace = 50*time.Millisecond, time.Hour })
	status, answer := post(t.Context(), newClientOfProgram(t), p.url+accepted, `{"payload":1}`)
	require.Equal(t, http.StatusAccepted, status, answer)
	slow, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.url, "http://"))
	require.NoError(t, err)
	defer func() { _ = slow.Close() }()
	_, err = io.WriteString(slow, "POST /events HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{")
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(slow), nil)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	assert.Equal(t, http.StatusRequestTimeout, response.StatusCode)
	_, err = p.end()
	require.NoError(t, err)
	assert.Len(t, fake.UserRecords(events), 1)
}

// The time that a client has is not that of its event: the answer waits for the result.
func TestResultsMayTakeLongerThanClients(t *testing.T) {
	fake := serveKinesis(t)
	fake.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(200*time.Millisecond)))
	p := start(t, func(c *config) { c.client = 100 * time.Millisecond })
	client := newClientOfProgram(t)
	for range 2 { // on the same connection
		status, answer := post(t.Context(), client, p.url+confirmed, `{"payload":1}`)
		assert.Equal(t, http.StatusOK, status, answer)
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
		{"no region", func(c *config) { c.region = "" }, "AWS_REGION must be set"},
		{"address taken", func(c *config) { c.listen = taken.Addr().String() }, "LISTEN_ADDRESS"},
		{"bad producer", func(c *config) { c.producer.MaxRecordSize = 1 }, "MaxRecordSize must be"},
	}
	t.Setenv("AWS_REGION", "")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := configFrom(nil, os.Getenv, io.Discard)
			require.NoError(t, err)
			cfg.region = "eu-west-1"
			tt.tune(&cfg)
			require.ErrorContains(t, run(t.Context(), cfg, slog.New(slog.DiscardHandler)), tt.want)
		})
	}
}

// TestTermination sends the program, as a process of its own, SIGTERM: it delivers what it accepted and exits with 0.
func TestTermination(t *testing.T) {
	fake := serveKinesis(t)
	self, err := os.Executable()
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), self)
	command.Env = append(os.Environ(), asProgram+"=1")
	stderr, err := command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	log := bufio.NewScanner(stderr)
	require.True(t, log.Scan())
	url := address(t, log.Text())
	status, answer := post(t.Context(), newClientOfProgram(t), url+accepted, `{"payload":1}`)
	require.Equal(t, http.StatusAccepted, status, answer)
	require.NoError(t, command.Process.Signal(syscall.SIGTERM))
	require.True(t, log.Scan())
	assert.Contains(t, log.Text(), `"msg":"draining"`)
	assert.False(t, log.Scan(), log.Text())
	require.NoError(t, command.Wait())
	assert.Len(t, fake.UserRecords(events), 1)
}
