// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// eventClients post events until the server is gone, and record which events the server accepted.
type eventClients struct {
	url     string
	client  *http.Client
	running sync.WaitGroup
	enough  chan struct{} // closed when manyEvents are accepted

	mu        sync.Mutex
	accepted  map[string]bool  // payloads
	confirmed map[string]place // of those that were confirmed
}

// manyEvents is a number of events that keeps all parts of the server busy.
const manyEvents = 300

func startEventClients(t *testing.T, url string) *eventClients {
	t.Helper()
	const clients = 8
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	t.Cleanup(transport.CloseIdleConnections)
	c := &eventClients{
		url: url, client: &http.Client{Transport: transport}, enough: make(chan struct{}),
		accepted: map[string]bool{}, confirmed: map[string]place{},
	}
	for n := range clients {
		c.running.Go(func() {
			for i := 0; ; i++ {
				path := []string{"/events", "/events/confirmed"}[i%2]
				if !c.post(t, path, fmt.Sprint("client-", n), fmt.Sprintf("%q", fmt.Sprintf("event %d of client %d", i, n))) {
					return
				}
			}
		})
	}
	return c
}

// post posts an event and reports whether the server is still there.
func (c *eventClients) post(t *testing.T, path, key, payload string) bool {
	body := fmt.Sprintf(`{"partition_key": %q, "payload": %s}`, key, payload)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+path, strings.NewReader(body))
	if !assert.NoError(t, err) {
		return false
	}
	response, err := c.client.Do(request)
	if err != nil {
		return false // The server does not listen any more, or the connection broke before it was used.
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if !assert.NoError(t, err) {
		return false
	}
	if !assert.Equal(t, 2, response.StatusCode/100, "%s: %s", response.Status, answer) {
		return false
	}
	c.note(t, path, payload, answer)
	return true
}

func (c *eventClients) note(t *testing.T, path, payload string, answer []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.accepted[payload] = true
	if len(c.accepted) == manyEvents {
		close(c.enough)
	}
	if path == "/events/confirmed" {
		var confirmation struct {
			ShardID        string `json:"shard_id"`
			SequenceNumber string `json:"sequence_number"`
		}
		assert.NoError(t, json.Unmarshal(answer, &confirmation))
		c.confirmed[payload] = place{confirmation.ShardID, confirmation.SequenceNumber}
	}
}

// TestHTTPProducerKeepsWhatItAccepted builds the example and ends it while clients post. All accepted events are in the stream.
func TestHTTPProducerKeepsWhatItAccepted(t *testing.T) {
	const stream = "events"
	ctx := Context(t)
	mock := StartKinesisMock(t, Stream{stream, 3})
	server := startHTTPProducer(ctx, t, stream, mock.Endpoint)
	var listening struct {
		Address string `json:"address"`
	}
	require.NoError(t, json.Unmarshal([]byte(server.WaitLine(ctx, t, `"listening"`)), &listening))

	clients := startEventClients(t, "http://"+listening.Address)
	select {
	case <-clients.enough:
	case <-ctx.Done():
		require.NoError(t, ctx.Err(), "%d events were accepted", len(clients.accepted))
	}
	server.Terminate(t)
	require.NoError(t, server.Wait(ctx, t))
	clients.running.Wait()

	stored := map[string][]place{}
	for _, s := range ReadStream(ctx, t, mock.Client, stream) {
		require.False(t, s.Dropped)
		for _, r := range s.UserRecords {
			payload := string(r.Data)
			stored[payload] = append(stored[payload], place{*s.Shard.ShardId, s.SequenceNumber})
			require.Contains(t, payload, strings.Replace(r.PartitionKey, "-", " ", 1))
		}
	}
	t.Logf("%d events accepted, %d of them confirmed, %d stored",
		len(clients.accepted), len(clients.confirmed), len(stored))
	require.NotEmpty(t, clients.confirmed)
	for payload := range clients.accepted {
		require.NotEmpty(t, stored[payload], payload)
	}
	for payload, place := range clients.confirmed {
		require.Contains(t, stored[payload], place, payload)
	}
}

// TestHTTPProducerAsAIOKPLDoes follows aiokpl's page "FastAPI producer": kinesis-mock over https with a certificate that nobody
// trusts, and the requests and answers of that page.
func TestHTTPProducerAsAIOKPLDoes(t *testing.T) {
	ctx := Context(t)
	mock := StartKinesisMock(t, Stream{"events", 4})
	server := startHTTPProducer(ctx, t, "events", mock.TLSEndpoint,
		"KINESIS_VERIFY_CERTIFICATE=false", "MAX_OUTSTANDING_RECORDS=10000")
	var listening struct {
		Address string `json:"address"`
	}
	require.NoError(t, json.Unmarshal([]byte(server.WaitLine(ctx, t, `"listening"`)), &listening))
	server.WaitLine(ctx, t, "the certificate of Kinesis is not checked")
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	request := func(method, path, body string) (status int, answer map[string]any) {
		r, err := http.NewRequestWithContext(ctx, method, "http://"+listening.Address+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		response, err := transport.RoundTrip(r)
		require.NoError(t, err)
		defer response.Body.Close()
		require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
		return response.StatusCode, answer
	}
	const signup = `{"partition_key":"user-42","payload":{"event":"signup"}}`

	status, answer := request(http.MethodPost, "/events/confirmed", signup)
	assert.Equal(t, http.StatusOK, status, answer)
	assert.Regexp(t, "^shardId-", answer["shard_id"])
	assert.NotEmpty(t, answer["sequence_number"])
	assert.InDelta(t, 1, answer["attempts"], 0)
	status, answer = request(http.MethodPost, "/events", signup)
	assert.Equal(t, http.StatusAccepted, status)
	assert.Equal(t, map[string]any{"accepted": true}, answer)
	status, answer = request(http.MethodPost, "/events", `{"partition_key":7,"payload":{}}`)
	assert.Equal(t, http.StatusUnprocessableEntity, status)
	assert.Contains(t, answer, "detail")
	status, answer = request(http.MethodGet, "/health", "")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, true, answer["ok"])
	assert.Contains(t, answer, "outstanding_records")

	server.Terminate(t)
	require.NoError(t, server.Wait(ctx, t))
	var stored []string
	for _, s := range ReadStream(ctx, t, mock.Client, "events") {
		for _, r := range s.UserRecords {
			stored = append(stored, r.PartitionKey+" "+string(r.Data))
		}
	}
	const want = `user-42 {"event":"signup"}`
	assert.Equal(t, []string{want, want}, stored)
}

// startHTTPProducer builds and starts examples/httpproducer.
func startHTTPProducer(ctx context.Context, t *testing.T, stream, endpoint string, environment ...string) *Process {
	t.Helper()
	path := filepath.Join(t.TempDir(), "httpproducer")
	build := exec.CommandContext(ctx, "go", "build", "-o", path, "./examples/httpproducer")
	build.Dir = Root(t)
	output, err := build.CombinedOutput()
	require.NoError(t, err, "%s", output)
	cmd := exec.Command(path)
	cmd.Env = append(cmd.Environ(), "LISTEN_ADDRESS=127.0.0.1:0", "KINESIS_STREAM="+stream, "KINESIS_ENDPOINT="+endpoint)
	for key, value := range Environment() {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	cmd.Env = append(cmd.Env, environment...)
	return Start(t, cmd)
}
