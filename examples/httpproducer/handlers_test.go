// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

const (
	events    = "events" // the stream
	accepted  = "/events"
	confirmed = "/events/confirmed"
)

// app is the program without its server, in a bubble of synctest.
type app struct {
	http.Handler
	fake     *kpltest.Kinesis
	producer *kpl.Producer
	log      *strings.Builder // to be read after the producer is closed
}

func newApp(t *testing.T, tune func(*kpl.Config)) *app {
	t.Helper()
	cfg := config{stream: events, producer: kpl.Config{RecordMaxBufferedTime: kpl.NoBuffering}}
	if tune != nil {
		tune(&cfg.producer)
	}
	a := &app{fake: kpltest.New(kpltest.Config{}, kpltest.Stream{Name: events, Shards: 1}), log: &strings.Builder{}}
	producer, err := kpl.New(a.fake, cfg.producer)
	require.NoError(t, err)
	a.producer = producer
	a.Handler = newHandler(producer, cfg, http.NotFoundHandler(), slog.New(slog.NewJSONHandler(a.log, nil)))
	return a
}

// putRecords makes PutRecords fail.
func (a *app) putRecords(f kpltest.Fault) {
	a.fake.Inject(kpltest.ForOperation(kpltest.OpPutRecords, f))
}

func (a *app) post(ctx context.Context, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodPost, path, strings.NewReader(body)))
	return w
}

func (a *app) outstanding(t *testing.T) int {
	t.Helper()
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/health", http.NoBody))
	require.Equal(t, http.StatusOK, w.Code)
	var body health
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
	assert.True(t, body.OK)
	return body.OutstandingRecords
}

func everyRecord(types.PutRecordsRequestEntry) bool { return true }

func TestConfirmedSaysWhereTheEventIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, nil)
		a.putRecords(kpltest.Times(2, kpltest.FailRecords(kpltest.CodeThrottled, everyRecord)))
		w := a.post(t.Context(), confirmed, `{"partition_key":"k","payload":{"a": [1, "ü"]}}`)
		require.Equal(t, http.StatusOK, w.Code)
		assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
		stored := a.fake.UserRecords(events)
		require.Len(t, stored, 1)
		assert.Equal(t, "k", stored[0].PartitionKey)
		assert.Equal(t, `{"a": [1, "ü"]}`, string(stored[0].Data))
		assert.JSONEq(t, `{"shard_id":"shardId-000000000000","sequence_number":"`+stored[0].SequenceNumber+
			`","attempts":3}`, w.Body.String())
		require.NoError(t, a.producer.Close(t.Context()))
	})
}

// TestFailures makes deliveries fail. /events/confirmed reports that in its answer, /events in the log.
func TestFailures(t *testing.T) {
	tests := []struct {
		name  string
		fault kpltest.Fault
		tune  func(*kpl.Config)
		want  failure
	}{
		{
			name:  "rejected",
			fault: kpltest.FailRecords(kpltest.CodeInvalidArgument, everyRecord),
			want: failure{"InvalidArgumentException", "kpl: the service rejected the record " +
				"(attempts: 1, last: InvalidArgumentException: The request failed with InvalidArgumentException.)", 1},
		},
		{
			name:  "unavailable",
			fault: kpltest.FailCall(kpltest.CodeAccessDenied),
			want: failure{"AccessDeniedException", "kpl: the stream accepts no records " +
				"(attempts: 1, last: AccessDeniedException: User is not authorized to perform this operation.)", 1},
		},
		{
			name:  "expired",
			fault: kpltest.FailRecords(kpltest.CodeThrottled, everyRecord),
			tune:  func(c *kpl.Config) { c.RecordTTL = time.Millisecond },
			want: failure{"ProvisionedThroughputExceededException", "kpl: the record was not delivered within its TTL " +
				"(attempts: 1, last: ProvisionedThroughputExceededException: Rate exceeded for shard shardId-000000000000 " +
				"in stream events under account 000000000000.)", 1},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newApp(t, tt.tune)
				a.putRecords(tt.fault)
				w := a.post(t.Context(), confirmed, `{"partition_key":"k","payload":"secret"}`)
				assert.Equal(t, http.StatusBadGateway, w.Code)
				var got struct{ Detail failure }
				require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
				assert.Equal(t, tt.want, got.Detail)
				require.NoError(t, a.producer.Close(t.Context()))
				assert.Empty(t, a.log.String())
			})
			synctest.Test(t, func(t *testing.T) {
				a := newApp(t, tt.tune)
				a.putRecords(tt.fault)
				w := a.post(t.Context(), accepted, `{"partition_key":"k","payload":"secret"}`)
				assert.Equal(t, http.StatusAccepted, w.Code)
				assert.JSONEq(t, `{"accepted":true}`, w.Body.String())
				require.NoError(t, a.producer.FlushWait(t.Context()))
				require.NoError(t, a.producer.Close(t.Context()))
				var line struct {
					Time         time.Time
					Level, Msg   string
					PartitionKey string `json:"partition_key"`
					failure
				}
				decoder := json.NewDecoder(strings.NewReader(a.log.String()))
				decoder.DisallowUnknownFields() // so there is no payload
				require.NoError(t, decoder.Decode(&line))
				assert.Equal(t, "ERROR event not delivered k", line.Level+" "+line.Msg+" "+line.PartitionKey)
				assert.Equal(t, tt.want, line.failure)
				assert.False(t, decoder.More(), "one line for the event")
			})
		})
	}
}

