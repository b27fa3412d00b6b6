// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadata"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// The Collector's own contract for exporters. What the other side accepts arrives once. What it rejects for now is sent
// again. What it rejects for ever is not.
func TestConsumeContract(t *testing.T) {
	for _, signal := range []pipeline.Signal{pipeline.SignalLogs, pipeline.SignalTraces, pipeline.SignalMetrics} {
		t.Run(signal.String(), func(t *testing.T) {
			c := directConfig()
			c.Producer.RecordMaxBufferedTime = time.Millisecond
			c.Producer.FailIfThrottled = true // so that it is retry_on_failure that sends again
			c.Retry.Enabled = true
			c.Retry.InitialInterval, c.Retry.MaxInterval = time.Millisecond, time.Millisecond
			m, err := marshaler.New(c.marshalerConfig(marshaler.Logs))
			require.NoError(t, err)
			peer := &consumingPeer{Kinesis: newTestKinesis(1), marshaler: m}
			exportertest.CheckConsumeContract(exportertest.CheckConsumeContractParams{
				T:                    t,
				NumberOfTestElements: 10,
				Signal:               signal,
				ExporterFactory:      factoryFor(peer),
				ExporterConfig:       c,
				ReceiverFactory:      peer.factory(),
			})
		})
	}
}

// consumingPeer is a service that hands each record to a consumer before it answers, and answers as the consumer does.
type consumingPeer struct {
	*kpltest.Kinesis
	component.StartFunc
	component.ShutdownFunc

	marshaler *marshaler.Marshaler
	consume   func(context.Context, []byte) error
}

func (p *consumingPeer) PutRecords(
	ctx context.Context, in *kinesis.PutRecordsInput, _ ...func(*kinesis.Options),
) (*kinesis.PutRecordsOutput, error) {
	out := &kinesis.PutRecordsOutput{}
	for _, record := range in.Records {
		result := types.PutRecordsResultEntry{ShardId: aws.String("shardId-000000000000"), SequenceNumber: aws.String("1")}
		if err := p.consume(ctx, record.Data); consumererror.IsPermanent(err) {
			result = types.PutRecordsResultEntry{ErrorCode: aws.String(kpltest.CodeInvalidArgument)}
		} else if err != nil {
			result = types.PutRecordsResultEntry{ErrorCode: aws.String(kpltest.CodeThrottled)}
		}
		out.Records = append(out.Records, result)
	}
	return out, nil
}

func consumeAs[T any](
	unmarshal func([]byte) (T, error), consume func(context.Context, T) error,
) func(context.Context, []byte) error {
	return func(ctx context.Context, data []byte) error {
		request, err := unmarshal(data)
		if err != nil {
			return err
		}
		return consume(ctx, request)
	}
}

// factory returns the factory of a receiver that makes the peer hand on to the receiver's consumer.
func (p *consumingPeer) factory() receiver.Factory {
	return receiver.NewFactory(metadata.Type, func() component.Config { return &struct{}{} },
		receiver.WithLogs(func(
			_ context.Context, _ receiver.Settings, _ component.Config, next consumer.Logs,
		) (receiver.Logs, error) {
			p.consume = consumeAs(p.marshaler.UnmarshalLogs, next.ConsumeLogs)
			return p, nil
		}, component.StabilityLevelAlpha),
		receiver.WithTraces(func(
			_ context.Context, _ receiver.Settings, _ component.Config, next consumer.Traces,
		) (receiver.Traces, error) {
			p.consume = consumeAs(p.marshaler.UnmarshalTraces, next.ConsumeTraces)
			return p, nil
		}, component.StabilityLevelAlpha),
		receiver.WithMetrics(func(
			_ context.Context, _ receiver.Settings, _ component.Config, next consumer.Metrics,
		) (receiver.Metrics, error) {
			p.consume = consumeAs(p.marshaler.UnmarshalMetrics, next.ConsumeMetrics)
			return p, nil
		}, component.StabilityLevelAlpha))
}
