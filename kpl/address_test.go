// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

func TestCheckStream(t *testing.T) {
	const prefix = "arn:aws:kinesis:us-east-1:123456789012:"
	for _, good := range []string{
		"telemetry", "a", "A-b_c.9", strings.Repeat("x", 128), prefix + "stream/telemetry",
		"arn:aws-us-gov:kinesis:us-gov-west-1:123456789012:stream/a.b", "arn:aws:kinesis:local:000000000000:stream/x",
	} {
		assert.NoError(t, checkStream(good), good)
	}
	for bad, want := range map[string]string{
		"prod/logs":                           "may only have the characters",
		"two words":                           "may only have the characters",
		"strömung":                            "may only have the characters",
		"telemetry\n":                         "may only have the characters",
		strings.Repeat("x", 129):              "1 to 128 characters, found 129",
		prefix + "stream/":                    "1 to 128 characters, found 0",
		prefix + "stream/a/consumer/b:123":    "may only have the characters",
		prefix + "consumer/a":                 "must be a name, or an ARN",
		"arn:aws:sqs:us-east-1:1:stream/a":    "must be a name, or an ARN",
		"arn:aws:firehose:us-east-1:1:x":      "must be a name, or an ARN",
		"arn:":                                "must be a name, or an ARN",
		prefix + "stream/" + "not a name":     "may only have the characters",
		prefix + strings.Repeat("stream/", 2): "may only have the characters",
	} {
		err := checkStream(bad)
		require.ErrorIs(t, err, ErrInvalidRecord, bad)
		assert.ErrorContains(t, err, want, bad)
	}
}

// A record for a stream that cannot be is not accepted, and leaves its room to others.
func TestPutForAStreamThatCannotBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, func(c *Config) { c.MaxOutstandingRecords = 1 })
		for range 3 {
			record := sized("key", 1)
			record.Stream = "prod/logs"
			_, err := p.PutWait(t.Context(), record)
			require.ErrorIs(t, err, ErrInvalidRecord)
			require.ErrorContains(t, err, `"prod/logs"`)
			batch := p.NewBatch()
			require.ErrorIs(t, batch.Put(t.Context(), record), ErrInvalidRecord)
			assert.Equal(t, OutcomeUnavailable, batch.Wait(t.Context())[0].Outcome())
		}
		_, err := p.PutWait(t.Context(), sized("key", 1))
		require.NoError(t, err)
		assert.Len(t, k.Calls(kpltest.OpPutRecords), 1)
		assert.Equal(t, int64(1), p.Stats().RecordsReceived)
	})
}

func TestWrongAddress(t *testing.T) {
	const constraint = " failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
	for message, want := range map[string]bool{
		"1 validation error detected: Value 'prod/logs' at 'streamName'" + constraint:                       true,
		"1 validation error detected: Value 'arn:x' at 'streamARN'" + constraint:                            true,
		"2 validation errors detected: Value at 'records.1.member.data'; Value at 'streamARN'" + constraint: true,
		"Invalid StreamARN: arn:aws:kinesis:us-east-1:1:stream/records":                                     true,
		"Stream name is not valid.": true,
		"1 validation error detected: Value at 'records.1.member.partitionKey'" + constraint:              false,
		"1 validation error detected: Value 'streamName' at 'records.1.member.partitionKey'" + constraint: false,
		"Invalid PartitionKey for stream name x":                                                          false,
		"ExplicitHashKey must be in the range":                                                            false,
		"":                                                                                                false,
	} {
		assert.Equal(t, want, wrongAddress(message), message)
		for _, code := range []string{"ValidationException", "InvalidArgumentException"} {
			class := classRejected
			if want {
				class = classUnavailable
			}
			assert.Equal(t, class, faultOfEntry(code, message).class, message)
		}
		assert.Equal(t, classThrottle, faultOfEntry("ThrottlingException", message).class)
	}
}

// wrongAddressClient is a service that rejects the name of the stream in each PutRecords call.
type wrongAddressClient struct{ Client }

func (wrongAddressClient) PutRecords(
	context.Context, *kinesis.PutRecordsInput, ...func(*kinesis.Options),
) (*kinesis.PutRecordsOutput, error) {
	return nil, &smithy.GenericAPIError{Code: "ValidationException", Message: "1 validation error detected: Value at 'streamName'"}
}

// A verdict on the address of the stream is none on its records: they go back to their owners.
func TestAddressThatTheServiceRejects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		client := wrongAddressClient{k}
		p := startProducer(t, client, nil)
		for range 2 {
			result, err := p.PutWait(t.Context(), sized("key", 1))
			require.ErrorIs(t, err, ErrUnavailable)
			assert.Equal(t, OutcomeUnavailable, result.Outcome())
			assert.Equal(t, "ValidationException", result.Attempts[0].Code)
		}
		assert.Empty(t, k.Calls(kpltest.OpPutRecords))
	})
}
