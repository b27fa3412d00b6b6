// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package sink stands in for Kinesis in measurements. It answers as the service does, counts, and stores nothing.
package sink

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/result"
)

// ControlPath is where the counts are: GET returns them as JSON, DELETE sets them to zero.
const ControlPath = "/counts"

// putUnit is the size of a PUT payload unit in bytes, see the prices of Kinesis.
const putUnit = 25_600

// Sink serves every stream, whatever its name. All streams have the same shards.
type Sink struct {
	Delay time.Duration // how long each PutRecords call waits
	TLS   *tls.Config   // nil without TLS

	shards  shards
	stream  []byte // the answer to DescribeStream
	summary []byte // the answer to DescribeStreamSummary
	list    []byte // the answer to ListShards

	buffers sync.Pool // of *buffers

	calls, records, bytes, units, wire atomic.Int64
}

// New returns a sink with a number of shards, from 1 to 1,000.
func New(count int) *Sink {
	s := &Sink{shards: newShards(count)}
	s.buffers.New = func() any { return new(buffers) }
	const description = `"HasMoreShards":false,"StreamARN":"arn:aws:kinesis:us-west-2:123456789012:stream/bench",` +
		`"StreamName":"bench","StreamStatus":"ACTIVE","RetentionPeriodHours":24,"EnhancedMonitoring":[],` +
		`"StreamCreationTimestamp":1.79e9`
	s.list = fmt.Appendf(nil, `{"Shards":%s}`, s.shards.list)
	s.stream = fmt.Appendf(nil, `{"StreamDescription":{%s,"Shards":%s}}`, description, s.shards.list)
	s.summary = fmt.Appendf(nil, `{"StreamDescriptionSummary":{%s,"OpenShardCount":%d,"ConsumerCount":0,`+
		`"MaxRecordSizeInKiB":1024}}`, description, count)
	return s
}

// Serve answers calls until listener is closed, and returns the error of the closed listener.
func (s *Sink) Serve(listener net.Listener) error {
	server := &http.Server{Handler: s} //nolint:gosec // no client on loopback is slow on purpose
	listener = countingListener{listener, &s.wire}
	if s.TLS != nil {
		listener = tls.NewListener(listener, s.TLS)
	}
	return server.Serve(listener)
}

// Counts returns what has been sent since the last reset.
func (s *Sink) Counts() result.Counts {
	return result.Counts{
		Calls: int(s.calls.Load()), Records: int(s.records.Load()), Bytes: int(s.bytes.Load()),
		PutUnits: int(s.units.Load()), Wire: int(s.wire.Load()),
	}
}

func (s *Sink) reset() {
	for _, count := range []*atomic.Int64{&s.calls, &s.records, &s.bytes, &s.units, &s.wire} {
		count.Store(0)
	}
}

// ServeHTTP answers one call.
func (s *Sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == ControlPath {
		if r.Method == http.MethodDelete {
			s.reset()
		}
		if err := json.NewEncoder(w).Encode(s.Counts()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
		return
	}
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	w.Header().Set("X-Amzn-Requestid", "7e2f5f9c-3a3e-11f1-8de9-0242ac120002")
	target := r.Header.Get("X-Amz-Target")
	switch target[strings.IndexByte(target, '.')+1:] {
	case "PutRecords":
		s.putRecords(w, r)
	case "ListShards":
		write(w, s.list)
	case "DescribeStream":
		write(w, s.stream)
	case "DescribeStreamSummary":
		write(w, s.summary)
	default:
		http.Error(w, `{"__type":"UnknownOperationException"}`, http.StatusBadRequest)
	}
}

// write writes an answer. It ignores errors, which mean that the client is gone.
func write(w http.ResponseWriter, answer []byte) { _, _ = w.Write(answer) }

// buffers holds a request and its answer.
type buffers struct{ request, answer []byte }

func (s *Sink) putRecords(w http.ResponseWriter, r *http.Request) {
	b := s.buffers.Get().(*buffers)
	defer s.buffers.Put(b)
	size := max(int(r.ContentLength), 0)
	if cap(b.request) < size {
		b.request = make([]byte, size)
	}
	b.request = b.request[:size]
	if _, err := io.ReadFull(r.Body, b.request); err != nil {
		return // the client is gone
	}
	var err error
	e := encodingOf(r.Header.Get("Content-Type"))
	b.answer, err = s.answer(b.answer[:0], b.request, e)
	if err != nil {
		http.Error(w, `{"__type":"SerializationException"}`, http.StatusBadRequest)
		return
	}
	if s.Delay > 0 {
		timer := time.NewTimer(s.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		}
	}
	write(w, b.answer)
}

// answer appends the answer to a PutRecords call, and counts what is in it.
func (s *Sink) answer(answer, request []byte, in encoding) ([]byte, error) {
	var counts result.Counts
	answer = append(answer, in.start...)
	err := in.eachRecord(request, func(e entry) error {
		shard, err := s.shards.of(e)
		if err != nil {
			return err
		}
		if counts.Records > 0 {
			answer = append(answer, in.between...)
		}
		answer = append(answer, in.record...)
		answer = append(answer, shard...)
		answer = append(answer, in.recordEnd...)
		size := in.dataSize(e.data) + len(e.partitionKey)
		counts.Records++
		counts.Bytes += size
		counts.PutUnits += (size + putUnit - 1) / putUnit
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.calls.Add(1)
	s.records.Add(int64(counts.Records))
	s.bytes.Add(int64(counts.Bytes))
	s.units.Add(int64(counts.PutUnits))
	return append(answer, in.end...), nil
}

// countingListener counts the bytes that come in over its connections.
type countingListener struct {
	net.Listener

	count *atomic.Int64
}

// Accept waits for a connection.
func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return countingConn{conn, l.count}, err
}

type countingConn struct {
	net.Conn

	count *atomic.Int64
}

// Read reads and counts.
func (c countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.count.Add(int64(n))
	return n, err
}
