package kpl_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// The code between the marks stands in README.md; package internal/docs compares both.

func readmeLibrary(ctx context.Context, kinesis clientMaker, awsConfig aws.Config, payload []byte) error {
	// README library {
	config := kpl.NewDefaultConfig()
	awsConfig.HTTPClient = kpl.NewHTTPClient(awsConfig.HTTPClient, config.MaxConnections) // made for uploads
	producer, err := kpl.New(kinesis.NewFromConfig(awsConfig), config)
	if err != nil {
		return err
	}
	result, err := producer.PutWait(ctx, kpl.UserRecord{Stream: "events", PartitionKey: "user-7", Data: payload})
	if err != nil {
		return err // not accepted: invalid, too large, closed, or ctx ended
	}
	if result.Err != nil {
		return result.Err // not delivered, and why
	}
	fmt.Println("stored on", result.ShardID, "as", result.SequenceNumber, "after", len(result.Attempts), "attempts")
	return producer.Close(ctx) // sends what is buffered and waits
	// }
}

// clientMaker stands where the SDK's package does in the text.
type clientMaker struct{ client *kpltest.Kinesis }

func (m clientMaker) NewFromConfig(aws.Config) kpl.Client { return m.client }

func readmeDeaggregate(record types.Record, handle func([]byte)) {
	// README deaggregate {
	members, err := kpl.Deaggregate(record.Data)
	if err != nil {
		members = []kpl.Member{{PartitionKey: *record.PartitionKey, Data: record.Data}} // a record as it is
	}
	for _, member := range members {
		handle(member.Data)
	}
	// }
}

func TestReadme(t *testing.T) {
	k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: "events", Shards: 1})
	require.NoError(t, readmeLibrary(t.Context(), clientMaker{k}, aws.Config{}, []byte("payload")))
	stored := k.Records("events")
	require.Len(t, stored, 1)
	var handled []string
	handle := func(data []byte) { handled = append(handled, string(data)) }
	readmeDeaggregate(types.Record{PartitionKey: aws.String("user-7"), Data: stored[0].Data}, handle)
	assert.Equal(t, []string{"payload"}, handled)
}
