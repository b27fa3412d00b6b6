// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package peers

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// exchange is a PutRecords call and its answer.
type exchange struct {
	asked, answered string // content types
	status          int
	failed          bool // some record
}

// wiretap records the PutRecords calls of a client.
type wiretap struct {
	kinesis.HTTPClient

	mu    sync.Mutex
	calls []exchange // guarded by mu
}

func (w *wiretap) Do(r *http.Request) (*http.Response, error) {
	answer, err := w.HTTPClient.Do(r)
	if err != nil || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutRecords") {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, exchange{
		r.Header.Get("Content-Type"), answer.Header.Get("Content-Type"), answer.StatusCode,
		bytes.Contains(body, []byte("InvalidArgumentException")),
	})
	return answer, nil
}

// TestKinesisMockTakesCBOR checks the content types of calls: when records are stored, when one of several is rejected, and
// when a call fails.
func TestKinesisMockTakesCBOR(t *testing.T) {
	const stream, cborType = "cbor", "application/x-amz-cbor-1.1"
	mock := StartKinesisMock(t, Stream{stream, 2})
	ctx := Context(t)
	options := mock.Client.Options()
	tap := &wiretap{HTTPClient: options.HTTPClient}
	options.HTTPClient = tap
	config := patientConfig()
	config.AggregationFormat, config.MaxRecordSize = kpl.AggregationNone, kpl.MaxServiceRecordSize
	config.CollectionMaxSize = kpl.MaxRequestSize
	producer, _ := newProducer(t, kinesis.New(options), config)

	records := []kpl.UserRecord{
		{Stream: stream, PartitionKey: "schlüssel 🦊", Data: []byte("first")},
		{Stream: stream, PartitionKey: "k", ExplicitHashKey: "340282366920938463463374607431768211455", Data: make([]byte, 70_000)},
		{Stream: stream, PartitionKey: strings.Repeat("k", 256), Data: bytes.Repeat([]byte{0xff}, 256)},
	}
	noStream := kpl.UserRecord{Stream: "none", PartitionKey: "k", Data: []byte("x")}
	tooLarge := kpl.UserRecord{Stream: stream, PartitionKey: "k", Data: make([]byte, 1<<20+1)}
	first, err := producer.PutWait(ctx, records[0])
	require.NoError(t, err)
	batch := producer.NewBatch()
	for _, r := range append(slices.Clone(records[1:]), tooLarge, noStream) {
		require.NoError(t, batch.Put(ctx, r))
	}
	results := append([]kpl.Result{first}, batch.Wait(ctx)...)
	for _, result := range results[:3] {
		require.NoError(t, result.Err)
	}
	checkStored(t, records, results[:3], ReadStream(ctx, t, mock.Client, stream))
	var failure *kpl.RecordError
	require.ErrorAs(t, results[3].Err, &failure)
	assert.Equal(t, "InvalidArgumentException", failure.Code)
	require.ErrorAs(t, results[4].Err, &failure)
	assert.Equal(t, "ResourceNotFoundException", failure.Code)

	tap.mu.Lock()
	defer tap.mu.Unlock()
	var stored, partly, failed bool
	for _, call := range tap.calls {
		assert.Equal(t, cborType, call.asked)
		assert.Equal(t, cborType, call.answered)
		stored = stored || call.status == http.StatusOK && !call.failed
		partly = partly || call.status == http.StatusOK && call.failed
		failed = failed || call.status == http.StatusBadRequest
	}
	assert.True(t, stored, "%v", tap.calls)
	assert.True(t, partly, "%v", tap.calls)
	assert.True(t, failed, "%v", tap.calls)
}
