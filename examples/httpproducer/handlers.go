// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// event is the body of a POST.
type event struct {
	PartitionKey string          `json:"partition_key"`
	Payload      json.RawMessage `json:"payload"`
}

// confirmation says where an event is stored.
type confirmation struct {
	ShardID        kpl.ShardID `json:"shard_id"`
	SequenceNumber string      `json:"sequence_number"`
	Attempts       int         `json:"attempts"`
}

// acceptance is the answer to an event that the producer holds.
type acceptance struct {
	Accepted bool `json:"accepted"`
}

// problem is the answer to a request that failed.
type problem struct {
	Detail any `json:"detail"` // failure or rejection
}

// failure says why an event was accepted and not delivered.
type failure struct {
	ErrorCode    string `json:"error_code"` // of the last attempt; the outcome if the service gave none
	ErrorMessage string `json:"error_message"`
	Attempts     int    `json:"attempts"`
}

// rejection says why a request was not accepted.
type rejection struct {
	ErrorMessage string `json:"error_message"`
}

type health struct {
	OK                 bool `json:"ok"`
	OutstandingRecords int  `json:"outstanding_records"`
}

// envelope is more than a partition key and the JSON around it and the payload take, in bytes.
const envelope = 4 << 10

type handler struct {
	producer *kpl.Producer
	stream   string
	maxBody  int           // bytes
	patience time.Duration // for a client that sends or reads
	logger   *slog.Logger
}

func newHandler(producer *kpl.Producer, cfg config, metrics http.Handler, logger *slog.Logger) http.Handler {
	h := &handler{producer, cfg.stream, cfg.producer.WithDefaults().MaxRecordSize + envelope, cfg.client, logger}
	mux := http.NewServeMux()
	route := func(method, path string, handle http.Handler) {
		mux.Handle(method+" "+path, handle)
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", method)
			h.answer(w, http.StatusMethodNotAllowed, problem{rejection{"the method must be " + method}})
		})
	}
	route(http.MethodPost, "/events", http.HandlerFunc(h.accept))
	route(http.MethodPost, "/events/confirmed", http.HandlerFunc(h.confirm))
	route(http.MethodGet, "/health", http.HandlerFunc(h.health))
	route(http.MethodGet, "/metrics", metrics)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		h.answer(w, http.StatusNotFound, problem{rejection{"there is nothing at this path"}})
	})
	return mux
}

// accept answers as soon as the producer holds the event.
func (h *handler) accept(w http.ResponseWriter, r *http.Request) {
	record, err := h.record(w, r)
	if err == nil {
		err = h.producer.Put(r.Context(), record, func(result kpl.Result) { h.log(record.PartitionKey, result) })
	}
	if err != nil {
		h.reject(w, err)
		return
	}
	h.answer(w, http.StatusAccepted, acceptance{true})
}

// confirm answers when it is known what became of the event.
func (h *handler) confirm(w http.ResponseWriter, r *http.Request) {
	record, err := h.record(w, r)
	if err != nil {
		h.reject(w, err)
		return
	}
	result, err := h.producer.PutWait(r.Context(), record)
	if err == nil {
		h.answer(w, http.StatusOK, confirmation{result.ShardID, result.SequenceNumber, len(result.Attempts)})
	} else if f, failed := failureOf(err); failed {
		h.answer(w, http.StatusBadGateway, problem{f})
	} else {
		h.reject(w, err)
	}
}

func (h *handler) health(w http.ResponseWriter, _ *http.Request) {
	h.answer(w, http.StatusOK, health{OK: true, OutstandingRecords: h.producer.Stats().OutstandingRecords})
}

// record reads the user record that a request brings. The client has a limited time to send it. The limit stays where the body
// is not read to its end, because the server reads the rest of it. Otherwise it is lifted: the wait for a result is not the
// client's.
func (h *handler) record(w http.ResponseWriter, r *http.Request) (kpl.UserRecord, error) {
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(h.patience)) // a test's writer has no connection
	var e event
	if err := decode(http.MaxBytesReader(w, r.Body, int64(h.maxBody)), &e); err != nil {
		return kpl.UserRecord{}, fmt.Errorf("the body must be one JSON object of at most %d bytes: %w", h.maxBody, err)
	}
	_ = connection.SetReadDeadline(time.Time{})
	if e.Payload == nil {
		return kpl.UserRecord{}, errors.New("the event has no payload")
	}
	return kpl.UserRecord{Stream: h.stream, PartitionKey: e.PartitionKey, Data: e.Payload}, nil
}

// decode reads an event and nothing else. Clients may send fields that the program does not know.
func decode(body io.Reader, e *event) error {
	decoder := json.NewDecoder(body)
	if err := decoder.Decode(e); err != nil {
		return err
	}
	switch _, err := decoder.Token(); {
	case err == nil:
		return errors.New("more follows the event")
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

// log notes an event that was answered with 202 and not delivered.
func (h *handler) log(partitionKey string, result kpl.Result) {
	if f, failed := failureOf(result.Err); failed {
		h.logger.Error("event not delivered", "partition_key", partitionKey,
			"error_code", f.ErrorCode, "error_message", f.ErrorMessage, "attempts", f.Attempts)
	}
}

// failureOf reports whether a record was accepted and not delivered, and why.
func failureOf(err error) (failure, bool) {
	var e *kpl.RecordError
	if !errors.As(err, &e) || e.Cause != nil {
		return failure{}, false
	}
	return failure{cmp.Or(e.Code, e.Outcome.String()), e.Error(), e.Attempts}, true
}

// reject answers a request whose event was not accepted, or whose client stopped waiting. That one gets an answer too:
// none would read as 200 if somebody still listens.
func (h *handler) reject(w http.ResponseWriter, err error) {
	status := http.StatusUnprocessableEntity
	var body *http.MaxBytesError
	switch {
	case errors.As(err, &body), errors.Is(err, kpl.ErrRecordTooLarge):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		status = http.StatusRequestTimeout
	case errors.Is(err, kpl.ErrClosed), errors.Is(err, context.Canceled):
		status = http.StatusServiceUnavailable
	}
	h.answer(w, status, problem{rejection{err.Error()}})
}

// answer gives the client time to take an answer, and writes it.
func (h *handler) answer(w http.ResponseWriter, status int, body any) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(h.patience)) // a test's writer has no connection
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // If the client is gone there is nobody to tell.
}
