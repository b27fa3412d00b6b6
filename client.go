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

// AWSConfig says where the stream is and who may write to it. Credentials come from the SDK's default chain:
// environment, shared files, container and instance roles.
type AWSConfig struct {
	// Region of the stream. Empty means that of StreamARN, else what the SDK finds in the environment and the profile.
	Region string `mapstructure:"region"`
	// StreamName and StreamARN name the stream; exactly one of them is required.
	StreamName string `mapstructure:"stream_name"`
	StreamARN  string `mapstructure:"stream_arn"`
	// Endpoint is the URL of the service. Empty means that of the region.
	Endpoint string `mapstructure:"endpoint"`
	// Profile of the shared configuration files. Empty means what the SDK takes by default.
	Profile string `mapstructure:"profile"`
	// RoleARN is a role to assume. Empty means none.
	RoleARN string `mapstructure:"role_arn"`
	// ExternalID goes with RoleARN, where the role asks for it.
	ExternalID string `mapstructure:"external_id"`
	// CAFile has the certificates of the authorities to trust instead of the system's, in PEM.
	CAFile string `mapstructure:"ca_file"`
	// InsecureSkipVerify trusts any certificate. For tests.
	InsecureSkipVerify bool `mapstructure:"insecure_skip_verify"`
	// Insecure allows an Endpoint without TLS. For tests.
	Insecure bool `mapstructure:"insecure"`

	_ struct{}
}

// Validate checks the block on its own.
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

// streamResource is what the resource of a stream's ARN starts with; the name follows.
const streamResource = "stream/"

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

// stream returns the name or ARN by which the producer knows the stream.
func (c *AWSConfig) stream() string {
	if c.StreamARN != "" {
		return c.StreamARN
	}
	return c.StreamName
}

// streamLabel returns the name of the stream.
func (c *AWSConfig) streamLabel() string {
	if stream, err := parseStreamARN(c.StreamARN); err == nil {
		return stream.Resource[len(streamResource):]
	}
	return c.StreamName
}

// region returns the region of the configuration, empty if the SDK shall find it.
func (c *AWSConfig) region() string {
	if stream, err := parseStreamARN(c.StreamARN); err == nil {
		return stream.Region
	}
	return c.Region
}

// connect returns a client of the service, and a function that closes its idle connections. It sends nothing: the only
// errors are those of local files.
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
		if cfg.AWS.Endpoint != "" && o.Region != "" { // without a region the SDK is to say so, not to sign for none
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

// errEndpointWithoutTLS is for an endpoint of the configuration, or of the environment or profile that the SDK reads.
var errEndpointWithoutTLS = errors.New("endpoint has no TLS: use https://, or set insecure to true")

// withoutTLS reports whether endpoint is a URL that is called in clear text.
func withoutTLS(endpoint string) bool {
	parsed, err := url.Parse(endpoint)
	return err == nil && parsed.Scheme == "http"
}

// tlsConfig returns a function that sets what the configuration says about certificates.
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
