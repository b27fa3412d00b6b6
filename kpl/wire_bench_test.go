// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package kpl

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/gather"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/wire"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/wire/wiretest"
)

// loopback returns the SDK's client for a server in this process that stores all records of such a request.
func loopback(tb testing.TB, size wiretest.Size) *kinesis.Client {
	tb.Helper()
	answer := []byte(wiretest.UsualAnswer(size.Records))
	inCBOR, _ := wiretest.AsCBOR(wiretest.UsualAnswer(size.Records), true)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		if r.Header.Get("Content-Type") == wiretest.ContentTypeCBOR {
			_, _ = w.Write(inCBOR)
		} else {
			_, _ = w.Write(answer)
		}
	}))
	tb.Cleanup(server.Close)
	transport := &http.Transport{}
	tb.Cleanup(transport.CloseIdleConnections)
	return kinesis.New(kinesis.Options{
		Region:       "us-east-1",
		BaseEndpoint: &server.URL,
		HTTPClient:   &http.Client{Transport: transport},
		Credentials:  credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
}

// cpuTime is what this process has used, user and system.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var usage syscall.Rusage
	require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkPutRecordsWire measures a call over loopback, from the entries of the request to the entries of the answer, with
// each [WireProtocol]. The server runs in the same process, so its CPU time is included.
func BenchmarkPutRecordsWire(b *testing.B) {
	for _, size := range wiretest.Sizes() {
		in := size.Input()
		inJSON := wire.NewProtocol(wire.NewEncoding(false, unrelatedToEncoding))
		inCBOR := wire.NewProtocol(wire.NewEncoding(true, unrelatedToEncoding))
		for _, variant := range []struct {
			name    string
			options []func(*kinesis.Options)
		}{
			{"sdk", []func(*kinesis.Options){callOptions}},
			{"json", []func(*kinesis.Options){callOptions, inJSON.Install}},
			{"cbor", []func(*kinesis.Options){callOptions, inCBOR.Install}},
		} {
			b.Run(size.String()+"/"+variant.name, func(b *testing.B) {
				client := loopback(b, size)
				b.SetBytes(int64(size.Records * size.Bytes))
				b.ReportAllocs()
				start := cpuTime(b)
				for b.Loop() {
					out, err := client.PutRecords(b.Context(), in, variant.options...)
					if err != nil || len(out.Records) != size.Records {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(cpuTime(b)-start)/float64(time.Millisecond)/float64(b.N), "cpu-ms/op")
			})
		}
	}
}

// BenchmarkUpload measures a request of 5 MiB over TLS on loopback, with TLS records that are written one by one and with
// gathered ones. The server runs in the same process, so its CPU time is included.
func BenchmarkUpload(b *testing.B) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer server.Close()
	body := make([]byte, 5<<20)
	for name, wrap := range map[string]func(*http.Transport) http.RoundTripper{
		"plain":    func(t *http.Transport) http.RoundTripper { return t },
		"gathered": func(t *http.Transport) http.RoundTripper { return gather.NewTransport(t) },
	} {
		b.Run(name, func(b *testing.B) {
			transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
			client := http.Client{Transport: wrap(transport)}
			defer transport.CloseIdleConnections()
			b.SetBytes(int64(len(body)))
			start := cpuTime(b)
			for b.Loop() {
				r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL, bytes.NewReader(body))
				require.NoError(b, err)
				answer, err := client.Do(r)
				require.NoError(b, err)
				require.NoError(b, answer.Body.Close())
			}
			b.ReportMetric(float64(cpuTime(b)-start)/float64(time.Millisecond)/float64(b.N), "cpu-ms/op")
		})
	}
}
