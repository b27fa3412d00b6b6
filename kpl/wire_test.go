// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/wire/wiretest"
)

// How the SDK's own client reads answers that no service should give, and what the producer does then.

const (
	theShard    = "shardId-000000000000"
	wholeRange  = `{"StartingHashKey":"0","EndingHashKey":"340282366920938463463374607431768211455"}`
	storedEntry = `{"SequenceNumber":"49650000000000000000","ShardId":"` + theShard + `"}`
	answerTime  = 5 * time.Millisecond // until an answer comes
)

// wireAnswer is an answer as it comes over the wire.
type wireAnswer struct {
	status    int    // zero means 200
	errorType string // the header that names an error
	body      string
	end       bodyEnd // how the body ends; nil means well
}

// bodyEnd is a read behind the last byte of a body.
type bodyEnd func(ctx context.Context, p []byte) (int, error)

// breaks is the end of a body whose connection breaks.
func breaks(context.Context, []byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// hangs is the end of a body that never comes.
func hangs(ctx context.Context, _ []byte) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

func wellAnswer(body string) wireAnswer { return wireAnswer{body: body} }

func statusAnswer(code int, body string) wireAnswer { return wireAnswer{status: code, body: body} }

// errorAnswer is an answer with an error as the service spells it.
func errorAnswer(code, message string) wireAnswer {
	body, err := json.Marshal(map[string]string{"__type": code, "message": message})
	if err != nil {
		panic(err)
	}
	return statusAnswer(http.StatusBadRequest, string(body))
}

// entriesAnswer is the answer to a PutRecords call with these entries.
func entriesAnswer(list ...string) wireAnswer {
	return wellAnswer(`{"Records":[` + strings.Join(list, ",") + `]}`)
}

// shardsAnswer is the last page of a list of shards.
func shardsAnswer(list ...string) wireAnswer {
	return wellAnswer(`{"Shards":[` + strings.Join(list, ",") + `]}`)
}

// describeShard is a shard in such a list.
func describeShard(id, first, last string) string {
	return fmt.Sprintf(`{"ShardId":%q,"HashKeyRange":{"StartingHashKey":%q,"EndingHashKey":%q}}`, id, first, last)
}

func theOnlyShard() wireAnswer {
	return shardsAnswer(`{"ShardId":"` + theShard + `","HashKeyRange":` + wholeRange + `}`)
}

// endpoint answers the SDK's client in place of a network. It answers a call in CBOR in CBOR, if the answer has a meaning
// there.
type endpoint struct {
	put  func(call int, data []string) wireAnswer // data has that of each record
	list func(call int) wireAnswer

	requestID string // of all answers; empty for none

	mu          sync.Mutex
	puts, lists int // guarded by mu
}

// Do implements [kinesis.HTTPClient].
func (e *endpoint) Do(r *http.Request) (*http.Response, error) {
	data, err := dataOf(r)
	if err != nil {
		return nil, err
	}
	if !sleepUntil(r.Context(), time.Now().Add(answerTime)) {
		return nil, r.Context().Err()
	}
	var answer wireAnswer
	e.mu.Lock()
	defer e.mu.Unlock()
	switch _, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), "."); operation {
	default:
		answer = errorAnswer("AccessDeniedException", "")
	case "DescribeStreamSummary":
		answer = wellAnswer(`{"StreamDescriptionSummary":{"RecordDistributionStrategy":"USER_PARTITION_KEY"}}`)
	case "ListShards":
		e.lists++
		answer = e.list(e.lists)
	case "PutRecords":
		e.puts++
		answer = e.put(e.puts, data)
	}
	header := http.Header{}
	if r.Header.Get("Content-Type") == wiretest.ContentTypeCBOR {
		if body, ok := wiretest.AsCBOR(answer.body, true); ok {
			answer.body = string(body)
			header.Set("Content-Type", wiretest.ContentTypeCBOR)
		}
	}
	if e.requestID != "" {
		header.Set("X-Amzn-Requestid", e.requestID)
	}
	if answer.errorType != "" {
		header.Set("X-Amzn-ErrorType", answer.errorType)
	}
	return &http.Response{
		StatusCode: max(answer.status, http.StatusOK),
		Header:     header,
		Body:       bodyOf(r, &answer),
		Request:    r,
	}, nil
}

// dataOf returns the data of each record of a request.
func dataOf(r *http.Request) (data []string, err error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var in kinesis.PutRecordsInput
	if r.Header.Get("Content-Type") == wiretest.ContentTypeCBOR {
		in, err = wiretest.ReadCBOR(body)
	} else {
		err = json.Unmarshal(body, &in)
	}
	for i := range in.Records {
		data = append(data, string(in.Records[i].Data))
	}
	return data, err
}

// calls returns how many calls there were.
func (e *endpoint) calls() (puts, lists int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.puts, e.lists
}

// clientOver is the SDK's client over something that stands for a network.
func clientOver(network kinesis.HTTPClient) *kinesis.Client {
	return kinesis.New(kinesis.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String("https://kinesis.invalid"),
		HTTPClient:   network,
		Credentials:  credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
}

// client is the SDK's client over e.
func (e *endpoint) client() *kinesis.Client {
	return clientOver(e)
}

// bodyOf reads an answer for a request.
func bodyOf(r *http.Request, a *wireAnswer) io.ReadCloser {
	body := io.Reader(strings.NewReader(a.body))
	if a.end != nil {
		body = io.MultiReader(body, readerFunc(func(p []byte) (int, error) { return a.end(r.Context(), p) }))
	}
	return io.NopCloser(body)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// requestLog keeps what an Observer hears of requests and of the shards.
type requestLog struct {
	mu       sync.Mutex
	entries  []FinishedEntry // guarded by mu
	listings []error         // guarded by mu
	open     []int           // guarded by mu
}

func (l *requestLog) observer() Observer {
	return Observer{RequestFinished: l.requestFinished, ShardsListed: l.shardsListed}
}

func (l *requestLog) requestFinished(r RequestEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, r.Entries...)
}

func (l *requestLog) shardsListed(e ListingEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listings, l.open = append(l.listings, e.Err), append(l.open, e.OpenShards)
}

// fuzzProducer runs a producer over e until all records have their Results, and checks these.
func fuzzProducer(t *testing.T, e *endpoint) {
	p, err := New(e.client(), func() Config {
		c := Config{}.WithDefaults()
		c.RecordTTL, c.RequestTimeout = 2*time.Second, time.Second
		return c
	}())
	require.NoError(t, err)
	got := make([]results, 5)
	for i := range got {
		require.NoError(t, p.Put(t.Context(), numbered(fmt.Sprint("key", i/2), i), got[i].add))
	}
	advance(time.Second)
	require.NoError(t, p.Close(t.Context()))
	for i := range got {
		require.Len(t, got[i].all(), 1, "record %d", i)
		result := got[i].all()[0]
		for _, attempt := range result.Attempts {
			assert.LessOrEqual(t, len(attempt.Code), 256)
			assert.LessOrEqual(t, len(attempt.Message), maxMessage)
			assert.True(t, utf8.ValidString(attempt.Code+attempt.Message))
		}
		if result.Err == nil {
			assert.NotEmpty(t, result.SequenceNumber)
		} else {
			assert.NotEqual(t, OutcomeSuccess, result.Outcome())
			assert.Less(t, len(result.Err.Error()), 1024)
		}
	}
}
