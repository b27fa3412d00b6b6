// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	"go.uber.org/zap"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadata"
)

// credentialsTimeout is how long one HTTP call for credentials may take: to STS, SSO, IMDS, or the agent of a container.
//
// All calls of the service wait for the same call for credentials, and the SDK lets that call run on when they have given up.
// So without this bound a call that is never answered would stop the exporter until it is restarted.
const credentialsTimeout = 5 * time.Second

// renewPause is the least time from one reading of the credentials' sources to the next.
const renewPause = 5 * time.Second

// credentialsClient returns the HTTP client of the calls for credentials. They are rare, so it keeps no connection.
func credentialsClient(options func(*http.Transport)) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTimeout(credentialsTimeout).WithTransportOptions(options,
		func(t *http.Transport) { t.DisableKeepAlives = true })
}

// loadAWS returns the configuration of the SDK from environment and shared files. Its HTTP client is that of the calls for
// credentials.
func (c *AWSConfig) loadAWS(
	ctx context.Context, log *zap.Logger, network *awshttp.BuildableClient,
) (aws.Config, error) {
	loaded, err := config.LoadDefaultConfig(ctx, c.variant,
		config.WithRegion(c.region()),
		config.WithSharedConfigProfile(c.Profile),
		config.WithHTTPClient(network),
		config.WithLogger(sdkLogger{log}),
		config.WithAPIOptions([]func(*middleware.Stack) error{userAgent}),
		config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = network }),
		config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
			if client, is := o.Client.(*sts.Client); is {
				o.Client = c.ownSTS(client)
			}
		}),
		config.WithWebIdentityRoleCredentialOptions(func(o *stscreds.WebIdentityRoleOptions) {
			if client, is := o.Client.(*sts.Client); is {
				o.Client = c.ownSTS(client)
			}
		}),
	)
	if err != nil || c.RoleARN == "" {
		return loaded, err
	}
	client := c.ownSTS(sts.NewFromConfig(loaded))
	role := stscreds.NewAssumeRoleProvider(client, c.RoleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = cmp.Or(c.SessionName, metadata.Type.String())
		if c.ExternalID != "" {
			o.ExternalID = aws.String(c.ExternalID)
		}
	})
	loaded.Credentials = aws.NewCredentialsCache(role)
	return loaded, nil
}

// variant chooses among the endpoints of the region. What is not set is left to the environment and the shared files.
func (c *AWSConfig) variant(o *config.LoadOptions) error {
	if c.UseFIPSEndpoint {
		o.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
	}
	if c.UseDualStackEndpoint {
		o.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
	}
	return nil
}

// ownSTS returns a client of STS with the region and the endpoint of the configuration, where it has them.
func (c *AWSConfig) ownSTS(client *sts.Client) *sts.Client {
	if c.STSRegion == "" && c.STSEndpoint == "" {
		return client
	}
	return sts.New(client.Options(), func(o *sts.Options) {
		o.Region = cmp.Or(c.STSRegion, o.Region)
		if c.STSEndpoint != "" {
			o.BaseEndpoint = aws.String(c.STSEndpoint)
		}
	})
}

// renewableCredentials are credentials whose sources are read again when they do not serve any more. The SDK reads shared files
// once, but other processes rewrite them. It also never leaves a call for credentials that hangs.
type renewableCredentials struct {
	load func(context.Context) (aws.Config, error)

	mu       sync.Mutex
	provider aws.CredentialsProvider // guarded by mu
	loaded   time.Time               // when the sources were last read, with or without success; guarded by mu
	stale    bool                    // the sources are to be read again; guarded by mu
}

// newRenewableCredentials returns the credentials of a provider that load has just returned.
func newRenewableCredentials(
	provider aws.CredentialsProvider, load func(context.Context) (aws.Config, error),
) *renewableCredentials {
	return &renewableCredentials{load: load, provider: provider, loaded: time.Now()}
}

// Retrieve implements [aws.CredentialsProvider]. The credentials are cached in the provider.
func (c *renewableCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	found, err := c.current(ctx).Retrieve(ctx)
	if err != nil {
		c.expire()
	}
	return found, err
}

// current returns the provider. It reads the sources again if that is due. If they cannot be read, perhaps because they are just
// being written, it stays with what it has.
func (c *renewableCredentials) current(ctx context.Context) aws.CredentialsProvider {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stale && time.Since(c.loaded) >= renewPause {
		c.loaded = time.Now()
		if loaded, err := c.load(ctx); err == nil {
			c.provider, c.stale = loaded.Credentials, false
		}
	}
	return c.provider
}

// expire makes the sources be read again before the next use, but not sooner than renewPause after the last time.
func (c *renewableCredentials) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stale = true
}

// watch makes a client tell c when the service does not know its credentials.
func (c *renewableCredentials) watch(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("RenewCredentials", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		out, answer, err := next.HandleInitialize(ctx, in)
		if credentialsUnknown(err) {
			c.expire()
		}
		return out, answer, err
	}), middleware.After)
}

// credentialsUnknown reports whether a service does not know the credentials of a call, or not any more.
func credentialsUnknown(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode() {
	case "ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId",
		"InvalidAccessKeyId", "InvalidSignatureException", "SignatureDoesNotMatch":
		return true
	default:
		return false
	}
}
