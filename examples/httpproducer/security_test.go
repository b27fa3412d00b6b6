// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// The log names events by their partition keys. Neither the log nor the answer to a failure shows a payload.
func TestPayloadsAreNotLogged(t *testing.T) {
	const marker = "marked-payload"
	for name, fault := range map[string]kpltest.Fault{
		"rejected":    kpltest.FailRecords(kpltest.CodeInvalidArgument, everyRecord),
		"throttled":   kpltest.FailRecords(kpltest.CodeThrottled, everyRecord),
		"unavailable": kpltest.FailCall(kpltest.CodeAccessDenied),
		"broken":      kpltest.Break(kpltest.ConnectionReset),
		"hanging":     kpltest.Break(kpltest.ConnectionHangs),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newApp(t, func(c *kpl.Config) { c.RecordTTL, c.RequestTimeout = 2*time.Second, time.Second })
				a.putRecords(fault)
				body := `{"partition_key":"k","payload":"` + marker + `"}`
				require.Equal(t, http.StatusAccepted, a.post(t.Context(), accepted, body).Code)
				failed := a.post(t.Context(), confirmed, body)
				require.Equal(t, http.StatusBadGateway, failed.Code)
				assert.NotContains(t, failed.Body.String(), marker)
				ended, cancel := context.WithCancel(t.Context())
				cancel()
				_ = a.producer.Close(ended) // it may or may not have had anything to give up on
				assert.Contains(t, a.log.String(), `"msg":"event not delivered","partition_key":"k"`)
				assert.NotContains(t, a.log.String(), marker)
			})
		})
	}
}
