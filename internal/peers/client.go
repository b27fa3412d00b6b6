// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// Region is the region of all clients and stand-ins in these tests.
const Region = "us-east-1"

// The credentials of all clients in these tests. No stand-in checks signatures.
const accessKeyID, secretAccessKey = "test", "test"

// Environment returns the environment variables that the SDK of a program needs. They also keep it from reading configuration
// files of this machine.
func Environment() map[string]string {
	return map[string]string{ //nolint:gosec // They are made up.
		"AWS_REGION":                  Region,
		"AWS_ACCESS_KEY_ID":           accessKeyID,
		"AWS_SECRET_ACCESS_KEY":       secretAccessKey,
		"AWS_SESSION_TOKEN":           "",
		"AWS_PROFILE":                 "",
		"AWS_CONFIG_FILE":             "/dev/null",
		"AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
		"AWS_EC2_METADATA_DISABLED":   "true",
	}
}

// NewClient returns a client of the SDK that does not retry.
func NewClient(t testing.TB, endpoint string) *kinesis.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return kpltest.NewClient(endpoint, transport)
}
