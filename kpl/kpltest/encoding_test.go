// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inMillis is a time in CBOR as AWS's SDK for Java reads it: a number of 64 bits, in milliseconds.
func inMillis(t time.Time) []byte {
	return binary.BigEndian.AppendUint64([]byte{0x1b}, uint64(t.UnixMilli()))
}

// callInCBOR calls an operation with a body in CBOR and returns the body of the answer.
func callInCBOR(t *testing.T, k *Kinesis, operation Operation, body []byte) []byte {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/x-amz-cbor-1.1")
	request.Header.Set("X-Amz-Target", targetPrefix+string(operation))
	answer := httptest.NewRecorder()
	k.Handler().ServeHTTP(answer, request)
	require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
	return answer.Body.Bytes()
}

// text is a string in CBOR of less than 256 bytes.
func text(s string) []byte { return append([]byte{0x78, byte(len(s))}, s...) }

// The SDK for Java reads times as milliseconds, and writes them so with the tag of a time before them.
func TestTimesInCBOR(t *testing.T) {
	k := New(Config{}, Stream{Name: events, Shards: 1})
	_, err := k.PutRecords(t.Context(), putInput(entry("a", "", "one")))
	require.NoError(t, err)
	arrived := k.Records(events)[0].Arrived

	name := append(text("StreamName"), text(events)...)
	summary := callInCBOR(t, k, OpDescribeStreamSummary, append([]byte{0xa1}, name...))
	created := bytes.Index(summary, []byte("StreamCreationTimestamp"))
	require.Positive(t, created)
	assert.Equal(t, byte(0x1b), summary[created+len("StreamCreationTimestamp")], "a number of 64 bits without a tag")

	for at, found := range map[time.Time]bool{arrived.Add(-time.Second): true, arrived.Add(time.Second): false} {
		for _, tag := range [][]byte{{0xc1}, nil} {
			in := append([]byte{0xa4}, name...)
			in = append(append(in, text("ShardId")...), text("shardId-000000000000")...)
			in = append(append(in, text("ShardIteratorType")...), text("AT_TIMESTAMP")...)
			in = append(append(append(in, text("Timestamp")...), tag...), inMillis(at)...)
			iterator := callInCBOR(t, k, OpGetShardIterator, in)
			_, value, ok := bytes.Cut(iterator, []byte("ShardIterator"))
			require.True(t, ok)
			got := callInCBOR(t, k, OpGetRecords, append(append([]byte{0xbf}, text("ShardIterator")...), value...))
			want := append([]byte("ApproximateArrivalTimestamp"), inMillis(arrived)...)
			assert.Equal(t, found, bytes.Contains(got, want))
			assert.Equal(t, found, bytes.Contains(got, []byte("one")))
		}
	}
}
