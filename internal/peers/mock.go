// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
)

// Stream is a stream of a [KinesisMock].
type Stream struct {
	Name   string
	Shards int
}

// KinesisMock is a running kinesis-mock. It has no shard limits and stores everything in memory. The more it stores, the
// slower it is, so tests store less than 10 MB.
type KinesisMock struct {
	// Endpoint is the URL without TLS. TLSEndpoint is the URL with TLS; its certificate is not trusted by this machine.
	Endpoint, TLSEndpoint string
	// Client is a client for Endpoint. It does not retry.
	Client *kinesis.Client
}

// The ports that kinesis-mock asks for. loopback.js gives it free ports instead.
const mockTLSPort, mockPlainPort = "4567", "4568"

// StartKinesisMock starts kinesis-mock on free ports of 127.0.0.1 and creates streams. It returns when the streams are active.
// kinesis-mock ends with the test.
func StartKinesisMock(t testing.TB, streams ...Stream) *KinesisMock {
	t.Helper()
	modules := filepath.Join("node_modules", "kinesis-local")
	cmd := node(t, "-r", "./loopback.js", filepath.Join(modules, "main.js"))
	cmd.Env = append(cmd.Environ(),
		"KINESIS_MOCK_TLS_PORT="+mockTLSPort, "KINESIS_MOCK_PLAIN_PORT="+mockPlainPort,
		"KINESIS_MOCK_CERT_PATH="+filepath.Join(modules, "server.json"),
		"SHARD_LIMIT=1000", "LOG_LEVEL=ERROR")
	for _, operation := range []string{
		"CREATE_STREAM", "DELETE_STREAM", "SPLIT_SHARD", "MERGE_SHARDS", "UPDATE_SHARD_COUNT",
	} {
		cmd.Env = append(cmd.Env, operation+"_DURATION=10ms")
	}
	stdin, err := cmd.StdinPipe() // kinesis-mock ends when its standard input does, so also when this process is killed.
	require.NoError(t, err)
	process := Start(t, cmd)
	t.Cleanup(func() { _ = stdin.Close() })

	ctx := Context(t)
	m := &KinesisMock{
		Endpoint:    "http://127.0.0.1:" + process.givenPort(ctx, t, mockPlainPort),
		TLSEndpoint: "https://127.0.0.1:" + process.givenPort(ctx, t, mockTLSPort),
	}
	m.Client = NewClient(t, m.Endpoint)
	Until(ctx, t, func() error { return healthy(ctx, m) })
	for _, s := range streams {
		m.CreateStream(ctx, t, s)
	}
	return m
}

// givenPort returns the port that loopback.js gave to a program in place of the port that the program asked for.
func (p *Process) givenPort(ctx context.Context, t testing.TB, asked string) string {
	t.Helper()
	prefix := "listening " + asked + " "
	port, ok := strings.CutPrefix(p.WaitLine(ctx, t, prefix), prefix)
	require.True(t, ok)
	return port
}

func healthy(ctx context.Context, m *KinesisMock) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.Endpoint+"/healthcheck", http.NoBody)
	if err != nil {
		return err
	}
	response, err := m.Client.Options().HTTPClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // It is empty.
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// CreateStream creates a stream and returns once it is active.
func (m *KinesisMock) CreateStream(ctx context.Context, t testing.TB, s Stream) {
	t.Helper()
	_, err := m.Client.CreateStream(ctx, &kinesis.CreateStreamInput{
		StreamName: &s.Name, ShardCount: aws.Int32(int32(s.Shards)), //nolint:gosec // Few.
	})
	require.NoError(t, err)
	m.WaitActive(ctx, t, s.Name)
}

// WaitActive waits until a stream is active. A stream is not active while it is created or its shards change.
func (m *KinesisMock) WaitActive(ctx context.Context, t testing.TB, stream string) {
	t.Helper()
	waitActive(ctx, t, m.Client, stream)
}

func waitActive(ctx context.Context, t testing.TB, client *kinesis.Client, stream string) {
	t.Helper()
	Until(ctx, t, func() error {
		out, err := client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &stream})
		if err == nil && out.StreamDescriptionSummary.StreamStatus != types.StreamStatusActive {
			err = fmt.Errorf("the stream is %s", out.StreamDescriptionSummary.StreamStatus)
		}
		return err
	})
}
