//go:build unix

package kpl

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/gather"
)

// wireRequest is a request of one size.
type wireRequest struct{ records, bytes int }

func (r wireRequest) String() string { return fmt.Sprintf("%dx%d", r.records, r.bytes) }

func (r wireRequest) input() *kinesis.PutRecordsInput {
	in := &kinesis.PutRecordsInput{StreamName: aws.String(testStream)}
	for i := range r.records {
		data := make([]byte, r.bytes)
		for j := range data {
			data[j] = byte(i + j)
		}
		in.Records = append(in.Records, types.PutRecordsRequestEntry{
			Data: data, PartitionKey: aws.String(outerPartitionKey), ExplicitHashKey: aws.String(maxHashKey.String()),
		})
	}
	return in
}

// wireRequests are a request full of small aggregates, one of large ones, and one with an aggregate alone.
func wireRequests() []wireRequest { return []wireRequest{{500, 10_000}, {5, 1 << 20}, {1, 50_000}} }

// loopback returns the SDK's client for a server in this process that stores all records of such a request.
func loopback(tb testing.TB, size wireRequest) *kinesis.Client {
	tb.Helper()
	answer := []byte(usualAnswer(size.records))
	inCBOR, _ := asCBOR(usualAnswer(size.records), true)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		if r.Header.Get("Content-Type") == contentTypeCBOR {
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

// BenchmarkPutRecordsWire is a call from entries to entries over loopback, with each [WireProtocol]. The server's part, in
// the same process, is in the CPU time of all.
func BenchmarkPutRecordsWire(b *testing.B) {
	for _, size := range wireRequests() {
		in := size.input()
		inJSON, inCBOR := jsonWire(), cborWire()
		for _, variant := range []struct {
			name    string
			options []func(*kinesis.Options)
		}{
			{"sdk", []func(*kinesis.Options){callOptions}},
			{"json", []func(*kinesis.Options){callOptions, inJSON.speak}},
			{"cbor", []func(*kinesis.Options){callOptions, inCBOR.speak}},
		} {
			b.Run(size.String()+"/"+variant.name, func(b *testing.B) {
				client := loopback(b, size)
				b.SetBytes(int64(size.records * size.bytes))
				b.ReportAllocs()
				start := cpuTime(b)
				for b.Loop() {
					out, err := client.PutRecords(b.Context(), in, variant.options...)
					if err != nil || len(out.Records) != size.records {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(cpuTime(b)-start)/float64(time.Millisecond)/float64(b.N), "cpu-ms/op")
			})
		}
	}
}

// BenchmarkBody is the body of a request alone, hashed and then read as it is sent.
func BenchmarkBody(b *testing.B) {
	var body requestBody
	for _, size := range wireRequests() {
		in := size.input()
		for name, set := range map[string]func(*kinesis.PutRecordsInput){"json": body.setJSON, "cbor": body.setCBOR} {
			b.Run(size.String()+"/"+name, func(b *testing.B) {
				hash, piece := sha256.New(), make([]byte, 32<<10)
				b.SetBytes(int64(size.records * size.bytes))
				b.ReportAllocs()
				for b.Loop() {
					set(in)
					if _, err := body.WriteTo(hash); err != nil {
						b.Fatal(err)
					}
					body.rewind()
					for body.left > 0 {
						body.fill(piece)
					}
				}
			})
		}
	}
}

// BenchmarkAnswer is the answer about 500 records alone.
func BenchmarkAnswer(b *testing.B) {
	text := usualAnswer(MaxRecordsPerRequest)
	inCBOR, _ := asCBOR(text, true)
	for name, answer := range map[string][]byte{"json": []byte(text), "cbor": inCBOR} {
		b.Run(name, func(b *testing.B) {
			w := cborWire()
			b.SetBytes(int64(len(answer)))
			b.ReportAllocs()
			for b.Loop() {
				if !w.reads(name == "cbor", answer, MaxRecordsPerRequest) {
					b.Fatal("not the usual answer")
				}
			}
		})
	}
}

// BenchmarkUpload is a request of 5 MiB over TLS on loopback, with its TLS records by themselves and gathered. The server's
// part, in the same process, is in the CPU time of both.
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
