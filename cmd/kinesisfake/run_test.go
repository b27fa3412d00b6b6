// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs the command and checks its first line. stop ends the command and returns what run returned.
func start(t *testing.T, args ...string) (url string, client *kinesis.Client, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"-listen", "127.0.0.1:0"}, args...), writer, io.Discard)
		writer.CloseWithError(errors.Join(io.EOF, err))
		ended <- err
	}()
	line, err := bufio.NewReader(reader).ReadString('\n')
	require.NoError(t, err)
	url, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "kinesisfake listens on ")
	require.True(t, ok, line)
	transport := &http.Transport{}
	t.Cleanup(func() { cancel(); transport.CloseIdleConnections() })
	client = kpltest.NewClient(url, transport)
	return url, client, func() error { cancel(); return <-ended }
}

// startTLS runs the command with -tls and returns its address and the certificates in the file that its output names.
func startTLS(t *testing.T, args ...string) (address, file string, roots *x509.CertPool, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"-listen", "127.0.0.1:0", "-tls"}, args...), writer, io.Discard)
		writer.CloseWithError(errors.Join(io.EOF, err))
		ended <- err
	}()
	t.Cleanup(cancel)
	lines := bufio.NewReader(reader)
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "kinesisfake listens on https://")
	require.True(t, ok, line)
	line, err = lines.ReadString('\n')
	require.NoError(t, err)
	var rest sync.WaitGroup
	for !strings.HasPrefix(line, "Its certificate is in ") {
		line, err = lines.ReadString('\n')
		require.NoError(t, err)
	}
	rest.Go(func() { _, _ = io.Copy(io.Discard, lines) })
	file = strings.Fields(line)[4]
	certificate, err := os.ReadFile(file)
	require.NoError(t, err)
	roots = x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(certificate))
	return address, file, roots, func() error { cancel(); rest.Wait(); return <-ended }
}

// Clients that trust the certificate reach the server by HTTP/1.1 and by HTTP/2, negotiated or not.
func TestRunServesTLS(t *testing.T) {
	address, file, roots, stop := startTLS(t, "-stream", "events:1")
	for name, test := range map[string]struct {
		offered []string // in the handshake
		http2   bool
	}{
		"HTTP/1.1":             {nil, false},
		"HTTP/2":               {[]string{"h2"}, true},
		"HTTP/2, not in hello": {nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			dialer := &tls.Dialer{Config: &tls.Config{RootCAs: roots, NextProtos: test.offered, MinVersion: tls.VersionTLS12}}
			transport := &http.Transport{Protocols: new(http.Protocols)}
			transport.Protocols.SetHTTP1(!test.http2)
			transport.Protocols.SetUnencryptedHTTP2(test.http2) // over a connection that is encrypted without its knowledge
			transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := dialer.DialContext(ctx, network, address)
				return struct{ net.Conn }{conn}, err
			}
			defer transport.CloseIdleConnections()
			client := kpltest.NewClient("http://"+address, transport)
			assert.Equal(t, int32(0), *put(t, client, "events", 2, 1).FailedRecordCount)
		})
	}

	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+"/healthz", http.NoBody)
	require.NoError(t, err)
	response, err := transport.RoundTrip(request)
	if err == nil {
		_ = response.Body.Close()
	}
	require.ErrorContains(t, err, "certificate signed by unknown authority")

	require.NoError(t, stop())
	assert.NoFileExists(t, file)
}

// AWS's SDK for Java speaks HTTP/2 without TLS, and does not ask before.
func TestRunServesUnencryptedHTTP2(t *testing.T) {
	url, _, stop := start(t, "-stream", "events:1")
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/healthz", http.NoBody)
	require.NoError(t, err)
	response, err := transport.RoundTrip(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, 2, response.ProtoMajor)
	assert.Equal(t, int32(0), *put(t, kpltest.NewClient(url, transport), "events", 2, 1).FailedRecordCount)
	require.NoError(t, stop())
}

// put puts n records with data of size bytes into one shard.
func put(t *testing.T, client *kinesis.Client, stream string, n, size int) *kinesis.PutRecordsOutput {
	t.Helper()
	in := &kinesis.PutRecordsInput{StreamName: &stream}
	for range n {
		in.Records = append(in.Records, types.PutRecordsRequestEntry{Data: make([]byte, size), PartitionKey: aws.String("a")})
	}
	out, err := client.PutRecords(t.Context(), in)
	require.NoError(t, err)
	return out
}

