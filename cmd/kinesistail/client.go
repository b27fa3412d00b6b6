// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// client is the part of the Kinesis API that a reader calls; [*kinesis.Client] is one.
type client interface {
	ListShards(context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error)
	GetShardIterator(context.Context, *kinesis.GetShardIteratorInput, ...func(*kinesis.Options)) (
		*kinesis.GetShardIteratorOutput, error)
	GetRecords(context.Context, *kinesis.GetRecordsInput, ...func(*kinesis.Options)) (*kinesis.GetRecordsOutput, error)
}

// streamName is the name of a stream or its ARN, as the API wants them in separate fields.
type streamName string

func (s streamName) isARN() bool { return strings.HasPrefix(string(s), "arn:") }

func (s streamName) name() *string {
	if s.isARN() {
		return nil
	}
	return aws.String(string(s))
}

func (s streamName) arn() *string {
	if !s.isARN() {
		return nil
	}
	return aws.String(string(s))
}

// newClient returns a client of the service, with credentials and region as the SDK finds them.
func newClient(ctx context.Context, o options) (*kinesis.Client, error) {
	region := o.region
	if region == "" && o.stream.isARN() {
		parsed, err := arn.Parse(string(o.stream))
		if err != nil {
			return nil, fmt.Errorf("-stream: %w", err)
		}
		region = parsed.Region
	}
	load := []func(*config.LoadOptions) error{
		config.WithRegion(region),
		config.WithSharedConfigProfile(o.profile),
		config.WithHTTPClient(newNetwork()),
	}
	if o.caFile != "" {
		authorities, err := os.ReadFile(o.caFile)
		if err != nil {
			return nil, fmt.Errorf("-ca-file: %w", err)
		}
		load = append(load, config.WithCustomCABundle(bytes.NewReader(authorities)))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("load AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("no AWS region: give -region, or set AWS_REGION")
	}
	o.role.assume(&cfg)
	return kinesis.NewFromConfig(cfg, func(k *kinesis.Options) {
		k.Retryer = newRetryer()
		k.HTTPClient = kpl.NewHTTPClient(k.HTTPClient, maxBatches) // a connection for each call at a time
		if o.endpoint != "" {
			k.BaseEndpoint = aws.String(o.endpoint)
		}
	}), nil
}

// newNetwork returns an HTTP client that gives up soon where nothing answers.
func newNetwork() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
		WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = answerTimeout })
}
