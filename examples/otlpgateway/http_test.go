// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// Each signal arrives in each encoding, and is answered in the media type of the request.
func TestHTTPStoresEverySignal(t *testing.T) {
	for _, answer := range []string{confirmed, accepted} {
		for _, signal := range signals {
			for _, media := range []string{typeProto, typeJSON + "; charset=utf-8"} {
				for _, encoding := range []string{"", "identity", "gzip", "zstd"} {
					t.Run(fmt.Sprint(answer, signal, media, encoding), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { storeOne(t, answer, signal, media, encoding) })
					})
				}
			}
		}
	}
}

func storeOne(t *testing.T, answer string, signal marshaler.Signal, media, encoding string) {
	a := newApp(t, nil, "-otlp-answer", answer)
	sent := newTelemetry(t, signal, "sent", 300)
	body, want, wantType := sent.proto, "", typeProto
	if strings.HasPrefix(media, typeJSON) {
		body, want, wantType = sent.json, `{"partialSuccess":{}}`, typeJSON
	}
	headers := []string{"Content-Type", media}
	if encoding != "" {
		headers = append(headers, "Content-Encoding", encoding)
	}
	w := a.post(t.Context(), "/v1/"+signal.String(), compressed(t, encoding, body), headers...)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	assert.Equal(t, wantType, w.Header().Get("Content-Type"))
	if want != "" {
		assert.JSONEq(t, want, w.Body.String())
	}
	if answer == confirmed {
		peers.RequireSameItems(t, sent.items, storedItems(t, a.fake, signal))
	}
	a.close(t)
	peers.RequireSameItems(t, sent.items, storedItems(t, a.fake, signal))
	assert.Empty(t, a.log.String())
}

// A request without items is a success, and stores nothing.
func TestEmptyRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, answer := range []string{confirmed, accepted} {
			a := newApp(t, nil, "-otlp-answer", answer)
			assert.Equal(t, http.StatusOK, a.post(t.Context(), "/v1/logs", nil, "Content-Type", typeProto).Code)
			assert.Equal(t, http.StatusOK, a.post(t.Context(), "/v1/logs", []byte("{}"), "Content-Type", typeJSON).Code)
			a.close(t)
			assert.Empty(t, a.fake.UserRecords(events))
		}
	})
}

// An item that is too large is dropped alone. The client learns how many there were and why.
func TestPartialSuccess(t *testing.T) {
	for _, answer := range []string{confirmed, accepted} {
		synctest.Test(t, func(t *testing.T) {
			a := newApp(t, nil, "-otlp-answer", answer)
			all, small := logsWithLarge(5)
			w := a.post(t.Context(), "/v1/logs", telemetryOfLogs(t, all).proto, "Content-Type", typeProto)
			require.Equal(t, http.StatusOK, w.Code)
			response := plogotlp.NewExportResponse()
			require.NoError(t, response.UnmarshalProto(w.Body.Bytes()))
			assert.EqualValues(t, 1, response.PartialSuccess().RejectedLogRecords())
			assert.Contains(t, response.PartialSuccess().ErrorMessage(), "the limit is 1048576")

			w = a.post(t.Context(), "/v1/logs", telemetryOfLogs(t, all).json, "Content-Type", typeJSON)
			require.Equal(t, http.StatusOK, w.Code)
			assert.Contains(t, w.Body.String(), `"rejectedLogRecords":"1"`)
			a.close(t)
			once := peers.LogItems(t, small)
			peers.RequireSameItems(t, append(once, once...), storedItems(t, a.fake, marshaler.Logs))
		})
	}
}

// Text that strict readers do not decode is replaced, and the client is told so.
func TestTextThatIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, nil)
		logs := peers.Logs("sent", 3)
		logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().SetStr("\xff")
		w := a.post(t.Context(), "/v1/logs", telemetryOfLogs(t, logs).proto, "Content-Type", typeProto)
		require.Equal(t, http.StatusOK, w.Code)
		response := plogotlp.NewExportResponse()
		require.NoError(t, response.UnmarshalProto(w.Body.Bytes()))
		assert.Zero(t, response.PartialSuccess().RejectedLogRecords())
		assert.Contains(t, response.PartialSuccess().ErrorMessage(), "replaced: 1 texts")
		a.close(t)
		assert.Len(t, storedItems(t, a.fake, marshaler.Logs), 3)
	})
}