func TestRunServes(t *testing.T) {
	url, client, stop := start(t,
		"-stream", "events:4", "-stream", "logs:1", "-account", "123456789012", "-region", "eu-west-1")
	assert.Equal(t, int32(0), *put(t, client, "events", 500, 1).FailedRecordCount)
	summary, err := client.DescribeStreamSummary(t.Context(),
		&kinesis.DescribeStreamSummaryInput{StreamName: aws.String("events")})
	require.NoError(t, err)
	assert.Equal(t, "arn:aws:kinesis:eu-west-1:123456789012:stream/events", *summary.StreamDescriptionSummary.StreamARN)
	assert.Equal(t, int32(4), *summary.StreamDescriptionSummary.OpenShardCount)
	streams, err := client.ListStreams(t.Context(), &kinesis.ListStreamsInput{})
	require.NoError(t, err)
	assert.Equal(t, []string{"events", "logs"}, streams.StreamNames)

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/healthz", http.NoBody)
	require.NoError(t, err)
	response, err := client.Options().HTTPClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, http.StatusOK, response.StatusCode)
	require.NoError(t, stop())
}

func TestRunLimits(t *testing.T) {
	_, client, stop := start(t, "-stream", "events:1", "-limits")
	// One request has more than the shard accepts in a second, so it does not matter how fast the machine is.
	out := put(t, client, "events", 2, 600<<10)
	assert.Equal(t, int32(1), *out.FailedRecordCount)
	require.NoError(t, stop())
}

func TestRunThrottles(t *testing.T) {
	_, client, stop := start(t, "-stream", "events:1", "-throttle", "0.5")
	out := put(t, client, "events", 500, 1)
	assert.InDelta(t, 250, *out.FailedRecordCount, 100)
	require.NoError(t, stop())
}

func TestRunDelays(t *testing.T) {
	_, client, stop := start(t, "-stream", "events:1", "-latency", "30ms")
	began := time.Now()
	put(t, client, "events", 1, 1)
	assert.GreaterOrEqual(t, time.Since(began), 30*time.Millisecond)
	require.NoError(t, stop())
}

// tellingListener closes a channel when it is closed. The server closes it once, when the server stops.
type tellingListener struct {
	net.Listener
	closed chan struct{}
}

func (l tellingListener) Close() error {
	defer close(l.closed)
	return l.Listener.Close()
}

// serving serves handler. stop ends that and returns what serve returned.
func serving(
	t *testing.T, drain time.Duration, handler http.HandlerFunc,
) (listener tellingListener, stop func() error) {
	t.Helper()
	inner, err := listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	listener = tellingListener{inner, make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, listener, handler, drain) }()
	return listener, func() error { cancel(); return <-ended }
}

// get calls an address once and returns the body of the answer.
func get(ctx context.Context, address string) (string, error) {
	transport := &http.Transport{DisableKeepAlives: true}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func TestServeAnswersCallsInFlight(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	listener, stop := serving(t, time.Hour, func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		_, _ = io.WriteString(w, "done")
	})
	var caller sync.WaitGroup
	caller.Go(func() {
		body, err := get(t.Context(), listener.Addr().String())
		assert.NoError(t, err)
		assert.Equal(t, "done", body)
	})
	<-arrived
	var server sync.WaitGroup
	server.Go(func() { assert.NoError(t, stop()) })
	<-listener.closed
	close(release)
	caller.Wait()
	server.Wait()
}

func TestServeGivesUpOnCallsThatHang(t *testing.T) {
	arrived := make(chan struct{})
	listener, stop := serving(t, time.Millisecond, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})
	var caller sync.WaitGroup
	caller.Go(func() {
		_, err := get(t.Context(), listener.Addr().String())
		assert.ErrorIs(t, err, io.EOF)
	})
	<-arrived
	require.NoError(t, stop())
	caller.Wait()
}

