package kpl

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatSaysThatCBORIsNotTaken(t *testing.T) {
	apiError := func(code string) error {
		return &smithy.OperationError{Err: &smithy.GenericAPIError{Code: code}}
	}
	for name, tt := range map[string]struct {
		status         int
		answeredInCBOR bool
		err            error
		refused        bool
	}{
		"an error page":                  {500, false, errors.New("HTML"), true},
		"an error in JSON":               {400, false, apiError("SerializationException"), true},
		"another error in JSON":          {400, false, apiError("ValidationException"), true},
		"an unknown error in JSON":       {500, false, apiError("UnknownError"), true},
		"no access, in JSON":             {400, false, apiError("AccessDeniedException"), false},
		"a wrong signature, in JSON":     {403, false, apiError("InvalidSignatureException"), false},
		"no capacity, in JSON":           {400, false, apiError("ProvisionedThroughputExceededException"), false},
		"an unknown type of content":     {415, false, errors.New("HTML"), true},
		"a serialization error in CBOR":  {400, true, apiError("SerializationException"), true},
		"an unknown operation in CBOR":   {400, true, apiError("UnknownOperationException"), true},
		"no access, in CBOR":             {400, true, apiError("AccessDeniedException"), false},
		"a failure, in CBOR":             {500, true, apiError("InternalFailure"), false},
		"nonsense that is said to be it": {500, true, errors.New("decode"), false},
		"a redirect":                     {307, false, errors.New("redirect"), false},
		"a gateway in front":             {502, false, errors.New("HTML"), false},
		"a load balancer in front":       {503, false, errors.New("HTML"), false},
		"a slow gateway in front":        {504, false, errors.New("HTML"), false},
		"a limit in front":               {429, false, errors.New("HTML"), false},
	} {
		t.Run(name, func(t *testing.T) {
			e := newWireEncoding(WireAuto)
			assert.True(t, e.cbor())
			refused, first := e.refused(tt.status, tt.answeredInCBOR, tt.err)
			assert.Equal(t, tt.refused, refused)
			assert.Equal(t, tt.refused, first)
			assert.Equal(t, !tt.refused, e.cbor(), "it is remembered")
			refused, first = e.refused(tt.status, tt.answeredInCBOR, tt.err)
			assert.Equal(t, tt.refused, refused, "another call was on its way")
			assert.False(t, first)

			e = newWireEncoding(WireAuto)
			e.taken()
			refused, first = e.refused(tt.status, tt.answeredInCBOR, tt.err)
			assert.False(t, refused, "it was taken before")
			assert.False(t, first)
			assert.True(t, e.cbor())
		})
	}
}

// puts are the content types of the calls that put records.
type puts []string

// refusals are the calls of CBORUnsupported.
type refusals struct{ all []string }

func (r *refusals) observer() Observer {
	return Observer{CBORUnsupported: func(e CBOREvent) { r.all = append(r.all, e.Stream+": "+e.Err.Error()) }}
}

// onlyJSON is an endpoint that fails calls in CBOR in some way.
type onlyJSON struct {
	*wire
	fail func(r *http.Request) *http.Response
	puts puts
}

func (o *onlyJSON) Do(r *http.Request) (*http.Response, error) {
	if r.Header.Get("X-Amz-Target") == "Kinesis_20131202.PutRecords" {
		o.puts = append(o.puts, r.Header.Get("Content-Type"))
	}
	if r.Header.Get("Content-Type") == contentTypeCBOR && o.fail != nil {
		if _, err := dataOf(r); err != nil { // the endpoint reads it
			return nil, err
		}
		return o.fail(r), nil
	}
	return o.wire.Do(r)
}

func putThreeTimes(t *testing.T, o *onlyJSON, change func(*Config)) {
	t.Helper()
	o.wire = &wire{list: func(int) wireAnswer { return theOnlyShard() }, put: storing(storedEntry)}
	p := startProducer(t, clientOver(o), change)
	for i := range 3 {
		result, err := p.PutWait(t.Context(), UserRecord{Stream: testStream, PartitionKey: "key", Data: fmt.Append(nil, i)})
		require.NoError(t, err)
		assert.Len(t, result.Attempts, 1, "that CBOR was refused is no failure of a record")
	}
}

func TestAnEndpointWithoutCBORIsSpokenToInJSON(t *testing.T) {
	for name, answer := range map[string]struct {
		wireAnswer
		told string
	}{
		"a page": {statusAnswer(500, "<!doctype html><title>500</title>"), CodeUnknown},
		"an error": {
			errorAnswer("SerializationException", strings.Repeat("what you sent is ", 1000)), "SerializationException: what you sent",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &onlyJSON{fail: func(r *http.Request) *http.Response {
					return &http.Response{StatusCode: answer.status, Body: bodyOf(r, &answer.wireAnswer), Request: r}
				}}
				var told refusals
				putThreeTimes(t, o, func(c *Config) { c.Observer = told.observer() })
				require.Len(t, told.all, 1)
				assert.Contains(t, told.all[0], testStream+": "+answer.told)
				assert.Less(t, len(told.all[0]), 400, "no more is told of it than of other errors")
				assert.Equal(t, puts{contentTypeCBOR, contentTypeJSON, contentTypeJSON, contentTypeJSON}, o.puts)
			})
		})
	}
}

func TestAnEndpointWithCBORIsSpokenToInIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o onlyJSON
		var told refusals
		putThreeTimes(t, &o, func(c *Config) { c.Observer = told.observer() })
		assert.Empty(t, told.all)
		assert.Equal(t, puts{contentTypeCBOR, contentTypeCBOR, contentTypeCBOR}, o.puts)
	})
}

func TestJSONIsSpokenIfTheConfigurationSaysSo(t *testing.T) {
	for _, protocol := range []WireProtocol{WireJSON, WireSDK} {
		synctest.Test(t, func(t *testing.T) {
			var o onlyJSON
			putThreeTimes(t, &o, func(c *Config) { c.WireProtocol = protocol })
			assert.Equal(t, puts{contentTypeJSON, contentTypeJSON, contentTypeJSON}, o.puts)
		})
	}
}

// The call that finds out and the one after it share the time that one call has.
func TestTheSecondTryIsBoundedByTheSameTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &onlyJSON{fail: func(r *http.Request) *http.Response {
			sleepUntil(r.Context(), time.Now().Add(900*time.Millisecond))
			return &http.Response{StatusCode: http.StatusBadRequest, Body: http.NoBody, Request: r}
		}}
		o.wire = &wire{list: func(int) wireAnswer { return theOnlyShard() }, put: func(int, []string) wireAnswer {
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