// Items that the service itself rejects are a part of the partial success.
func TestItemsThatTheServiceRejects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, nil)
		a.putRecords(kpltest.FailRecords(kpltest.CodeInvalidArgument, everyRecord))
		w := a.postLogs(t.Context(), t, "rejected", 7)
		require.Equal(t, http.StatusOK, w.Code)
		response := plogotlp.NewExportResponse()
		require.NoError(t, response.UnmarshalProto(w.Body.Bytes()))
		assert.EqualValues(t, 7, response.PartialSuccess().RejectedLogRecords())
		assert.Contains(t, response.PartialSuccess().ErrorMessage(), "the service rejected the record")
		a.close(t)
	})
}

// streamed hides the length of a body.
type streamed struct{ io.Reader }

func TestBadRequests(t *testing.T) {
	large := make([]byte, 1<<20+1)
	tests := []struct {
		name, media, encoding string
		body                  []byte
		want                  int
		code                  codes.Code
		message               string
	}{
		{"no media type", "", "", nil, 415, codes.Unimplemented, `found ""`},
		{"another media type", "text/plain", "", nil, 415, codes.Unimplemented, `found "text/plain"`},
		{"another encoding", typeProto, "br", nil, 415, codes.Unimplemented, `unknown Content-Encoding "br"`},
		{"no protobuf", typeProto, "", []byte("{}"), 400, codes.InvalidArgument, "malformed"},
		{"cut off", typeProto, "", newTelemetry(t, marshaler.Logs, "x", 5).proto[:99], 400, codes.InvalidArgument, "malformed"},
		{"no JSON", typeJSON, "", []byte("{"), 400, codes.InvalidArgument, ""},
		{"no gzip", typeProto, "gzip", []byte("x"), 400, codes.InvalidArgument, "read the body"},
		{"gzip cut off", typeProto, "gzip", compressed(t, "gzip", large)[:500], 400, codes.InvalidArgument, "read the body"},
		{"no zstd", typeProto, "zstd", []byte("xxxxxxxx"), 400, codes.InvalidArgument, "read the body"},
		{"too large", typeProto, "", large, 413, codes.ResourceExhausted, "the limit is 1048576 bytes"},
		{"too large with gzip", typeProto, "gzip", compressed(t, "gzip", large), 413, codes.ResourceExhausted, "the limit is"},
		{"too large with zstd", typeJSON, "zstd", compressed(t, "zstd", large), 413, codes.ResourceExhausted, "the limit is"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for name, hide := range map[string]bool{"with length": false, "without": true} {
				synctest.Test(t, func(t *testing.T) {
					a := newApp(t, nil, "-otlp-max-body-mib", "1")
					var body io.Reader = bytes.NewReader(tt.body)
					if hide {
						body = streamed{body}
					}
					r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/logs", body)
					r.Header.Set("Content-Type", tt.media)
					r.Header.Set("Content-Encoding", tt.encoding)
					w := httptest.NewRecorder()
					a.ServeHTTP(w, r)
					assert.Equal(t, tt.want, w.Code, name)
					got := statusOf(t, w)
					assert.Equal(t, tt.code, codes.Code(got.GetCode()), name)
					assert.Contains(t, got.GetMessage(), tt.message, name)
					assert.Empty(t, w.Header().Get("Retry-After"), name)
					a.close(t)
					assert.Empty(t, a.fake.Calls(""))
				})
			}
		})
	}
}

// statusOf reads the body of an answer that is a failure.
func statusOf(t *testing.T, w *httptest.ResponseRecorder) *spb.Status {
	t.Helper()
	s := new(spb.Status)
	if w.Header().Get("Content-Type") == typeJSON {
		require.NoError(t, protojson.Unmarshal(w.Body.Bytes(), s))
	} else {
		require.NoError(t, proto.Unmarshal(w.Body.Bytes(), s))
	}
	return s
}

