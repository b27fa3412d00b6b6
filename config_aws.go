// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"go.opentelemetry.io/collector/config/configtls"
)

// AWSConfig names the stream and says how to reach it. Credentials come from the default chain of the AWS SDK: environment,
// shared files, web identity, roles of containers and instances.
type AWSConfig struct {
	// Region of the stream. If it is empty, the region of StreamARN is used. If there is no StreamARN either, the SDK takes
	// the region from the environment or the profile.
	Region string `mapstructure:"region"`
	// StreamName and StreamARN name the stream of all signals that have none of their own. At most one of them may be set. One is
	// required, unless each signal in use has a stream of its own.
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
	// SessionName is the name of the role's session, which CloudTrail shows. Needs RoleARN. Empty means kinesis_kpl.
	SessionName string `mapstructure:"session_name"`
	// STSRegion is the region of the calls of STS. Empty means the region of the stream.
	STSRegion string `mapstructure:"sts_region"`
	// STSEndpoint is the URL of STS, for example that of a VPC endpoint. Empty means the endpoint of the region.
	STSEndpoint string `mapstructure:"sts_endpoint"`
	// TLS is how connections are secured: authorities to trust, a certificate of the exporter, versions. The zero value trusts
	// the authorities of the system. What it says holds for Kinesis and for the services that credentials come from; ServerName
	// holds for Kinesis only. Whether there is TLS at all is said by the scheme of Endpoint, so TLS.Insecure must be false.
	TLS configtls.ClientConfig `mapstructure:"tls"`
	// UseFIPSEndpoint makes all calls go to endpoints whose cryptography is validated by FIPS 140. False leaves it to the
	// environment or the profile. Excludes Endpoint and STSEndpoint.
	UseFIPSEndpoint bool `mapstructure:"use_fips_endpoint"`
	// UseDualStackEndpoint makes all calls go to endpoints that have IPv6 addresses too. False leaves it to the environment or
	// the profile. Excludes Endpoint and STSEndpoint.
	UseDualStackEndpoint bool `mapstructure:"use_dualstack_endpoint"`
	// CheckAtStart asks the service at the start whether it would take a record, and logs the answer.
	CheckAtStart bool `mapstructure:"check_at_start"`
	// Insecure allows an Endpoint and an STSEndpoint without TLS. It is meant for tests.
	Insecure bool `mapstructure:"insecure"`

	_ struct{}
}

// Validate returns an error for each key of the block that is wrong. The errors name the keys.
func (c *AWSConfig) Validate() error {
	return errors.Join(c.validateStream(), c.checkEndpoint("endpoint", c.Endpoint), c.validateSTS(), c.validateVariant(),
		c.validateTLS())
}

// validateSTS checks the keys about roles and STS.
func (c *AWSConfig) validateSTS() error {
	errs := []error{c.checkEndpoint("sts_endpoint", c.STSEndpoint)}
	if c.RoleARN != "" && !roleForm.MatchString(c.RoleARN) {
		errs = append(errs, fmt.Errorf("role_arn must be the ARN of a role, like arn:aws:iam::123456789012:role/name, found %q",
			c.RoleARN))
	}
	if c.ExternalID != "" && c.RoleARN == "" {
		errs = append(errs, errors.New("external_id needs role_arn: set role_arn, or leave external_id out"))
	}
	switch {
	case c.SessionName == "":
	case c.RoleARN == "":
		errs = append(errs, errors.New("session_name needs role_arn: set role_arn, or leave session_name out (for a web identity, "+
			"the environment variable AWS_ROLE_SESSION_NAME sets it)"))
	case !sessionNameForm.MatchString(c.SessionName):
		errs = append(errs, fmt.Errorf("session_name must have 2 to 64 of the characters a-z, A-Z, 0-9, _, +, =, comma, ., @ and -, "+
			"found %q with %d", c.SessionName, len([]rune(c.SessionName))))
	}
	if c.STSRegion != "" {
		errs = append(errs, checkRegion("sts_region", c.STSRegion, c.STSEndpoint != ""))
	}
	return errors.Join(errs...)
}

