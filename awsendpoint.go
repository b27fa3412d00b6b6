// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"errors"
	"fmt"
	"iter"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// withoutTLS reports whether endpoint is a URL without TLS.
func withoutTLS(endpoint string) bool {
	parsed, err := url.Parse(endpoint)
	return err == nil && parsed.Scheme == "http"
}

// errWithoutTLS is the error of an endpoint without TLS that is not allowed. Source is the key or the variable that has it.
func errWithoutTLS(source, endpoint string) error {
	return fmt.Errorf("%s is %s, which has no TLS: use https://, or set aws::insecure to true", source, redacted(endpoint))
}

// redacted returns an endpoint without the password that it may have.
func redacted(endpoint string) string {
	if parsed, err := url.Parse(endpoint); err == nil && parsed.Opaque == "" {
		return parsed.Redacted()
	}
	if at := strings.LastIndexByte(endpoint, '@'); at >= 0 {
		return "xxxxx" + endpoint[at:]
	}
	return endpoint
}

// checkTLS returns an error if the endpoint of the service has no TLS, or that of another service which hands out secret keys.
// Neither is allowed without insecure. OfStream is the endpoint of the stream's client. Empty means that of the region, which
// has TLS.
func (c *AWSConfig) checkTLS(loaded *aws.Config, ofStream string) error {
	if c.Insecure {
		return nil
	}
	var errs []error
	for source, endpoint := range c.ownEndpoints(loaded, ofStream) {
		if withoutTLS(endpoint) {
			errs = append(errs, errWithoutTLS(source, endpoint))
		}
	}
	return errors.Join(errs...)
}

// checkVariant returns an error if there is an endpoint of somebody's own and a choice among those of the region. The SDK would
// fail each call then.
func (c *AWSConfig) checkVariant(loaded *aws.Config, ofStream string, chosen kinesis.EndpointResolverOptions) error {
	var errs []error
	for source := range c.ownEndpoints(loaded, ofStream) {
		if chosen.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled {
			errs = append(errs, errOwnEndpoint(source, variantSource("use_fips_endpoint", c.UseFIPSEndpoint)))
		}
		if chosen.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled {
			errs = append(errs, errOwnEndpoint(source, variantSource("use_dualstack_endpoint", c.UseDualStackEndpoint)))
		}
	}
	return errors.Join(errs...)
}

// variantSource says what makes a choice among the endpoints of the region: a key of the block, a variable, or the profile.
func variantSource(key string, set bool) string {
	variable := "AWS_" + strings.ToUpper(key)
	switch {
	case set:
		return key
	case os.Getenv(variable) != "":
		return variable
	}
	return key + " of the profile"
}

// ownEndpoints yields the endpoints that are not those of a region, each source of one once: of the stream, and of the other
// services that credentials come from.
func (c *AWSConfig) ownEndpoints(loaded *aws.Config, ofStream string) iter.Seq2[string, string] {
	endpoints := map[string]string{"Kinesis": ofStream}
	if c.usesSTS(loaded) {
		endpoints["STS"] = aws.ToString(c.ownSTS(sts.NewFromConfig(*loaded)).Options().BaseEndpoint)
	}
	if c.usesSSO(loaded) {
		endpoints["SSO"] = aws.ToString(sso.NewFromConfig(*loaded).Options().BaseEndpoint)
		endpoints["SSO OIDC"] = aws.ToString(ssooidc.NewFromConfig(*loaded).Options().BaseEndpoint)
	}
	return func(yield func(source, endpoint string) bool) {
		var told []string
		for _, service := range []string{"Kinesis", "STS", "SSO", "SSO OIDC"} {
			source := c.endpointSource(service, endpoints[service])
			if endpoints[service] == "" || slices.Contains(told, source) {
				continue
			}
			told = append(told, source)
			if !yield(source, endpoints[service]) {
				return
			}
		}
	}
}

// endpointSource says where the endpoint of a service comes from: a key of the block, a variable, or the shared files.
func (c *AWSConfig) endpointSource(service, endpoint string) string {
	if service == "Kinesis" && endpoint == c.Endpoint {
		return "endpoint"
	}
	if service == "STS" && endpoint == c.STSEndpoint {
		return "sts_endpoint"
	}
	for _, variable := range []string{
		"AWS_ENDPOINT_URL_" + strings.ToUpper(strings.ReplaceAll(service, " ", "_")), "AWS_ENDPOINT_URL",
	} {
		if os.Getenv(variable) == endpoint {
			return variable
		}
	}
	return "endpoint_url of " + service + " in the shared AWS configuration"
}

// usesSTS reports whether credentials come from STS.
func (c *AWSConfig) usesSTS(loaded *aws.Config) bool {
	for _, source := range loaded.ConfigSources {
		if env, ok := source.(config.EnvConfig); ok && env.WebIdentityTokenFilePath != "" {
			return true
		}
	}
	return c.RoleARN != "" || c.profileHas(loaded, func(p *config.SharedConfig) bool {
		return p.RoleARN != "" || p.WebIdentityTokenFile != ""
	})
}

// usesSSO reports whether credentials come from IAM Identity Center.
func (c *AWSConfig) usesSSO(loaded *aws.Config) bool {
	return c.profileHas(loaded, func(p *config.SharedConfig) bool { return p.SSOSession != nil || p.SSOAccountID != "" })
}

// profileHas reports whether credentials come from a profile of the shared files for which is holds, or for a profile that it
// refers to.
func (c *AWSConfig) profileHas(loaded *aws.Config, is func(*config.SharedConfig) bool) bool {
	for _, source := range loaded.ConfigSources {
		switch source := source.(type) {
		case config.EnvConfig:
			if c.Profile == "" && source.Credentials.HasKeys() {
				return false // the SDK takes these
			}
		case config.SharedConfig:
			for p := &source; p != nil; p = p.Source {
				if is(p) {
					return true
				}
			}
		}
	}
	return false
}