// A body of the largest size is taken.
func TestLargestBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, nil, "-otlp-max-body-mib", "1")
		logs := peers.Logs("large", 3)
		body := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body()
		text := strings.Repeat("x", 1<<20-100_000)
		body.SetStr(text)
		body.SetStr(text + strings.Repeat("y", 1<<20-len(telemetryOfLogs(t, logs).proto)))
		sent := telemetryOfLogs(t, logs)
		require.Len(t, sent.proto, 1<<20)
		w := a.post(t.Context(), "/v1/logs", sent.proto, "Content-Type", typeProto)
		assert.Equal(t, http.StatusOK, w.Code, w.Body)
		a.close(t)
		peers.RequireSameItems(t, sent.items, storedItems(t, a.fake, marshaler.Logs))
	})
}

// While nothing can be stored, a request that must be confirmed fails in time, and the client is told to try again.
func TestConfirmedFailsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, nil)
		repair := a.putRecords(kpltest.Break(kpltest.ConnectionReset))
		began := time.Now()
		w := a.postLogs(t.Context(), t, "sent", 10)
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		assert.LessOrEqual(t, time.Since(began), a.cfg.timeout)
		assert.Equal(t, "1", w.Header().Get("Retry-After"))
		assert.Equal(t, codes.Unavailable, codes.Code(statusOf(t, w).GetCode()))
		assert.Contains(t, statusOf(t, w).GetMessage(), "ConnectionError")

		repair()
		assert.Equal(t, http.StatusOK, a.postLogs(t.Context(), t, "sent", 10).Code)
		a.close(t)
		peers.RequireSameItems(t, peers.LogItems(t, peers.Logs("sent", 10)), storedItems(t, a.fake, marshaler.Logs))
	})
}

// A service that never answers does not hold up an answer either.
func TestConfirmedFailsInTimeThoughCallsHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, nil)
		a.putRecords(kpltest.Break(kpltest.ConnectionHangs))
		began := time.Now()
		w := a.post(t.Context(), "/v1/logs", newTelemetry(t, marshaler.Logs, "sent", 10).json, "Content-Type", typeJSON)
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		assert.Contains(t, statusOf(t, w).GetMessage(), "RequestTimeout")
		assert.LessOrEqual(t, time.Since(began), a.cfg.timeout)
		a.close(t)
	})
}

// When the memory is full, a request waits a second for room, and is then told to try again. A request that is waiting when
// room is there again succeeds.
func TestFullMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, nil, "-otlp-answer", accepted, "-otlp-max-body-mib", "4", "-otlp-memory-mib", "16")
		repair := a.putRecords(kpltest.Break(kpltest.ConnectionReset))
		body := newTelemetry(t, marshaler.Logs, "sent", 10_000).proto
		sent := 0
		for ; a.memory.unused() > len(body); sent++ {
			require.Equal(t, http.StatusOK, a.post(t.Context(), "/v1/logs", body, "Content-Type", typeProto).Code)
		}
		began := time.Now()
		w := a.post(t.Context(), "/v1/logs", body, "Content-Type", typeProto)
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		assert.Equal(t, "1", w.Header().Get("Retry-After"))
		assert.Contains(t, statusOf(t, w).GetMessage(), "the gateway has no room")
		assert.Equal(t, roomTime, time.Since(began))

		repair()
		for waiting := true; waiting; sent++ { // until the producer has tried again
			waiting = a.post(t.Context(), "/v1/logs", body, "Content-Type", typeProto).Code != http.StatusOK
			if waiting {
				sent--
			}
		}
		a.close(t)
		assert.Equal(t, 10_000*sent, storedLogRecords(t, a.fake))
		assert.Contains(t, a.log.String(), `"msg":"requests not taken","requests":1,"error":"the gateway has no room`)
		assert.NotContains(t, a.log.String(), "items not delivered")
	})
}

// A request holds memory for its messages, and for nothing else, until the last of them is delivered.
func TestMemoryOfARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, nil, "-otlp-answer", accepted)
		a.putRecords(kpltest.Latency(time.Second))
		require.Equal(t, http.StatusOK, a.postLogs(t.Context(), t, "sent", 1000).Code)
		free := a.memory.unused()
		a.close(t)
		held := requestOverhead
		for _, record := range a.fake.UserRecords(events) {
			held += len(record.Data) + messageOverhead
		}
		assert.Equal(t, a.cfg.memory-held, free)
	})
}

