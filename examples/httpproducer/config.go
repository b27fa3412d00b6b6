// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// config is what the program is told.
type config struct {
	listen   string // address to listen on
	stream   string // name or ARN
	region   string // empty: where the SDK finds one
	endpoint string // empty: that of the region
	producer kpl.Config
	grace    time.Duration // how long a drain may take
	client   time.Duration // how long a client may take to send a request, and again to take its answer
}

// clientTime is the time that clients have. It is a part of the grace, so that no slow client uses up a drain.
const clientTime = 10 * time.Second

// configFrom reads the environment.
func configFrom(getenv func(string) string) (config, error) {
	cfg := config{
		listen:   cmp.Or(getenv("LISTEN_ADDRESS"), "127.0.0.1:8080"),
		stream:   getenv("KINESIS_STREAM"),
		region:   getenv("AWS_REGION"),
		endpoint: getenv("KINESIS_ENDPOINT"),
		client:   clientTime,
	}
	if cfg.stream == "" {
		return config{}, errors.New("KINESIS_STREAM must be set to the name or ARN of a stream")
	}
	// Every record that the producer holds has its result by then.
	producer := cfg.producer.WithDefaults()
	cfg.grace = producer.RecordTTL + producer.RequestTimeout + 4*time.Second
	return cfg, nil
}

// credentialsTimeout is how long one call for credentials may take. It bounds PutRecords calls too.
const credentialsTimeout = 5 * time.Second

// newProducer returns a producer with credentials as the SDK finds them.
func newProducer(ctx context.Context, cfg config) (*kpl.Producer, error) {
	// A call for credentials that is never answered would stop all requests without a timeout here.
	client := awshttp.NewBuildableClient().WithTimeout(credentialsTimeout)
	loaded, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(cfg.region), awsconfig.WithHTTPClient(client),
		awsconfig.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = client }))
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	if loaded.Region == "" {
		return nil, errors.New("AWS_REGION must be set to the region of the stream")
	}
	return kpl.NewFromConfig(loaded, cfg.producer, func(o *kinesis.Options) {
		if cfg.endpoint != "" {
			o.BaseEndpoint = aws.String(cfg.endpoint)
		}
	})
}
