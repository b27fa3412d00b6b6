package kinesiskplexporter

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// AWSConfig names the stream and says how to reach it. Credentials come from the default chain of the AWS SDK: environment,
// shared files, roles of containers and instances.
type AWSConfig struct {
	// Region of the stream. If it is empty, the region of StreamARN is used. If there is no StreamARN either, the SDK takes
	// the region from the environment or the profile.
	Region string `mapstructure:"region"`
	// StreamName and StreamARN name the stream. Exactly one of them is required.
	StreamName string `mapstructure:"stream_name"`
	StreamARN  string `mapstructure:"stream_arn"`
	// Endpoint is the URL of the service. Empty means the endpoint of the region.
	Endpoint string `mapstructure:"endpoint"`
	// Profile is a profile of the shared configuration files. Empty means the default of the SDK.
	Profile string `mapstructure:"profile"`
	// RoleARN is a role to assume. Empty means none.
	RoleARN string `mapstructure:"role_arn"`
	// ExternalID is sent when RoleARN is assumed. Some roles require it. Empty means none.
	ExternalID string `mapstructure:"external_id"`
	// CAFile is a file in PEM with the certificate authorities to trust. Empty means the authorities of the system.
	CAFile string `mapstructure:"ca_file"`
	// InsecureSkipVerify accepts any certificate. It is meant for tests.
	InsecureSkipVerify bool `mapstructure:"insecure_skip_verify"`
	// Insecure allows an Endpoint without TLS. It is meant for tests.
	Insecure bool `mapstructure:"insecure"`

	_ struct{}
}

// Validate returns an error for each key of the block that is wrong. The errors name the keys.
func (c *AWSConfig) Validate() error {
	var errs []error
	if (c.StreamName == "") == (c.StreamARN == "") {
		errs = append(errs, errors.New("exactly one of stream_name and stream_arn must be set"))
	}
	if c.StreamARN != "" {
		stream, err := parseStreamARN(c.StreamARN)
		if err != nil {
			errs = append(errs, err)
		} else if c.Region != "" && c.Region != stream.Region {
			errs = append(errs, fmt.Errorf("region is %q, but the stream of stream_arn is in %q", c.Region, stream.Region))
		}
	}
	if c.Endpoint != "" {
		endpoint, err := url.Parse(c.Endpoint)
		switch {
		case err != nil || endpoint.Host == "" || endpoint.Scheme != "https" && endpoint.Scheme != "http":
			errs = append(errs, fmt.Errorf("endpoint must be an https:// or http:// URL, found %q", c.Endpoint))
		case withoutTLS(c.Endpoint) && !c.Insecure:
			errs = append(errs, errEndpointWithoutTLS)
		}
	}
	if c.RoleARN != "" && !arn.IsARN(c.RoleARN) {
		errs = append(errs, fmt.Errorf("role_arn must be an ARN, found %q", c.RoleARN))
	}
	if c.ExternalID != "" && c.RoleARN == "" {
		errs = append(errs, errors.New("external_id needs role_arn"))
	}
	if c.CAFile != "" && c.InsecureSkipVerify {
		errs = append(errs, errors.New("ca_file and insecure_skip_verify exclude each other"))
	}
	return errors.Join(errs...)
}

// streamResource is the beginning of the resource in a stream's ARN. The name of the stream follows.
const streamResource = "stream/"

// parseStreamARN parses the ARN of a stream. It fails for ARNs of anything else.
func parseStreamARN(s string) (arn.ARN, error) {
	parsed, err := arn.Parse(s)
	if err != nil || parsed.Service != "kinesis" || len(parsed.Resource) <= len(streamResource) ||
		parsed.Resource[:len(streamResource)] != streamResource {
		return arn.ARN{}, fmt.Errorf(
			"stream_arn must be like arn:aws:kinesis:us-east-1:123456789012:stream/name, found %q", s,
		)
	}
	return parsed, nil
}

// stream returns what the producer calls the stream: its name or its ARN.
func (c *AWSConfig) stream() string {
	if c.StreamARN != "" {
		return c.StreamARN
	}
	return c.StreamName
}

// streamLabel returns the name of the stream, for metrics.
func (c *AWSConfig) streamLabel() string {
	if stream, err := parseStreamARN(c.StreamARN); err == nil {
		return stream.Resource[len(streamResource):]
	}
	return c.StreamName
}

// region returns the region that is configured. If it is empty, the SDK looks for one.
func (c *AWSConfig) region() string {
	if stream, err := parseStreamARN(c.StreamARN); err == nil {
		return stream.Region
	}
	return c.Region
}

// connect returns a client of Kinesis, and a function that closes the client's idle connections. It sends nothing. It fails if
// a local file cannot be read or is wrong, or if the endpoint has no TLS and that is not allowed.
func connect(ctx context.Context, cfg *Config) (kpl.Client, func(), error) {
	tlsConfig, err := cfg.AWS.tlsConfig()
	if err != nil {
		return nil, nil, err
	}
	awsConfig, err := config.LoadDefaultConfig(ctx,
		config.WithRegion(cfg.AWS.region()),
		config.WithSharedConfigProfile(cfg.AWS.Profile),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(
			func(t *http.Transport) { tlsConfig(t.TLSClientConfig) })),
	)
	if err != nil {
		return nil, nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	uploads := kpl.NewHTTPClient(awsConfig.HTTPClient, cfg.Producer.MaxConnections)
	awsConfig.HTTPClient = uploads
	if cfg.AWS.RoleARN != "" {
		role := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(awsConfig), cfg.AWS.RoleARN,
			func(o *stscreds.AssumeRoleOptions) {
				if cfg.AWS.ExternalID != "" {
					o.ExternalID = aws.String(cfg.AWS.ExternalID)
				}
			})
		awsConfig.Credentials = aws.NewCredentialsCache(role)
	}
	client := kinesis.NewFromConfig(awsConfig, func(o *kinesis.Options) {
		// Without a region the endpoint is not set. Then the SDK reports that the region is missing. With an endpoint it would
		// sign requests for an empty region.
		if cfg.AWS.Endpoint != "" && o.Region != "" {
			o.BaseEndpoint = aws.String(cfg.AWS.Endpoint)
		}
	})
	if endpoint := aws.ToString(client.Options().BaseEndpoint); !cfg.AWS.Insecure && withoutTLS(endpoint) {
		return nil, nil, fmt.Errorf("aws: %w", errEndpointWithoutTLS)
	}
	closeIdle := func() {}
	if c, ok := uploads.(interface{ CloseIdleConnections() }); ok {
		closeIdle = c.CloseIdleConnections
	}
	return client, closeIdle, nil
}

// errEndpointWithoutTLS is for an endpoint in the configuration, and for one that the SDK finds in environment or profile.
var errEndpointWithoutTLS = errors.New("endpoint has no TLS: use https://, or set insecure to true")

// withoutTLS reports whether endpoint is a URL without TLS.
func withoutTLS(endpoint string) bool {
	parsed, err := url.Parse(endpoint)
	return err == nil && parsed.Scheme == "http"
}

// tlsConfig returns a function that applies CAFile and InsecureSkipVerify. It fails if CAFile cannot be used.
func (c *AWSConfig) tlsConfig() (func(*tls.Config), error) {
	if c.CAFile == "" {
		return func(t *tls.Config) { t.InsecureSkipVerify = c.InsecureSkipVerify }, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("aws::ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("aws::ca_file: %s has no certificate in PEM", c.CAFile)
	}
	return func(t *tls.Config) { t.RootCAs = pool }, nil
}
