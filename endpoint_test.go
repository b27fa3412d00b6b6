// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// dialedHosts returns the addresses that an exporter connects to when it has data, with the client that collectors have.
func dialedHosts(t *testing.T, c *Config) []string {
	t.Helper()
	var mu sync.Mutex
	var addresses []string // guarded by mu
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	c.Producer.RecordTTL, c.Producer.RecordMaxBufferedTime = 100*time.Millisecond, time.Millisecond
	e := newRig(t, newFactory(func(ctx context.Context, c *Config, log *zap.Logger) (kpl.Client, func(), error) {
		return connectThrough(ctx, c, log, func(tr *http.Transport) {
			tr.Proxy = nil
			tr.DialContext = func(_ context.Context, _, address string) (net.Conn, error) {
				mu.Lock()
				defer mu.Unlock()
				addresses = append(addresses, address)
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
			}
		})
	}), c)
	require.NoError(t, e.Start(t.Context(), e.host))
	require.Error(t, e.ConsumeLogs(t.Context(), logsOf("a")))
	e.stop(t)
	mu.Lock()
	defer mu.Unlock()
	return addresses
}

// The hosts that a firewall has to let through. An account is in the host if the stream has an ARN, or if the credentials name
// their account and the mode is not disabled. Listing shards has a host of its own then.
func TestHosts(t *testing.T) {
	byARN := func(c *AWSConfig) {
		c.StreamName, c.StreamARN = "", "arn:aws:kinesis:us-east-1:123456789012:stream/telemetry"
	}
	for name, tt := range map[string]struct {
		tune    func(*AWSConfig)
		environ map[string]string
		want    []string
	}{
		"a name": {want: []string{"kinesis.us-east-1.amazonaws.com:443"}},
		"FIPS": {
			tune: func(c *AWSConfig) { c.UseFIPSEndpoint = true },
			want: []string{"kinesis-fips.us-east-1.amazonaws.com:443"},
		},
		"dual stack": {
			tune: func(c *AWSConfig) { c.UseDualStackEndpoint = true },
			want: []string{"kinesis.us-east-1.api.aws:443"},
		},
		"FIPS and dual stack": {
			tune: func(c *AWSConfig) { c.UseFIPSEndpoint, c.UseDualStackEndpoint = true, true },
			want: []string{"kinesis-fips.us-east-1.api.aws:443"},
		},
		"FIPS of the environment": {
			environ: map[string]string{"AWS_USE_FIPS_ENDPOINT": "true"},
			want:    []string{"kinesis-fips.us-east-1.amazonaws.com:443"},
		},
		"FIPS for a role": {
			tune: func(c *AWSConfig) { c.UseFIPSEndpoint, c.RoleARN = true, writerRole },
			want: []string{"sts-fips.us-east-1.amazonaws.com:443"},
		},
		"an ARN": {tune: byARN, want: []string{
			"123456789012.control-kinesis.us-east-1.amazonaws.com:443", "123456789012.data-kinesis.us-east-1.amazonaws.com:443",
		}},
		"an ARN and FIPS": {
			tune: func(c *AWSConfig) { byARN(c); c.UseFIPSEndpoint = true },
			want: []string{
				"123456789012.control-kinesis-fips.us-east-1.amazonaws.com:443",
				"123456789012.data-kinesis-fips.us-east-1.amazonaws.com:443",
			},
		},
		"an ARN, accounts disabled": {
			tune: byARN, environ: map[string]string{"AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled"},
			want: []string{
				"123456789012.control-kinesis.us-east-1.amazonaws.com:443", "123456789012.data-kinesis.us-east-1.amazonaws.com:443",
			},
		},
		"credentials with an account": {
			environ: map[string]string{"AWS_ACCOUNT_ID": "210987654321"},
			want: []string{
				"210987654321.control-kinesis.us-east-1.amazonaws.com:443", "210987654321.data-kinesis.us-east-1.amazonaws.com:443",
			},
		},
		"credentials with an account, disabled": {
			environ: map[string]string{"AWS_ACCOUNT_ID": "210987654321", "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled"},
			want:    []string{"kinesis.us-east-1.amazonaws.com:443"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			withoutAWS(t)
			t.Setenv("AWS_ACCESS_KEY_ID", "AKIABASE")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
			for variable, value := range tt.environ {
				t.Setenv(variable, value)
			}
			c := directConfig()
			if tt.tune != nil {
				tt.tune(&c.AWS)
			}
			require.NoError(t, c.AWS.Validate())
			hosts := dialedHosts(t, c)
			slices.Sort(hosts)
			assert.Equal(t, tt.want, slices.Compact(hosts))
		})
	}
}

// An endpoint of the environment excludes a choice among those of the region too. The SDK would fail each call.
func TestEndpointsExcludeVariants(t *testing.T) {
	for name, tt := range map[string]struct {
		environ map[string]string
		tune    func(*AWSConfig)
		want    string
	}{
		"both of the environment": {
			map[string]string{"AWS_ENDPOINT_URL_KINESIS": "https://kinesis.local", "AWS_USE_FIPS_ENDPOINT": "true"},
			func(*AWSConfig) {},
			"aws: AWS_ENDPOINT_URL_KINESIS and AWS_USE_FIPS_ENDPOINT exclude each other: leave out AWS_USE_FIPS_ENDPOINT",
		},
		"endpoint of the environment": {
			map[string]string{"AWS_ENDPOINT_URL": "https://aws.local"},
			func(c *AWSConfig) { c.UseDualStackEndpoint = true },
			"aws: AWS_ENDPOINT_URL and use_dualstack_endpoint exclude each other",
		},
		"choice of the environment": {
			map[string]string{"AWS_USE_DUALSTACK_ENDPOINT": "true"},
			func(c *AWSConfig) { c.Endpoint = "https://kinesis.local" },
			"aws: endpoint and AWS_USE_DUALSTACK_ENDPOINT exclude each other",
		},
		"choice of the profile": {
			nil,
			func(c *AWSConfig) { c.Endpoint, c.Profile = "https://kinesis.local", "fips" },
			"aws: endpoint and use_fips_endpoint of the profile exclude each other",
		},
		"STS": {
			map[string]string{"AWS_ENDPOINT_URL_STS": "https://sts.local"},
			func(c *AWSConfig) { c.UseFIPSEndpoint, c.RoleARN = true, writerRole },
			"aws: AWS_ENDPOINT_URL_STS and use_fips_endpoint exclude each other",
		},
		"STS that nobody calls": {
			map[string]string{"AWS_ENDPOINT_URL_STS": "https://sts.local"},
			func(c *AWSConfig) { c.UseFIPSEndpoint = true },
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			withoutAWS(t)
			for variable, value := range tt.environ {
				t.Setenv(variable, value)
			}
			writeProfile(t, "AWS_CONFIG_FILE", "[profile fips]\nuse_fips_endpoint = true\n")
			c := directConfig()
			tt.tune(&c.AWS)
			e := newRig(t, NewFactory(), c)
			err := e.Start(t.Context(), e.host)
			e.stop(t)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "\n", "one fault, one error")
		})
	}
}
