// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

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
	if cfg.unverified { // for Kinesis only: the calls for credentials, which carry secrets, have their client already
		loaded.HTTPClient = awshttp.NewBuildableClient().WithTimeout(credentialsTimeout).WithTransportOptions(func(t *http.Transport) {
			t.TLSClientConfig.InsecureSkipVerify = true // requested, and warned of
		})
	}
	return kpl.NewFromConfig(loaded, cfg.producer, func(o *kinesis.Options) {
		if cfg.endpoint != "" {
			o.BaseEndpoint = aws.String(cfg.endpoint)
		}
	})
}