func TestRunRejects(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"another flag", []string{"-x"}, "flag provided but not defined"},
		{"an argument", []string{"events"}, `unexpected argument "events"`},
		{"an address of another machine", []string{"-listen", "192.0.2.1:0"}, "-listen: "},
		{"no address", []string{"-listen", "x"}, "-listen: "},
		{"stream without shards", []string{"-stream", "events"}, "must be name:shards"},
		{"stream with no shards", []string{"-stream", "events:0"}, "must be name:shards"},
		{"stream with too many shards", []string{"-stream", "events:10001"}, "must be name:shards"},
		{"stream without a name", []string{"-stream", ":1"}, "no stream name"},
		{"stream twice", []string{"-stream", "a:1", "-stream", "a:2"}, "already exists"},
		{"throttle over 1", []string{"-throttle", "1.5"}, "-throttle must be from 0 to 1"},
		{"throttle not a number", []string{"-throttle", "nan"}, "-throttle must be from 0 to 1"},
		{"negative latency", []string{"-latency", "-1s"}, "-latency must not be negative"},
		{"latency without a unit", []string{"-latency", "20"}, "-latency: has no unit: write 20ms or 20s"},
		{"latency is no time", []string{"-latency", "fast"}, "-latency: time: invalid duration"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var printed strings.Builder
			require.ErrorContains(t, run(t.Context(), tt.args, &printed, &printed), tt.want)
			assert.Empty(t, printed.String(), "main prints the error, and nobody requested the usage")
		})
	}
}

func TestHelp(t *testing.T) {
	for _, flagName := range []string{"-h", "-help", "--help"} {
		var stdout, stderr strings.Builder
		require.ErrorIs(t, run(t.Context(), []string{flagName}, &stdout, &stderr), flag.ErrHelp)
		assert.Contains(t, stdout.String(), "-stream name:shards")
		assert.Empty(t, stderr.String())
	}
}

// What the server prints is enough to reach it: the endpoint, the region and credentials.
func TestAnnouncement(t *testing.T) {
	const url = "http://127.0.0.1:4567"
	o, err := parse([]string{"-region", "eu-west-1"}, io.Discard)
	require.NoError(t, err)
	text := announcement(url, o)
	assert.True(t, strings.HasPrefix(text, "kinesisfake listens on "+url+"\n"))
	assert.Contains(t, text, "  export AWS_ENDPOINT_URL_KINESIS="+url+"\n")
	assert.Contains(t, text, "  export AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any\n")
	assert.Contains(t, text, "aws::insecure: true")
	assert.Contains(t, text, "There is no stream yet")

	o, err = parse([]string{"-tls", "-stream", "events:1"}, io.Discard)
	require.NoError(t, err)
	text = announcement("https://127.0.0.1:4567", o)
	assert.NotContains(t, text, "insecure")
	assert.NotContains(t, text, "no stream")
}

// An SDK needs nothing but the variables that the server prints.
func TestPrintedVariablesAreEnough(t *testing.T) {
	url, _, stop := start(t, "-stream", "events:1")
	o, err := parse(nil, io.Discard)
	require.NoError(t, err)
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		t.Setenv(name, os.DevNull)
	}
	for line := range strings.Lines(announcement(url, o)) {
		variables, is := strings.CutPrefix(line, "  export ")
		for variable := range strings.FieldsSeq(variables) {
			if name, value, set := strings.Cut(variable, "="); is && set {
				t.Setenv(name, value)
			}
		}
	}
	once := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.DisableKeepAlives = true })
	cfg, err := awsconfig.LoadDefaultConfig(t.Context(), awsconfig.WithHTTPClient(once))
	require.NoError(t, err)
	streams, err := kinesis.NewFromConfig(cfg).ListStreams(t.Context(), &kinesis.ListStreamsInput{})
	require.NoError(t, err)
	assert.Equal(t, []string{"events"}, streams.StreamNames)
	require.NoError(t, stop())
}

// In a container the server listens on all interfaces. It warns, and names an address that works here.
func TestOtherMachinesMayReachIt(t *testing.T) {
	var warning strings.Builder
	loopback, all := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, &net.TCPAddr{IP: net.IPv6unspecified, Port: 1}
	warnOfAddress(loopback, &warning)
	assert.Empty(t, warning.String())
	warnOfAddress(all, &warning)
	assert.Contains(t, warning.String(), "warning: other machines may reach [::]:1")
	assert.Equal(t, "127.0.0.1:1", reachable(loopback))
	assert.Equal(t, "127.0.0.1:1", reachable(all))

	listener, err := listen(t.Context(), ":0")
	require.NoError(t, err)
	assert.True(t, listener.Addr().(*net.TCPAddr).IP.IsUnspecified())
	require.NoError(t, listener.Close())
}

func TestRunFailsIfTheAddressIsTaken(t *testing.T) {
	url, _, stop := start(t)
	err := run(t.Context(), []string{"-listen", strings.TrimPrefix(url, "http://")}, io.Discard, io.Discard)
	require.ErrorContains(t, err, "address already in use")
	require.NoError(t, stop())
}
