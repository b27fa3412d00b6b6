// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// startReal starts an exporter with the client that collectors have.
func startReal(t *testing.T, c *Config) *rig {
	t.Helper()
	e := newRig(t, NewFactory(), c)
	require.NoError(t, e.Start(t.Context(), e.host))
	t.Cleanup(func() { e.stop(t) })
	return e
}

func TestClientOverHTTP(t *testing.T) {
	k := newTestKinesis(2)
	service := k.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Contains(t, r.Header.Get("Authorization"), "/us-east-1/kinesis/aws4_request")
		assert.Equal(t, 1, r.ProtoMajor)
		service.ServeHTTP(w, r)
	}))
	defer server.Close()
	c := directConfig()
	c.AWS.Endpoint, c.AWS.Insecure = server.URL, true
	e := startReal(t, c)
	require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a", "b")))
	assert.ElementsMatch(t, []string{"a", "b"}, storedBodies(t, k))
}

// An endpoint that does not support CBOR gets everything in JSON.
func TestClientOfAnEndpointWithoutCBOR(t *testing.T) {
	k := kpltest.New(kpltest.Config{JSONOnly: true}, kpltest.Stream{Name: testStream, Shards: 2})
	service := k.Handler()
	var puts []string // guarded by mu
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutRecords") {
			mu.Lock()
			puts = append(puts, r.Header.Get("Content-Type"))
			mu.Unlock()
		}
		service.ServeHTTP(w, r)
	}))
	defer server.Close()
	c := directConfig()
	c.AWS.Endpoint, c.AWS.Insecure = server.URL, true
	e := startReal(t, c)
	require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a")))
	require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("b")))
	assert.ElementsMatch(t, []string{"a", "b"}, storedBodies(t, k))
	const inCBOR, inJSON = "application/x-amz-cbor-1.1", "application/x-amz-json-1.1"
	assert.Equal(t, []string{inCBOR, inJSON, inJSON}, puts)
	told := e.logs.FilterMessage("The endpoint takes no CBOR; calls are made in JSON").All()
	require.Len(t, told, 1)
	assert.Contains(t, fmt.Sprint(told[0].ContextMap()["error"]), "SerializationException")
	assert.Equal(t, 2, e.sum(t, "user_records_put", "stream", testStream, "outcome", "success"))
}

// The client is that of [kpl.NewHTTPClient]: it speaks HTTP/1.1 to a service that has HTTP/2 too.
func TestClientIsMadeForUploads(t *testing.T) {
	service := newTestKinesis(1).Handler()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, 1, r.ProtoMajor)
		service.ServeHTTP(w, r)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	c := directConfig()
	c.AWS.Endpoint, c.AWS.TLS.InsecureSkipVerify = server.URL, true
	require.NoError(t, startReal(t, c).ConsumeLogs(t.Context(), logsOf("a")))
}

func TestClientByARN(t *testing.T) {
	k := newTestKinesis(2)
	server := httptest.NewServer(k.Handler())
	defer server.Close()
	c := directConfig()
	c.AWS.StreamName, c.AWS.Region = "", ""
	c.AWS.StreamARN = "arn:aws:kinesis:us-east-1:000000000000:stream/" + testStream
	c.AWS.Endpoint, c.AWS.Insecure = server.URL, true
	e := startReal(t, c)
	require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a")))
	assert.Equal(t, []string{"a"}, storedBodies(t, k))
	assert.Equal(t, 1, e.sum(t, "user_records_put", "stream", testStream, "outcome", "success"))
}

// A new connection, for example after an idle time, resumes the TLS session of the one before.
func TestTLSSessionsAreResumed(t *testing.T) {
	k := newTestKinesis(1)
	service := k.Handler()
	var mu sync.Mutex
	var puts []bool // whether the connection of each PutRecords call resumed a session
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Target") == "Kinesis_20131202.PutRecords" {
			mu.Lock()
			puts = append(puts, r.TLS.DidResume)
			mu.Unlock()
			assert.Equal(t, uint16(tls.VersionTLS13), r.TLS.Version)
		}
		w.Header().Set("Connection", "close") // so that each call makes its own
		service.ServeHTTP(w, r)
	}))
	defer server.Close()
	c := directConfig()
	c.AWS.Endpoint, c.AWS.TLS.InsecureSkipVerify = server.URL, true
	e := startReal(t, c)
	for _, body := range []string{"a", "b", "c"} {
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf(body)))
	}
	assert.ElementsMatch(t, []string{"a", "b", "c"}, storedBodies(t, k))
	require.Len(t, puts, 3)
	assert.Equal(t, []bool{true, true}, puts[1:])
}

// Without a region the collector starts. Pushes fail with an error that keeps the data, and the status says why.
func TestMissingRegion(t *testing.T) {
	for _, endpoint := range []string{"", "https://localhost:1"} {
		c := directConfig()
		c.AWS.Region, c.AWS.Endpoint = "", endpoint
		e := startReal(t, c)
		err := e.ConsumeLogs(t.Context(), logsOf("a"))
		require.ErrorContains(t, err, "Missing Region")
		assert.False(t, consumererror.IsPermanent(err))
		assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError}, e.host.statuses())
		assert.ErrorContains(t, e.host.events[0].Err(), "Missing Region")
		assert.NotZero(t, e.sum(t, "errors_by_code", "error_code", "RequestNotSent"))
	}
}

func TestRegionOfTheEnvironment(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-west-3")
	k := newTestKinesis(1)
	service := k.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Contains(t, r.Header.Get("Authorization"), "/eu-west-3/kinesis/")
		service.ServeHTTP(w, r)
	}))
	defer server.Close()
	c := directConfig()
	c.AWS.Region, c.AWS.Endpoint, c.AWS.Insecure = "", server.URL, true
	require.NoError(t, startReal(t, c).ConsumeLogs(t.Context(), logsOf("a")))
}

// role_arn is assumed with external_id, once for all calls. The calls are signed with the credentials that STS returns.
func TestAssumeRole(t *testing.T) {
	var assumed []url.Values
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, r.ParseForm())
		assumed = append(assumed, r.PostForm)
		_, err := w.Write([]byte(`<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">` +
			`<AssumeRoleResult><Credentials><AccessKeyId>ASIAOFTHEROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>` +
			`<SessionToken>token</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>` +
			`</AssumeRoleResult></AssumeRoleResponse>`))
		assert.NoError(t, err)
	}))
	defer tokens.Close()
	t.Setenv("AWS_ENDPOINT_URL_STS", tokens.URL)

	k := newTestKinesis(1)
	service := k.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Contains(t, r.Header.Get("Authorization"), "Credential=ASIAOFTHEROLE/")
		service.ServeHTTP(w, r)
	}))
	defer server.Close()
	c := directConfig()
	c.AWS.Endpoint, c.AWS.Insecure = server.URL, true
	c.AWS.RoleARN, c.AWS.ExternalID = "arn:aws:iam::123456789012:role/writer", "collector"
	e := startReal(t, c)
	for range 3 {
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a")))
	}
	require.Len(t, assumed, 1)
	assert.Equal(t, "AssumeRole", assumed[0].Get("Action"))
	assert.Equal(t, c.AWS.RoleARN, assumed[0].Get("RoleArn"))
	assert.Equal(t, "collector", assumed[0].Get("ExternalId"))
	for _, entry := range e.logs.All() {
		assert.NotContains(t, entry.ContextMap(), "collector")
	}
}
