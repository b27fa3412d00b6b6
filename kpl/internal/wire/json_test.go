// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"math/big"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/wire/wiretest"
)

// capturingHTTP keeps the last request, and says that its record is stored.
type capturingHTTP struct {
	request *http.Request
	body    []byte
}

func (c *capturingHTTP) Do(r *http.Request) (*http.Response, error) {
	c.request = r
	var err error
	if c.body, err = io.ReadAll(r.Body); err != nil {
		return nil, err
	}
	body := wiretest.UsualAnswer(1)
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

// client is the SDK's client over c.
func (c *capturingHTTP) client() *kinesis.Client {
	return kinesis.New(kinesis.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String("https://kinesis.invalid/below"),
		HTTPClient:   c,
		Credentials:  credentials.NewStaticCredentialsProvider("id", "secret", "token"),
		APIOptions: []func(*middleware.Stack) error{func(s *middleware.Stack) error {
			_, err := s.Build.Remove((*awsmiddleware.ClientRequestID)(nil).ID()) // it makes each request another
			return err
		}},
	})
}

// once is an option of a call that is not made again.
func once(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} }

// Requests that are written by hand are those of the SDK, with the same signature.
func TestRequestsAreThoseOfTheSDK(t *testing.T) {
	for name, input := range putRecordsInputs() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // the time is in the signature
				var ours, sdks capturingHTTP
				w := jsonProtocol()
				_, err := ours.client().PutRecords(t.Context(), input, once, w.Install)
				require.NoError(t, err)
				_, err = sdks.client().PutRecords(t.Context(), input, once)
				require.NoError(t, err)

				assert.Positive(t, w.body.size, "the request was made by hand")
				requireSameBytes(t, sdks.body, ours.body)
				assert.Contains(t, ours.request.Header.Get("Authorization"), "Signature=")
				assert.Equal(t, sdks.request.Header, ours.request.Header)
				assert.Equal(t, sdks.request.Method, ours.request.Method)
				assert.Equal(t, sdks.request.URL, ours.request.URL)
				assert.Equal(t, sdks.request.Host, ours.request.Host)
				assert.Equal(t, sdks.request.ContentLength, ours.request.ContentLength)
			})
		})
	}
}

// putRecordsInputs has what a worker sends, and more.
func putRecordsInputs() map[string]*kinesis.PutRecordsInput {
	random := rand.NewChaCha8([32]byte{}) // the same each time
	data := func(n int) []byte {
		b := make([]byte, n)
		_, _ = random.Read(b)
		return b
	}
	inputs := map[string]*kinesis.PutRecordsInput{
		"an empty record": {
			StreamName: aws.String("s"),
			Records:    []types.PutRecordsRequestEntry{{Data: []byte{}, PartitionKey: aws.String("k")}},
		},
		"an ARN": {
			StreamARN: aws.String("arn:aws:kinesis:us-east-1:123456789012:stream/s"),
			Records:   []types.PutRecordsRequestEntry{{Data: data(10), PartitionKey: aws.String("k")}},
		},
	}
	odd := &kinesis.PutRecordsInput{StreamName: aws.String("stream")}
	for _, key := range oddKeys() {
		odd.Records = append(odd.Records, types.PutRecordsRequestEntry{
			Data: data(len(key)), PartitionKey: &key, ExplicitHashKey: &key,
		})
	}
	inputs["odd keys"] = odd
	for name, size := range map[string]struct{ records, bytes int }{
		"500 records": {500, 10 << 10}, "5 MiB in 5": {5, 1 << 20}, "10 MiB in one": {1, 10 << 20}, "all short lengths": {100, 0},
	} {
		in := &kinesis.PutRecordsInput{StreamName: aws.String("stream")}
		for i := range size.records {
			n := size.bytes
			if n == 0 {
				n = i
			}
			in.Records = append(in.Records, types.PutRecordsRequestEntry{
				Data:            data(n),
				PartitionKey:    aws.String("a"),
				ExplicitHashKey: aws.String(new(big.Int).SetBytes(data(16)).String()),
			})
		}
		inputs[name] = in
	}
	return inputs
}

// oddKeys has every ASCII character, each in several places, and what is odd beyond.
func oddKeys() []string {
	keys := []string{
		"", "ü", "日本", "🦊", "a\u2028b\u2029c\u2027\u202A", "\ufffd", "\x80", "\xff\xfe", "a\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80",
		strings.Repeat("é", 256), strings.Repeat("\x00", 256), "</script>&'", strings.Repeat("x", 9) + "\xe2\x80" + "\"",
	}
	for c := range rune(0x100) {
		keys = append(keys, string(c), "12345678"+string(c)+"9", string(c)+string(c))
	}
	return keys
}

