// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"go.uber.org/zap"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// connect returns a client of Kinesis, and a function that closes the client's idle connections. It sends nothing. It fails if
// a local file cannot be read or is wrong, if the region cannot be one, or if an endpoint has no TLS and that is not allowed.
func connect(ctx context.Context, cfg *Config, log *zap.Logger) (kpl.Client, func(), error) {
	return connectThrough(ctx, cfg, log, func(*http.Transport) {})
}

// connectThrough is connect with a network of its own: tune is called for each transport.
func connectThrough(
	ctx context.Context, cfg *Config, log *zap.Logger, tune func(*http.Transport),
) (kpl.Client, func(), error) {
	tlsOfCredentials, tlsOfUploads, err := cfg.AWS.tlsConfig(ctx)
	if err != nil {
		return nil, nil, err
	}
	load := func(ctx context.Context) (aws.Config, error) {
		return cfg.AWS.loadAWS(ctx, log, credentialsClient(func(t *http.Transport) {
			tlsOfCredentials(t)
			tune(t)
		}))
	}
	awsConfig, err := load(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	credentials := newRenewableCredentials(awsConfig.Credentials, load)
	forUploads := awsConfig.Copy()
	forUploads.Credentials = credentials
	forUploads.HTTPClient = kpl.NewHTTPClient(uploadClient(awsConfig.HTTPClient, tlsOfUploads), cfg.Producer.MaxConnections)
	client := kinesis.NewFromConfig(forUploads, func(o *kinesis.Options) {
		// Without a region the endpoint is not set. Then the SDK reports that the region is missing. With an endpoint it would
		// sign requests for an empty region.
		if cfg.AWS.Endpoint != "" && o.Region != "" {
			o.BaseEndpoint = aws.String(cfg.AWS.Endpoint)
		}
		o.APIOptions = append(o.APIOptions, credentials.watch)
	})
	endpoint := aws.ToString(client.Options().BaseEndpoint)
	if err := cfg.AWS.checkTLS(&awsConfig, endpoint); err != nil {
		return nil, nil, fmt.Errorf("aws: %w", err)
	}
	if err := cfg.AWS.checkVariant(&awsConfig, endpoint, client.Options().EndpointOptions); err != nil {
		return nil, nil, fmt.Errorf("aws: %w", err)
	}
	if region := client.Options().Region; region != "" {
		if err := checkRegion("the region of environment or profile", region, endpoint != ""); err != nil {
			return nil, nil, fmt.Errorf("aws: %w", err)
		}
	}
	closeIdle := func() {}
	if c, ok := forUploads.HTTPClient.(interface{ CloseIdleConnections() }); ok {
		closeIdle = c.CloseIdleConnections
	}
	return client, closeIdle, nil
}

// uploadClient returns the HTTP client of calls for credentials without what is only right for these. It keeps what the SDK has
// added, such as the authorities of AWS_CA_BUNDLE.
func uploadClient(forCredentials aws.HTTPClient, options func(*http.Transport)) aws.HTTPClient {
	buildable, ok := forCredentials.(*awshttp.BuildableClient)
	if !ok {
		return forCredentials
	}
	return buildable.WithTimeout(0).WithTransportOptions(options,
		func(t *http.Transport) { t.DisableKeepAlives = false })
}
