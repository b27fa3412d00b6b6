// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/wire"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/wire/wiretest"
)

// lateConn is a connection whose writes return a while after the other side has read what was written. Its errors are
// those of TCP.
type lateConn struct{ net.Conn }

func (c lateConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, io.ErrClosedPipe) {
		err = &net.OpError{Op: "read", Net: "tcp", Err: net.ErrClosed}
	}
	return n, err
}

func (c lateConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	sleepUntil(context.Background(), time.Now().Add(time.Millisecond))
	return n, err
}

// pipes is a network between a client and a server in one bubble.
type pipes chan net.Conn

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	p <- theirs
	return lateConn{ours}, nil
}

// Accept implements [net.Listener].
func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

// Close implements [net.Listener].
func (p pipes) Close() error { close(p); return nil }

// Addr implements [net.Listener].
func (p pipes) Addr() net.Addr { return &net.IPAddr{} }

// The head of the answer is there before the client's last write has returned, and the rest of the answer after that. With
// the SDK's own body, net/http then drops the connection, and the SDK sends again what is stored. With the bodies of the
// producer, no answer is lost, with every [WireProtocol].
func TestAnAnswerDuringTheLastWriteIsNotLost(t *testing.T) {
	overNewHTTPClient := func(o *kinesis.Options) {
		sdks, ok := o.HTTPClient.(*http.Client)
		require.True(t, ok)
		o.HTTPClient = NewHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
			transport, ok := sdks.Transport.(*http.Transport)
			require.True(t, ok)
			tr.DialContext = transport.DialContext
		}), 1)
	}
	install := func(tryCBOR bool) func(*kinesis.Options) {
		return wire.NewProtocol(wire.NewEncoding(tryCBOR, unrelatedToEncoding)).Install
	}
	for _, tt := range []struct {
		name    string
		options []func(*kinesis.Options)
		stored  int
		lost    bool
	}{
		{name: "the SDK's body", stored: 3, lost: true},
		{name: "the SDK's body over NewHTTPClient", options: []func(*kinesis.Options){overNewHTTPClient}, stored: 1},
		{name: "hidden", options: []func(*kinesis.Options){callOptions}, stored: 1},
		{name: "in JSON", options: []func(*kinesis.Options){callOptions, install(false)}, stored: 1},
		{name: "in CBOR", options: []func(*kinesis.Options){callOptions, install(true)}, stored: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var stored atomic.Int64
				network := make(pipes)
				server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if _, err := io.Copy(io.Discard, r.Body); err != nil {
						return
					}
					stored.Add(1)
					w.WriteHeader(http.StatusOK)
					assert.NoError(t, http.NewResponseController(w).Flush())
					sleepUntil(t.Context(), time.Now().Add(time.Second))
					_, _ = io.WriteString(w, wiretest.UsualAnswer(1)) // the connection may be closed
				})}
				served := make(chan error)
				go func() { served <- server.Serve(network) }()
				transport := &http.Transport{DialContext: network.dial}
				client := kinesis.New(kinesis.Options{
					Region:       "us-east-1",
					BaseEndpoint: aws.String("http://kinesis.invalid"),
					HTTPClient:   &http.Client{Transport: transport},
					Credentials:  credentials.NewStaticCredentialsProvider("id", "secret", ""),
				})
				_, err := client.PutRecords(t.Context(), &kinesis.PutRecordsInput{
					StreamName: aws.String(testStream),
					Records:    []types.PutRecordsRequestEntry{{Data: []byte("data"), PartitionKey: aws.String("key")}},
				}, tt.options...)
				assert.Equal(t, int64(tt.stored), stored.Load())
				assert.Equal(t, tt.lost, err != nil, err)
				transport.CloseIdleConnections()
				require.NoError(t, server.Close())
				require.ErrorIs(t, <-served, http.ErrServerClosed)
			})
		})
	}
}