// What was accepted and is not delivered is counted in the log, at most once a second, without its content.
func TestLossesAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, nil, "-otlp-answer", accepted)
		a.putRecords(kpltest.FailCall(kpltest.CodeAccessDenied))
		for range 20 {
			require.Equal(t, http.StatusOK, a.postLogs(t.Context(), t, "marked", 100).Code)
		}
		a.close(t)
		items, lines := 0, strings.Split(strings.TrimSpace(a.log.String()), "\n")
		for _, line := range lines {
			var entry struct {
				Level, Msg, Error string
				Items             int
			}
			require.NoError(t, json.Unmarshal([]byte(line), &entry))
			assert.Equal(t, "ERROR items not delivered", entry.Level+" "+entry.Msg)
			assert.Contains(t, entry.Error, kpltest.CodeAccessDenied)
			items += entry.Items
		}
		assert.Equal(t, 2000, items)
		assert.LessOrEqual(t, len(lines), 3)
		assert.NotContains(t, a.log.String(), "marked")
	})
}

// A client that is gone holds no memory, unless its data is on its way.
func TestClientThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, func(c *config) { c.producer.MaxConnections = 1 })
		a.putRecords(kpltest.Latency(2 * time.Second))
		ctx, leave := context.WithCancel(t.Context())
		began := time.Now()
		var clients sync.WaitGroup
		post := func(status int, took time.Duration) {
			clients.Go(func() {
				assert.Equal(t, status, a.postLogs(ctx, t, "sent", 3).Code)
				assert.Equal(t, took, time.Since(began))
			})
			synctest.Wait()
		}
		post(http.StatusOK, 2*time.Second)
		post(http.StatusServiceUnavailable, 0)
		post(http.StatusServiceUnavailable, 0)
		leave()
		clients.Wait()
		a.close(t)
		assert.Len(t, storedItems(t, a.fake, marshaler.Logs), 3)
	})
}

func TestAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, answer := range []string{confirmed, accepted} {
			a := newApp(t, nil, "-otlp-answer", answer)
			a.close(t)
			w := a.postLogs(t.Context(), t, "late", 3)
			assert.Equal(t, http.StatusServiceUnavailable, w.Code)
			assert.Contains(t, statusOf(t, w).GetMessage(), "the producer is closed")
			a.close(t)
		}
	})
}

func TestKeysOfResources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, nil, "-kinesis-key-attributes", "service.name,missing", "-kinesis-compression", "zstd")
		require.Equal(t, http.StatusOK, a.postLogs(t.Context(), t, "sent", 30).Code)
		a.close(t)
		keys := map[string]bool{}
		for _, record := range a.fake.UserRecords(events) {
			keys[record.PartitionKey] = true
		}
		assert.Len(t, keys, 3, "one for each service")
		peers.RequireSameItems(t, peers.LogItems(t, peers.Logs("sent", 30)), storedItems(t, a.fake, marshaler.Logs))
		assert.Empty(t, a.log.String())
	})
}

// A name of an attribute that no resource has is logged, because it sends everything to one shard.
func TestKeysThatNoResourceHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, nil, "-kinesis-key-attributes", "servicename")
		require.Equal(t, http.StatusOK, a.postLogs(t.Context(), t, "sent", 30).Code)
		a.close(t)
		assert.Contains(t, a.log.String(), `"msg":"no resource has key attributes","requests":1,"error":"data without`)
	})
}

func TestHealthAndOtherRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, nil)
		get := func(method, path string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			a.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody))
			return w
		}
		w := get(http.MethodGet, "/health")
		assert.Equal(t, http.StatusOK, w.Code)
		assert.JSONEq(t, `{"ok":true,"outstanding_records":0,"free_bytes":67108864}`, w.Body.String())
		assert.Equal(t, http.StatusMethodNotAllowed, get(http.MethodGet, "/v1/logs").Code)
		assert.Equal(t, http.StatusNotFound, get(http.MethodPost, "/v1/profiles").Code)
		a.close(t)
	})
}
