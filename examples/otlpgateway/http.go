// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"os"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// The media types of OTLP/HTTP.
const (
	typeProto = "application/x-protobuf"
	typeJSON  = "application/json"
)

// idleTime is how long a connection may stay open without a request.
const idleTime = 2 * time.Minute

// newHTTPServer returns a server that waits for no client without end. It has no ReadTimeout, which would end the wait for a
// result as well: the handler limits the time for the body. WriteTimeout is that of the whole request, with the wait for a
// result.
func newHTTPServer(g *gateway, cfg config) *http.Server {
	return &http.Server{
		Handler:           newHandler(g, cfg.client),
		ReadHeaderTimeout: cfg.client,
		WriteTimeout:      cfg.grace + 2*cfg.client,
		IdleTimeout:       idleTime,
	}
}

// handler serves OTLP/HTTP.
type handler struct {
	*gateway

	patience      time.Duration // for a client that sends or reads
	decompressors decompressors
}

func newHandler(g *gateway, patience time.Duration) http.Handler {
	h := &handler{gateway: g, patience: patience}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/logs", h.export(marshaler.Logs))
	mux.HandleFunc("POST /v1/traces", h.export(marshaler.Traces))
	mux.HandleFunc("POST /v1/metrics", h.export(marshaler.Metrics))
	mux.HandleFunc("GET /health", h.health)
	return mux
}

// export serves requests of one signal.
func (h *handler) export(signal marshaler.Signal) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		media, err := mediaType(r)
		if err != nil {
			h.fail(w, typeProto, err)
			return
		}
		leased := &lease{budget: h.memory}
		body, err := h.body(w, r, leased)
		if err != nil {
			leased.release()
			h.fail(w, media, err)
			return
		}
		taken, err := h.store(r.Context(), request{signal, media == typeJSON, body, leased})
		if err != nil {
			h.fail(w, media, err)
			return
		}
		h.succeed(w, media, taken.response(signal))
	}
}

// mediaType returns the media type of a request. Its response has the same.
func mediaType(r *http.Request) (string, error) {
	found := r.Header.Get("Content-Type")
	media, _, err := mime.ParseMediaType(found)
	if err != nil || (media != typeProto && media != typeJSON) {
		return "", failure(codes.Unimplemented, fmt.Errorf("the Content-Type must be %s or %s, found %q", typeProto, typeJSON, found))
	}
	return media, nil
}

// body reads the body of a request. The client has a limited time to send it. The limit stays where the body is not read to its
// end, because the server reads the rest of it. Otherwise it is lifted: the wait for a result is not the client's.
func (h *handler) body(w http.ResponseWriter, r *http.Request, l *lease) (mem.Buffer, error) {
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(h.patience)) // a test's writer has no connection
	encoding := r.Header.Get("Content-Encoding")
	decoder := &lease{budget: h.memory}
	defer decoder.release()
	if err := decoder.grow(r.Context(), windowOf(encoding)); err != nil {
		return nil, h.failureOfBody(err)
	}
	plain, closePlain, err := h.decompressors.open(encoding, r.Body)
	if err != nil {
		return nil, h.failureOfBody(err)
	}
	defer closePlain()
	expected := int(max(r.ContentLength, 0))
	if expected > h.maxBody {
		return nil, h.failureOfBody(errBodyTooLarge)
	}
	if plain != r.Body {
		expected *= usualRatio
	}
	body, err := h.read(r.Context(), plain, expected, l)
	if err != nil {
		return nil, h.failureOfBody(err)
	}
	_ = connection.SetReadDeadline(time.Time{})
	return body, nil
}

// usualRatio is how often a compressed request fits into a plain one, in most cases.
const usualRatio = 6

// failureOfBody returns what a client is told about a body that could not be read.
func (g *gateway) failureOfBody(err error) error {
	switch {
	case errors.Is(err, errEncoding):
		return failure(codes.Unimplemented, err)
	case errors.Is(err, errBodyTooLarge):
		return failure(codes.ResourceExhausted, fmt.Errorf("%w: the limit is %d bytes, decompressed", err, g.maxBody))
	case errors.Is(err, errNoRoom):
		return g.retryable(err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return g.retryable(errSlowClient)
	}
	return failure(codes.InvalidArgument, fmt.Errorf("read the body: %w", err))
}

// httpStatus returns the HTTP status for a code. Of those, clients try again after 503 only.
func httpStatus(code codes.Code) int {
	switch code {
	case codes.InvalidArgument:
		return http.StatusBadRequest
	case codes.ResourceExhausted:
		return http.StatusRequestEntityTooLarge
	case codes.Unimplemented:
		return http.StatusUnsupportedMediaType
	default:
		return http.StatusServiceUnavailable
	}
}

func (h *handler) succeed(w http.ResponseWriter, media string, r response) {
	marshal := r.MarshalProto
	if media == typeJSON {
		marshal = r.MarshalJSON
	}
	body, err := marshal()
	h.answer(w, http.StatusOK, media, body, err)
}

// fail answers with a google.rpc.Status, as OTLP requires.
func (h *handler) fail(w http.ResponseWriter, media string, failed error) {
	s := status.Convert(failed)
	marshal := proto.Marshal
	if media == typeJSON {
		marshal = protojson.Marshal
	}
	if s.Code() == codes.Unavailable {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryTime.Seconds())))
	}
	body, err := marshal(s.Proto())
	h.answer(w, httpStatus(s.Code()), media, body, err)
}

func (h *handler) health(w http.ResponseWriter, _ *http.Request) {
	body, err := json.Marshal(map[string]any{
		"ok": true, "outstanding_records": h.producer.Stats().OutstandingRecords, "free_bytes": h.memory.unused(),
	})
	h.answer(w, http.StatusOK, typeJSON, body, err)
}

// answer sends an answer. The client has a limited time to take it.
func (h *handler) answer(w http.ResponseWriter, code int, media string, body []byte, err error) {
	if err != nil {
		code, body = http.StatusInternalServerError, nil
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(h.patience)) // a test's writer has no connection
	w.Header().Set("Content-Type", media)
	w.WriteHeader(code)
	_, _ = w.Write(body) // If the client is gone there is nobody to tell.
}