func requireSameBytes(t *testing.T, want, got []byte) {
	t.Helper()
	if bytes.Equal(want, got) {
		return
	}
	i := 0
	for i < min(len(want), len(got)) && want[i] == got[i] {
		i++
	}
	window := func(b []byte) []byte { return b[max(0, i-40):min(len(b), i+40)] }
	require.Failf(t, "bytes differ", "at %d of %d and %d:\n%q\n%q", i, len(want), len(got), window(want), window(got))
}

// putRecordsSchema is that of the operation.
func putRecordsSchema() *smithy.OperationSchema {
	return smithy.NewOperationSchema(schemas.PutRecords, schemas.PutRecordsInput, schemas.PutRecordsOutput)
}

// serialized returns what a protocol makes of an input.
func serialized(t *testing.T, p smithyhttp.ClientProtocol, in *kinesis.PutRecordsInput) (*smithyhttp.Request, []byte) {
	t.Helper()
	r, ok := smithyhttp.NewStackRequest().(*smithyhttp.Request)
	require.True(t, ok)
	require.NoError(t, p.SerializeRequest(t.Context(), putRecordsSchema(), in, r))
	body, err := io.ReadAll(r.GetStream())
	require.NoError(t, err)
	return r, body
}

func FuzzRequestsAreThoseOfTheSDK(f *testing.F) {
	for _, key := range oddKeys()[:20] {
		f.Add("stream", "", key, []byte(key), uint8(3))
	}
	f.Add("", "arn:aws:kinesis:us-east-1:123456789012:stream/s", "k", []byte("data"), uint8(0))
	sdk := awsjson.New11(schemas.Kinesis_20131202)
	w := jsonProtocol()
	f.Fuzz(func(t *testing.T, name, arn, key string, data []byte, parts uint8) {
		in := &kinesis.PutRecordsInput{Records: []types.PutRecordsRequestEntry{}}
		if name != "" {
			in.StreamName = &name
		}
		if arn != "" {
			in.StreamARN = &arn
		}
		for i := range min(int(parts), len(data)) {
			entry := types.PutRecordsRequestEntry{Data: data[i:], PartitionKey: aws.String(key[min(i, len(key)):])}
			if i%2 == 0 {
				entry.ExplicitHashKey = aws.String(key[:min(i, len(key))])
			}
			in.Records = append(in.Records, entry)
		}
		want, wantBody := serialized(t, sdk, in)
		got, gotBody := serialized(t, w, in)
		requireSameBytes(t, wantBody, gotBody)
		assert.Equal(t, want.Header, got.Header)
		assert.Equal(t, want.URL, got.URL)
		assert.Equal(t, want.Method, got.Method)
		assert.Equal(t, want.ContentLength, got.ContentLength)
		assert.True(t, json.Valid(gotBody))
		assert.Equal(t, len(gotBody), w.body.size)
	})
}

// Requests that a worker never sends, but that a client in between might change, are left to the SDK.
func TestRequestsThatAreNotMadeByHand(t *testing.T) {
	entry := types.PutRecordsRequestEntry{Data: []byte("x"), PartitionKey: aws.String("k")}
	for name, in := range map[string]*kinesis.PutRecordsInput{
		"a dry run":        {DryRun: aws.Bool(true), Records: []types.PutRecordsRequestEntry{entry}},
		"a stream id":      {StreamId: aws.String("id"), Records: []types.PutRecordsRequestEntry{entry}},
		"no records":       {StreamName: aws.String("s")},
		"no data":          {Records: []types.PutRecordsRequestEntry{entry, {PartitionKey: aws.String("k")}}},
		"no partition key": {Records: []types.PutRecordsRequestEntry{entry, {Data: []byte("x")}}},
	} {
		t.Run(name, func(t *testing.T) {
			sdk := awsjson.New11(schemas.Kinesis_20131202)
			w := jsonProtocol()
			_, want := serialized(t, sdk, in)
			_, got := serialized(t, w, in)
			requireSameBytes(t, want, got)
			assert.Zero(t, w.body.size)
		})
	}
}

// A client with another protocol than the SDK's JSON keeps its protocol.
func TestOtherProtocolsAreLeftAlone(t *testing.T) {
	w := jsonProtocol()
	own := struct{ smithyhttp.ClientProtocol }{awsjson.New11(schemas.Kinesis_20131202)}
	older := awsjson.New10(schemas.Kinesis_20131202)
	for _, protocol := range []smithyhttp.ClientProtocol{own, older} {
		options := kinesis.Options{Protocol: protocol}
		w.Install(&options)
		assert.Equal(t, protocol, options.Protocol)
	}
	options := kinesis.New(kinesis.Options{}).Options()
	w.Install(&options)
	assert.Same(t, w, options.Protocol)
}
