// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/pprofile/pprofileotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// profilesOf returns a profile with n samples, each of a function of its own.
func profilesOf(name string, n int) pprofile.Profiles {
	profiles := pprofile.NewProfiles()
	d := profiles.Dictionary()
	d.StringTable().Append("")
	d.FunctionTable().AppendEmpty()
	d.LocationTable().AppendEmpty()
	d.StackTable().AppendEmpty()
	resource := profiles.ResourceProfiles().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", name)
	profile := resource.ScopeProfiles().AppendEmpty().Profiles().AppendEmpty()
	for i := range n {
		d.StringTable().Append(functionName(name, i))
		d.FunctionTable().AppendEmpty().SetNameStrindex(int32(i + 1))
		d.LocationTable().AppendEmpty().Lines().AppendEmpty().SetFunctionIndex(int32(i + 1))
		d.StackTable().AppendEmpty().LocationIndices().Append(int32(i + 1))
		profile.Samples().AppendEmpty().SetStackIndex(int32(i + 1))
	}
	return profiles
}

func functionName(name string, i int) string { return fmt.Sprintf("%s.Function%0100d", name, i) }

// Profiles go through the whole collector: by gRPC and by HTTP, cut into several messages. Each sample arrives once and finds its
// function.
func TestProfilesArrive(t *testing.T) {
	k, endpoint := newKinesis(t, kpltest.Config{Seed: 1})
	c := startCollector(t, settings{
		kinesis:   endpoint,
		overrides: []string{"service::pipelines::profiles: {receivers: [otlp], exporters: [kinesis_kpl]}"},
		args:      []string{"--feature-gates=service.profilesSupport"},
	})
	const samples = 10_000 // more than a megabyte with the dictionary
	connection, err := grpc.NewClient(c.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	_, err = pprofileotlp.NewGRPCClient(connection).
		Export(peers.Context(t), pprofileotlp.NewExportRequestFromProfiles(profilesOf("grpc", samples)))
	require.NoError(t, err)

	body, err := pprofileotlp.NewExportRequestFromProfiles(profilesOf("http", samples)).MarshalProto()
	require.NoError(t, err)
	post, err := http.NewRequestWithContext(peers.Context(t), http.MethodPost, "http://"+c.http+"/v1development/profiles",
		bytes.NewReader(body))
	require.NoError(t, err)
	post.Header.Set("Content-Type", "application/x-protobuf")
	response, err := http.DefaultClient.Do(post)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)

	var found map[string]int
	peers.Until(peers.Context(t), t, func() error {
		if found = storedFunctions(t, k); len(found) < 2*samples {
			return fmt.Errorf("%d of %d samples are stored", len(found), 2*samples)
		}
		return nil
	})
	assert.Greater(t, len(k.UserRecords(stream)), 3)
	for _, name := range []string{"grpc", "http"} {
		for i := range samples {
			require.Equal(t, 1, found[functionName(name, i)])
		}
	}
	assert.Len(t, found, 2*samples)
}

// storedFunctions returns how often a reader of the stream gets a sample of each function.
func storedFunctions(t *testing.T, k *kpltest.Kinesis) map[string]int {
	t.Helper()
	require.Empty(t, k.DroppedAggregates(stream))
	copies := map[string]int{}
	for _, r := range k.UserRecords(stream) {
		profiles, err := new(pprofile.ProtoUnmarshaler).UnmarshalProfiles(r.Data)
		require.NoError(t, err)
		d := profiles.Dictionary()
		for _, resource := range profiles.ResourceProfiles().All() {
			for _, sample := range resource.ScopeProfiles().At(0).Profiles().At(0).Samples().All() {
				location := d.LocationTable().At(int(d.StackTable().At(int(sample.StackIndex())).LocationIndices().At(0)))
				function := d.FunctionTable().At(int(location.Lines().At(0).FunctionIndex()))
				copies[d.StringTable().At(int(function.NameStrindex()))]++
			}
		}
	}
	return copies
}
