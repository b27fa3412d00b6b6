// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// Who hands out secret keys needs TLS as the stream does. The error names the URL and where it comes from.
func TestEndpointsOfCredentialsNeedTLS(t *testing.T) {
	const role = "role_arn = arn:aws:iam::123456789012:role/writer\n"
	for name, tt := range map[string]struct {
		environment map[string]string
		profile     string
		tune        func(*Config)
		want        string // empty: starts
	}{
		"STS for role_arn": {
			environment: map[string]string{"AWS_ENDPOINT_URL_STS": "http://sts.local"},
			tune:        func(c *Config) { c.AWS.RoleARN = "arn:aws:iam::123456789012:role/writer" },
			want:        "aws: AWS_ENDPOINT_URL_STS is http://sts.local, which has no TLS",
		},
		"any service for role_arn": {
			environment: map[string]string{"AWS_ENDPOINT_URL": "HTTP://user:secret@all.local"},
			tune: func(c *Config) {
				c.AWS.RoleARN, c.AWS.Endpoint = "arn:aws:iam::123456789012:role/writer", "https://kinesis.local"
			},
			want: "aws: AWS_ENDPOINT_URL is http://user:xxxxx@all.local, which has no TLS",
		},
		"any service, told once": {
			environment: map[string]string{"AWS_ENDPOINT_URL": "http://all.local"},
			tune:        func(c *Config) { c.AWS.RoleARN = "arn:aws:iam::123456789012:role/writer" },
			want:        "aws: AWS_ENDPOINT_URL is http://all.local, which has no TLS: use https://, or set aws::insecure to true",
		},
		"the stream": {
			environment: map[string]string{"AWS_ENDPOINT_URL_KINESIS": "http://kinesis.local"},
			want:        "aws: AWS_ENDPOINT_URL_KINESIS is http://kinesis.local, which has no TLS",
		},
		"STS of the shared files for role_arn": {
			profile: "[default]\nservices = local\n[services local]\nsts =\n  endpoint_url = http://sts.local\n",
			tune:    func(c *Config) { c.AWS.RoleARN = "arn:aws:iam::123456789012:role/writer" },
			want:    "aws: endpoint_url of STS in the shared AWS configuration is http://sts.local, which has no TLS",
		},
		"STS for a profile with a role": {
			environment: map[string]string{"AWS_ENDPOINT_URL_STS": "http://sts.local"},
			profile: "[profile writer]\n" + role + "source_profile = base\n" +
				"[profile base]\naws_access_key_id = id\naws_secret_access_key = secret\n",
			tune: func(c *Config) { c.AWS.Profile = "writer" },
			want: "AWS_ENDPOINT_URL_STS is http://sts.local",
		},
		"STS for a token": {
			environment: map[string]string{
				"AWS_ENDPOINT_URL_STS": "http://sts.local", "AWS_WEB_IDENTITY_TOKEN_FILE": "token",
				"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/writer",
			},
			want: "AWS_ENDPOINT_URL_STS is http://sts.local",
		},
		"SSO": {
			environment: map[string]string{"AWS_ENDPOINT_URL_SSO": "http://sso.local"},
			profile: "[default]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n" +
				"[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://x.awsapps.com/start\n",
			want: "AWS_ENDPOINT_URL_SSO is http://sso.local",
		},
		"insecure": {
			environment: map[string]string{"AWS_ENDPOINT_URL_STS": "http://sts.local"},
			tune: func(c *Config) {
				c.AWS.RoleARN, c.AWS.Insecure = "arn:aws:iam::123456789012:role/writer", true
			},
		},
		"STS that nobody calls": {
			environment: map[string]string{
				"AWS_ENDPOINT_URL_STS": "http://sts.local", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret",
			},
			profile: "[default]\n" + role + "source_profile = default\naws_access_key_id = id\naws_secret_access_key = secret\n",
		},
		"with TLS": {
			environment: map[string]string{"AWS_ENDPOINT_URL_STS": "https://sts.local"},
			tune:        func(c *Config) { c.AWS.RoleARN = "arn:aws:iam::123456789012:role/writer" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			withoutAWS(t)
			for variable, value := range tt.environment {
				t.Setenv(variable, value)
			}
			writeProfile(t, "AWS_CONFIG_FILE", tt.profile)
			c := directConfig()
			if tt.tune != nil {
				tt.tune(c)
			}
			e := newRig(t, NewFactory(), c)
			err := e.Start(t.Context(), e.host)
			e.stop(t)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "secret")
			assert.NotContains(t, err.Error(), "\n", "one fault, one error")
		})
	}
}

// A region that the SDK finds is looked at as one in the configuration.
func TestRegionOfTheEnvironmentIsChecked(t *testing.T) {
	for region, want := range map[string]string{
		"eu-west-1a": `the region of environment or profile must be like us-east-1, found "eu-west-1a" (that is an availability zone`,
		"eu_west_1":  `must be like us-east-1, found "eu_west_1"`,
		"eu-west-1":  "",
	} {
		withoutAWS(t)
		t.Setenv("AWS_REGION", region)
		c := directConfig()
		c.AWS.Region = ""
		e := newRig(t, NewFactory(), c)
		err := e.Start(t.Context(), e.host)
		e.stop(t)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
	}
}

