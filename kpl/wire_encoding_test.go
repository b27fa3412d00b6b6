// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/wire/wiretest"
)

// An error about credentials, permissions or capacity has nothing to do with the encoding.
func TestWhichErrorsAreUnrelatedToTheEncoding(t *testing.T) {
	for code, unrelated := range map[string]bool{
		"AccessDeniedException":                  true,
		"InvalidSignatureException":              true,
		"ProvisionedThroughputExceededException": true,
		"ValidationException":                    false,
		"InternalFailure":                        false,
		"HTTP500":                                false,
		"":                                       false,
	} {
		assert.Equal(t, unrelated, unrelatedToEncoding(code), code)
	}
}

// puts are the content types of the calls that put records.
type puts []string

// unsupported are the calls of CBORUnsupported.
type unsupported struct{ all []string }

func (u *unsupported) observer() Observer {
	return Observer{CBORUnsupported: func(e CBOREvent) { u.all = append(u.all, e.Stream+": "+e.Err.Error()) }}
}

// onlyJSON is an endpoint that fails calls in CBOR in some way.
type onlyJSON struct {
	*endpoint
	fail func(r *http.Request) *http.Response
	puts puts
}

func (o *onlyJSON) Do(r *http.Request) (*http.Response, error) {
	if r.Header.Get("X-Amz-Target") == "Kinesis_20131202.PutRecords" {
		o.puts = append(o.puts, r.Header.Get("Content-Type"))
	}
	if r.Header.Get("Content-Type") == wiretest.ContentTypeCBOR && o.fail != nil {
		if _, err := dataOf(r); err != nil { // the endpoint reads it
			return nil, err
		}
		return o.fail(r), nil
	}
	return o.endpoint.Do(r)
}

func putThreeTimes(t *testing.T, o *onlyJSON, change func(*Config)) {
	t.Helper()
	o.endpoint = &endpoint{list: func(int) wireAnswer { return theOnlyShard() }, put: storing(storedEntry)}
	p := startProducer(t, clientOver(o), change)
	for i := range 3 {
		result, err := p.PutWait(t.Context(), UserRecord{Stream: testStream, PartitionKey: "key", Data: fmt.Append(nil, i)})
		require.NoError(t, err)
		assert.Len(t, result.Attempts, 1, "that CBOR is unsupported is no failure of a record")
	}
}

func TestAnEndpointWithoutCBORGetsJSON(t *testing.T) {
	for name, answer := range map[string]struct {
		wireAnswer
		told string
	}{
		"a page": {statusAnswer(500, "<!doctype html><title>500</title>"), "HTTP500"},
		"an error": {
			errorAnswer("SerializationException", strings.Repeat("what you sent is ", 1000)), "SerializationException: what you sent",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &onlyJSON{fail: func(r *http.Request) *http.Response {
					return &http.Response{StatusCode: answer.status, Body: bodyOf(r, &answer.wireAnswer), Request: r}
				}}
				var told unsupported
				putThreeTimes(t, o, func(c *Config) { c.Observer = told.observer() })
				require.Len(t, told.all, 1)
				assert.Contains(t, told.all[0], testStream+": "+answer.told)
				assert.Less(t, len(told.all[0]), maxMessage+100, "no more is told of it than of other errors")
				const inCBOR, inJSON = wiretest.ContentTypeCBOR, wiretest.ContentTypeJSON
				assert.Equal(t, puts{inCBOR, inJSON, inJSON, inJSON}, o.puts)
			})
		})
	}
}

func TestAnEndpointWithCBORGetsCBOR(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o onlyJSON
		var told unsupported
		putThreeTimes(t, &o, func(c *Config) { c.Observer = told.observer() })
		assert.Empty(t, told.all)
		assert.Equal(t, puts{wiretest.ContentTypeCBOR, wiretest.ContentTypeCBOR, wiretest.ContentTypeCBOR}, o.puts)
	})
}

func TestWireJSONMakesRequestsInJSON(t *testing.T) {
	for _, protocol := range []WireProtocol{WireJSON, WireSDK} {
		synctest.Test(t, func(t *testing.T) {
			var o onlyJSON
			putThreeTimes(t, &o, func(c *Config) { c.WireProtocol = protocol })
			assert.Equal(t, puts{wiretest.ContentTypeJSON, wiretest.ContentTypeJSON, wiretest.ContentTypeJSON}, o.puts)
		})
	}
}

// The call that finds out and the call after it together take no longer than RequestTimeout.
func TestTheSecondTryIsBoundedByTheSameTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &onlyJSON{fail: func(r *http.Request) *http.Response {
			sleepUntil(r.Context(), time.Now().Add(900*time.Millisecond))
			return &http.Response{StatusCode: http.StatusBadRequest, Body: http.NoBody, Request: r}
		}}
		o.endpoint = &endpoint{list: func(int) wireAnswer { return theOnlyShard() }, put: func(int, []string) wireAnswer {
			return wireAnswer{end: hangs}
		}}
		p := startProducer(t, clientOver(o), func(c *Config) {
			c.RequestTimeout, c.RecordTTL = time.Second, 1050*time.Millisecond
		})
		start := time.Now()
		result, err := p.PutWait(t.Context(), UserRecord{Stream: testStream, PartitionKey: "key", Data: []byte("data")})
		require.ErrorIs(t, err, ErrExpired)
		assert.Equal(t, CodeTimeout, result.Attempts[0].Code)
		assert.Less(t, time.Since(start), 1200*time.Millisecond)
	})
}

func TestWireSDKLetsTheSDKWrite(t *testing.T) {
	for _, protocol := range []WireProtocol{WireAuto, WireJSON, WireSDK} {
		config := Config{}.WithDefaults()
		config.WireProtocol = protocol
		p, err := New(newSink(1), config)
		require.NoError(t, err)
		w := newWorker(newSender(t.Context(), &p.shared, testStream, nil))
		options := kinesis.New(kinesis.Options{}).Options()
		for _, option := range w.options {
			option(&options)
		}
		_, is := options.Protocol.(*awsjson.Protocol)
		assert.Equal(t, protocol == WireSDK, is)
		assert.Equal(t, protocol == WireAuto, p.encoding.CBOR())
		assert.Equal(t, aws.NopRetryer{}, options.Retryer)
		require.NoError(t, p.Close(t.Context()))
	}
}

// The environment variable of AWS's SDK for Java is honoured, and only where the configuration leaves the choice.
func TestCBORIsDisabledByTheEnvironment(t *testing.T) {
	for value, cbor := range map[string]bool{
		"": true, "false": true, "FALSE": true, "true": false, "True": false, "1": false, "yes": false,
	} {
		t.Setenv("AWS_CBOR_DISABLE", value)
		p, err := New(newSink(1), Config{})
		require.NoError(t, err)
		assert.Equal(t, cbor, p.encoding.CBOR(), "%q", value)
		require.NoError(t, p.Close(t.Context()))
	}
}