// validateStream checks the keys that name the stream, and its region.
func (c *AWSConfig) validateStream() error {
	if c.StreamName != "" && c.StreamARN != "" {
		return errors.New("exactly one of stream_name and stream_arn must be set")
	}
	var errs []error
	if c.StreamName != "" {
		errs = append(errs, checkStreamName(c.StreamName, "stream_arn"))
	}
	if c.Region != "" {
		errs = append(errs, checkRegion("region", c.Region, c.Endpoint != ""))
	}
	if c.StreamARN != "" {
		stream, err := parseStreamARN(c.StreamARN)
		if err == nil && errors.Join(errs...) == nil && c.Region != "" && c.Region != stream.Region {
			err = fmt.Errorf("region is %q, but the stream of stream_arn is in %q: leave region out", c.Region, stream.Region)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// validateVariant checks the keys that choose among the endpoints of the region.
func (c *AWSConfig) validateVariant() error {
	var own []string
	if c.Endpoint != "" {
		own = append(own, "endpoint")
	}
	if c.STSEndpoint != "" {
		own = append(own, "sts_endpoint")
	}
	var errs []error
	for _, variant := range []struct {
		key string
		on  bool
	}{{"use_fips_endpoint", c.UseFIPSEndpoint}, {"use_dualstack_endpoint", c.UseDualStackEndpoint}} {
		if variant.on && len(own) > 0 {
			errs = append(errs, errOwnEndpoint(strings.Join(own, " and "), variant.key))
		}
	}
	return errors.Join(errs...)
}

// errOwnEndpoint is the error of an endpoint that excludes a choice among the endpoints of the region. Source is the key or the
// variable that has the endpoint, choice is what makes the choice.
func errOwnEndpoint(source, choice string) error {
	return fmt.Errorf("%s and %s exclude each other: leave out %[2]s and write the URL that you want, or leave out %[1]s",
		source, choice)
}

// checkEndpoint checks the URL of a service, which is the value of key.
func (c *AWSConfig) checkEndpoint(key, value string) error {
	if value == "" {
		return nil
	}
	endpoint, err := url.Parse(value)
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "https" && endpoint.Scheme != "http" {
		return fmt.Errorf("%s must be an https:// or http:// URL, found %q", key, redacted(value))
	}
	if withoutTLS(value) && !c.Insecure {
		return errWithoutTLS(key, value)
	}
	if endpoint.User != nil || endpoint.RawQuery != "" || endpoint.Fragment != "" {
		return fmt.Errorf("%s must have no user, query or fragment, found %q: leave it out, credentials come from "+
			"the SDK's default chain", key, redacted(value))
	}
	return nil
}

// Forms that names of the service have.
var (
	allowedForm     = regexp.MustCompile(`^[a-zA-Z0-9_.*-]{1,128}$`)
	streamNameForm  = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,128}$`)
	partitionForm   = regexp.MustCompile(`^aws[a-z-]*$`)
	accountForm     = regexp.MustCompile(`^\d{12}$`)
	roleForm        = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/.+$`)
	sessionNameForm = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	regionForm      = regexp.MustCompile(`^(fips-)?[a-z]{2,8}(-[a-z]+)+-\d{1,2}(-fips)?$`)
	hostLabelForm   = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$`)
)

// streamNameRule says which names of streams there are.
const streamNameRule = "must have 1 to 128 of the characters a-z, A-Z, 0-9, _, . and -"

// checkStreamName returns an error if no stream can have that name. An ARN belongs into arnKey.
func checkStreamName(name, arnKey string) error {
	switch {
	case strings.HasPrefix(name, "arn:"):
		return fmt.Errorf("stream_name must be a name, found the ARN %q: write it as %s, or write the name alone", name, arnKey)
	case !streamNameForm.MatchString(name):
		return fmt.Errorf("stream_name %s, found %q with %d", streamNameRule, name, len([]rune(name)))
	}
	return nil
}

// checkRegion returns an error if no region has that name. Emulators take any name that a host can have. Source is the key that
// has it.
func checkRegion(source, region string, ownEndpoint bool) error {
	if regionForm.MatchString(region) {
		return nil
	}
	if of := strings.TrimRight(region, "abcdef"); regionForm.MatchString(of) {
		return fmt.Errorf("%s must be like us-east-1, found %q (that is an availability zone: write %s)", source, region, of)
	}
	if ownEndpoint && hostLabelForm.MatchString(region) {
		return nil
	}
	return fmt.Errorf("%s must be like us-east-1, found %q", source, region)
}

// streamResource is the beginning of the resource in a stream's ARN. The name of the stream follows.
const streamResource = "stream/"

// parseStreamARN parses the ARN of a stream. It fails for ARNs of anything else.
func parseStreamARN(s string) (arn.ARN, error) {
	parsed, err := arn.Parse(s)
	if err != nil {
		parsed = arn.ARN{}
	}
	name, isStream := strings.CutPrefix(parsed.Resource, streamResource)
	of, consumer, isConsumer := strings.Cut(name, "/consumer/")
	wrong := ""
	switch {
	case err != nil && streamNameForm.MatchString(s):
		wrong = "this is a name: write it as stream_name"
	case err != nil:
		wrong = "this is no ARN"
	case parsed.Service != "kinesis":
		wrong = fmt.Sprintf("this is an ARN of the service %q", parsed.Service)
	case !partitionForm.MatchString(parsed.Partition):
		wrong = fmt.Sprintf("there is no partition %q", parsed.Partition)
	case !regionForm.MatchString(parsed.Region):
		wrong = fmt.Sprintf("its region must be like us-east-1, and is %q", parsed.Region)
	case !accountForm.MatchString(parsed.AccountID):
		wrong = fmt.Sprintf("its account must have 12 digits, and is %q", parsed.AccountID)
	case isStream && isConsumer:
		wrong = fmt.Sprintf("this is the ARN of the consumer %q: leave out what follows stream/%s", consumer, of)
	case !isStream:
		wrong = fmt.Sprintf("this is the ARN of %q, which is no stream", parsed.Resource)
	case !streamNameForm.MatchString(name):
		wrong = "its name of the stream " + streamNameRule
	}
	if wrong != "" {
		return arn.ARN{}, fmt.Errorf("stream_arn must be like arn:aws:kinesis:us-east-1:123456789012:stream/name, found %q: %s",
			s, wrong)
	}
	return parsed, nil
}

// address returns what the producer calls a stream: its ARN if the configuration has one, else its name. An empty name means
// the stream of the configuration.
func (c *AWSConfig) address(name string) string {
	if c.StreamARN == "" {
		return cmp.Or(name, c.StreamName)
	}
	stream, err := parseStreamARN(c.StreamARN)
	if err != nil || name == "" {
		return c.StreamARN
	}
	stream.Resource = streamResource + name
	return stream.String()
}

// streamLabel returns the name of a stream, for metrics. Address is what the producer calls it.
func streamLabel(address string) string {
	if stream, err := parseStreamARN(address); err == nil {
		return stream.Resource[len(streamResource):]
	}
	return address
}

// region returns the region that is configured. If it is empty, the SDK looks for one.
func (c *AWSConfig) region() string {
	if stream, err := parseStreamARN(c.StreamARN); err == nil {
		return stream.Region
	}
	return c.Region
}