func TestValidateStreamAddress(t *testing.T) {
	const prefix = "arn:aws:kinesis:us-east-1:123456789012:"
	for name, tt := range map[string]struct {
		aws  AWSConfig
		want string // empty: valid
	}{
		"a name": {AWSConfig{StreamName: "prod.logs_2-a"}, ""},
		"slash": {
			AWSConfig{StreamName: "prod/logs"},
			`stream_name must have 1 to 128 of the characters a-z, A-Z, 0-9, _, . and -, found "prod/logs"`,
		},
		"space":       {AWSConfig{StreamName: " logs"}, `found " logs" with 5`},
		"long":        {AWSConfig{StreamName: string(make([]byte, 129))}, "with 129"},
		"name is ARN": {AWSConfig{StreamName: prefix + "stream/logs"}, "write it as stream_arn"},
		"ARN is name": {AWSConfig{StreamARN: "logs"}, "this is a name: write it as stream_name"},
		"no ARN":      {AWSConfig{StreamARN: "stream/logs"}, "this is no ARN"},
		"consumer": {
			AWSConfig{StreamARN: prefix + "stream/logs/consumer/reader:1"},
			`this is the ARN of the consumer "reader:1": leave out what follows stream/logs`,
		},
		"no account": {
			AWSConfig{StreamARN: "arn:aws:kinesis:us-east-1::stream/logs"},
			`its account must have 12 digits, and is ""`,
		},
		"short account": {
			AWSConfig{StreamARN: "arn:aws:kinesis:us-east-1:1234:stream/logs"},
			`its account must have 12 digits, and is "1234"`,
		},
		"no region": {
			AWSConfig{StreamARN: "arn:aws:kinesis::123456789012:stream/logs"},
			`its region must be like us-east-1, and is ""`,
		},
		"other service": {
			AWSConfig{StreamARN: "arn:aws:firehose:us-east-1:123456789012:deliverystream/logs"},
			`this is an ARN of the service "firehose"`,
		},
		"no stream": {AWSConfig{StreamARN: prefix + "logs"}, `this is the ARN of "logs", which is no stream`},
		"no name":   {AWSConfig{StreamARN: prefix + "stream/"}, "its name of the stream must have 1 to 128"},
		"name with a slash": {
			AWSConfig{StreamARN: prefix + "stream/prod/logs"},
			"its name of the stream must have 1 to 128",
		},
		"other partition": {
			AWSConfig{StreamARN: "arn:gcp:kinesis:us-east-1:123456789012:stream/a"},
			`there is no partition "gcp"`,
		},
		"ARN, government":  {AWSConfig{StreamARN: "arn:aws-us-gov:kinesis:us-gov-west-1:123456789012:stream/a"}, ""},
		"region":           {AWSConfig{StreamName: "a", Region: "eu-isoe-west-1"}, ""},
		"region with FIPS": {AWSConfig{StreamName: "a", Region: "us-gov-west-1-fips"}, ""},
		"zone": {
			AWSConfig{StreamName: "a", Region: "us-east-1a"},
			`region must be like us-east-1, found "us-east-1a" (that is an availability zone: write us-east-1)`,
		},
		"underlines": {
			AWSConfig{StreamName: "a", Region: "us_east_1"},
			`region must be like us-east-1, found "us_east_1"`,
		},
		"upper case":         {AWSConfig{StreamName: "a", Region: "US-EAST-1"}, "region must be like us-east-1"},
		"name of the place":  {AWSConfig{StreamName: "a", Region: "Ireland"}, "region must be like us-east-1"},
		"region of emulator": {AWSConfig{StreamName: "a", Region: "local", Endpoint: "https://localhost:4567"}, ""},
		"zone, endpoint": {
			AWSConfig{StreamName: "a", Region: "us-east-1b", Endpoint: "https://localhost:4567"}, "write us-east-1)",
		},
		"no host": {
			AWSConfig{StreamName: "a", Region: "a b", Endpoint: "https://localhost:4567"},
			"region must be like us-east-1",
		},
		"one key, one error": {
			AWSConfig{StreamARN: prefix + "stream/a", Region: "us_east_1"},
			`region must be like us-east-1, found "us_east_1"`,
		},
		"http endpoint": {
			AWSConfig{StreamName: "a", Endpoint: "http://u:secret@localhost:4567"},
			"endpoint is http://u:xxxxx@localhost:4567, which has no TLS: use https://, or set aws::insecure to true",
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := tt.aws.Validate()
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "\n")
			assert.NotContains(t, err.Error(), "secret")
		})
	}
}

// namedWrongly is a service whose answer to each PutRecords call is that the name of the stream is wrong.
type namedWrongly struct{ kpl.Client }

func (namedWrongly) PutRecords(
	context.Context, *kinesis.PutRecordsInput, ...func(*kinesis.Options),
) (*kinesis.PutRecordsOutput, error) {
	return nil, &smithy.GenericAPIError{Code: "ValidationException", Message: "1 validation error detected: Value 'telemetry' " +
		"at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+"}
}

// If the service rejects the name of the stream, nothing is wrong with the data. The data goes back, and the status says why.
func TestNameThatTheServiceRejects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startLogs(t, namedWrongly{newTestKinesis(1)}, directConfig())
		for range 2 {
			err := r.ConsumeLogs(t.Context(), logsOf("a", "b"))
			require.ErrorIs(t, err, kpl.ErrUnavailable)
			require.ErrorContains(t, err, "at 'streamName'")
			assert.False(t, consumererror.IsPermanent(err))
		}
		assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError}, r.host.statuses())
		assert.Zero(t, r.sum(t, "items_put", "outcome", "rejected"))
		r.stop(t)
	})
}