func TestBadInput(t *testing.T) {
	text := func(length int) string { return `"` + strings.Repeat("x", length-2) + `"` } // with its quotes
	const limit = 1 << 20
	const notJSON = "the body must be one JSON object of at most 1052672 bytes: "
	tests := []struct {
		name, body string
		status     int
		message    string // how it begins
	}{
		{"nothing", ``, 422, notJSON + "EOF"},
		{"no JSON", `payload=1`, 422, notJSON + "invalid character 'p'"},
		{"half an object", `{"payload":1`, 422, notJSON + "unexpected EOF"},
		{"no object", `[1]`, 422, notJSON + "json: cannot unmarshal array"},
		{"key is no text", `{"partition_key":1,"payload":1}`, 422, notJSON + "json: cannot unmarshal number"},
		{"two events", `{"payload":1}{"payload":2}`, 422, notJSON + "more follows the event"},
		{"an event and a bracket", `{"payload":1}]`, 422, notJSON + "invalid character ']'"},
		{"no payload", `{"partition_key":"k"}`, 422, "the event has no payload"},
		{"null", `null`, 422, "the event has no payload"},
		{
			"key too long", `{"partition_key":` + text(257+2) + `,"payload":1}`, 422,
			"kpl: invalid user record: its partition key has 257 characters, the limit is 256",
		},
		{
			"record too large", `{"partition_key":"k","payload":` + text(limit) + `}`, 413,
			"kpl: user record too large: 1048577 bytes with its partition key, the limit is 1048576",
		},
		{"body too large", `{"payload":` + text(limit+envelope) + `}`, 413, notJSON + "http: request body too large"},
		{"body too large after the event", `{"payload":1}` + strings.Repeat(" ", limit+envelope), 413, notJSON + "http:"},
	}
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, nil)
		for _, tt := range tests {
			for _, path := range []string{accepted, confirmed} {
				w := a.post(t.Context(), path, tt.body)
				assert.Equal(t, tt.status, w.Code, tt.name)
				var got struct{ Detail rejection }
				require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got), tt.name)
				assert.Truef(t, strings.HasPrefix(got.Detail.ErrorMessage, tt.message), "%s: %s", tt.name, got.Detail.ErrorMessage)
			}
		}
		assert.Zero(t, a.producer.Stats().RecordsReceived)
		require.NoError(t, a.producer.Close(t.Context()))
		assert.Empty(t, a.fake.Calls(""))
	})
}

// TestGoodInput has what is just within the limits.
func TestGoodInput(t *testing.T) {
	tests := map[string]struct{ body, key, data string }{
		"null":             {`{"partition_key":"k","payload":null}`, "k", "null"},
		"an unknown field": {`{"partition_key":"k","payload":1,"version":2}`, "k", "1"},
		"fields order":     {` { "payload" : "x" , "partition_key" : "k" } `, "k", `"x"`},
		"longest key, escaped": {
			`{"partition_key":"` + strings.Repeat(`\ud83d\ude00`, 256) + `","payload":1}`, strings.Repeat("😀", 256), "1",
		},
		"largest": {
			`{"partition_key":"k","payload":"` + strings.Repeat("x", 1<<20-3) + `"}`, "k",
			`"` + strings.Repeat("x", 1<<20-3) + `"`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newApp(t, nil)
				require.Equal(t, http.StatusOK, a.post(t.Context(), confirmed, tt.body).Code)
				require.NoError(t, a.producer.Close(t.Context()))
				stored := a.fake.UserRecords(events)
				require.Len(t, stored, 1)
				assert.Equal(t, tt.key, stored[0].PartitionKey)
				assert.Equal(t, tt.data, string(stored[0].Data))
			})
		})
	}
}

