// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// The payload is written to the output only. Credentials are written nowhere. Both hold with and without an error.
func TestErrorsShowNeitherPayloadNorCredentials(t *testing.T) {
	const payload = "marked-payload"
	for name, fault := range map[string]kpltest.Fault{
		"read":   nil,
		"denied": kpltest.ForOperation(kpltest.OpGetRecords, kpltest.FailCall(kpltest.CodeAccessDenied)),
		"forged": kpltest.FailCall(kpltest.CodeUnrecognizedClient),
	} {
		t.Run(name, func(t *testing.T) {
			k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
			put(t, k, lowestHashKey+" "+payload)
			putData(t, k, lowestHashKey, frame([]byte(payload))) // is taken for an aggregate, and is none
			if fault != nil {
				k.Inject(fault)
			}
			args := append(serve(t, k), "-stream", stream)
			secrets := map[string]string{
				"AWS_ACCESS_KEY_ID":     "AKIAMARKED",
				"AWS_SECRET_ACCESS_KEY": "marked/secret",
				"AWS_SESSION_TOKEN":     "marked-token",
			}
			for variable, secret := range secrets {
				t.Setenv(variable, secret)
			}
			var stdout, stderr bytes.Buffer
			err := run(t.Context(), args, &stdout, &stderr)
			told := stderr.String()
			if fault != nil {
				require.Error(t, err)
				told += err.Error()
			} else {
				require.NoError(t, err)
				assert.Contains(t, stdout.String(), payload)
			}
			assert.NotContains(t, told, payload)
			assert.NotContains(t, told, "bWFya2VkLXBheWxvYWQ")
			for _, secret := range secrets {
				assert.NotContains(t, told+stdout.String(), secret)
			}
		})
	}
}