func TestWithoutPartitionKeyTheProducerChooses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, nil)
		assert.Equal(t, http.StatusOK, a.post(t.Context(), confirmed, `{"payload":1}`).Code)
		require.NoError(t, a.producer.Close(t.Context()))
		stored := a.fake.UserRecords(events)
		require.Len(t, stored, 1)
		assert.Len(t, stored[0].PartitionKey, kpl.KeylessKeySize)
	})
}

// TestFullProducerDelaysRequests has room for one record, and calls take two seconds. Each request waits for those
// before it, and none fails.
func TestFullProducerDelaysRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, func(c *kpl.Config) { c.MaxOutstandingRecords = 1 })
		a.putRecords(kpltest.Latency(2 * time.Second))
		began := time.Now()
		var clients sync.WaitGroup
		post := func(path string, status int, took time.Duration) {
			clients.Go(func() {
				assert.Equal(t, status, a.post(t.Context(), path, `{"payload":1}`).Code)
				assert.Equal(t, took, time.Since(began))
			})
			synctest.Wait() // so that they come in this order
		}
		post(accepted, http.StatusAccepted, 0)
		post(confirmed, http.StatusOK, 4*time.Second)
		post(accepted, http.StatusAccepted, 4*time.Second)
		assert.Equal(t, 1, a.outstanding(t))
		clients.Wait()
		require.NoError(t, a.producer.FlushWait(t.Context()))
		assert.Equal(t, 6*time.Second, time.Since(began))
		assert.Equal(t, 0, a.outstanding(t))
		require.NoError(t, a.producer.Close(t.Context()))
		assert.Len(t, a.fake.UserRecords(events), 3)
		assert.Empty(t, a.log.String())
	})
}

// TestClientThatIsGone stops waiting for room, and for a result, and never says that all is well.
func TestClientThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, func(c *kpl.Config) { c.MaxOutstandingRecords = 1 })
		a.putRecords(kpltest.Latency(2 * time.Second))
		ctx, leave := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		for _, path := range []string{confirmed, accepted, confirmed} { // the first gets in, the others wait for room
			clients.Go(func() {
				assert.Equal(t, http.StatusServiceUnavailable, a.post(ctx, path, `{"payload":1}`).Code)
			})
			synctest.Wait()
		}
		began := time.Now()
		leave()
		clients.Wait()
		assert.Zero(t, time.Since(began))
		require.NoError(t, a.producer.Close(t.Context()))
		assert.Len(t, a.fake.UserRecords(events), 1)
	})
}

func TestClosedProducer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, nil)
		require.NoError(t, a.producer.Close(t.Context()))
		for _, path := range []string{accepted, confirmed} {
			w := a.post(t.Context(), path, `{"payload":1}`)
			assert.Equal(t, http.StatusServiceUnavailable, w.Code)
			assert.JSONEq(t, `{"detail":{"error_message":"kpl: the producer is closed"}}`, w.Body.String())
		}
	})
}

func TestOtherRoutes(t *testing.T) {
	a := newApp(t, nil)
	for path, want := range map[string]struct {
		status int
		allow  string
	}{
		"GET /events":              {http.StatusMethodNotAllowed, "POST"},
		"DELETE /events/confirmed": {http.StatusMethodNotAllowed, "POST"},
		"POST /health":             {http.StatusMethodNotAllowed, "GET"},
		"GET /":                    {http.StatusNotFound, ""},
		"GET /events/7":            {http.StatusNotFound, ""},
	} {
		method, target, _ := strings.Cut(path, " ")
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, target, io.NopCloser(http.NoBody)))
		assert.Equal(t, want.status, w.Code, path)
		assert.Equal(t, want.allow, w.Header().Get("Allow"), path)
		var got struct{ Detail rejection }
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got), path)
		assert.NotEmpty(t, got.Detail.ErrorMessage, path)
	}
	require.NoError(t, a.producer.Close(t.Context()))
}
