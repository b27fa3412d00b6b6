// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// checkLines returns what the log says about the check at the start.
func checkLines(e *rig) []observer.LoggedEntry {
	return e.logs.FilterMessageSnippet("check at the start").All()
}

// dryRunAnswer is a service that answers dry runs with an error code, and counts them.
type dryRunAnswer struct {
	code  string
	calls int
	asked map[string]any // the last request
}

func (a *dryRunAnswer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.calls++
	_ = json.Unmarshal(body, &a.asked)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, `{"__type":%q,"message":"you sent %s"}`, a.code, r.Header.Get("X-Amz-Security-Token"))
}

// The check says in one line whether the stream would take a record, or why not and what to do. It makes one dry run, and
// tells no secret.
func TestCheckAtStart(t *testing.T) {
	denied := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>do-not-tell</Message></Error></ErrorResponse>`)
	})
	for name, tt := range map[string]struct {
		service, sts  http.Handler
		byARN, noKeys bool
		line          string
		cause, advice string
	}{
		"would be taken": {
			service: &dryRunAnswer{code: "DryRunOperationException"},
			line:    "The check at the start succeeded: the stream would take records",
		},
		"would be taken, by ARN": {
			service: &dryRunAnswer{code: "DryRunOperationException"}, byARN: true,
			line: "The check at the start succeeded: the stream would take records",
		},
		"not allowed": {
			service: &dryRunAnswer{code: "AccessDeniedException"},
			cause:   "AccessDeniedException", advice: "allow kinesis:PutRecords on the stream",
		},
		"no stream": {
			service: &dryRunAnswer{code: "ResourceNotFoundException"},
			cause:   "ResourceNotFoundException", advice: "create the stream",
		},
		"no key": {
			service: &dryRunAnswer{code: "KMSAccessDeniedException"},
			cause:   "KMSAccessDeniedException", advice: "allow kms:GenerateDataKey",
		},
		"old credentials": {
			service: &dryRunAnswer{code: "ExpiredTokenException"},
			cause:   "ExpiredTokenException", advice: "renew the credentials",
		},
		"other code": {
			service: &dryRunAnswer{code: "ValidationException"},
			cause:   "ValidationException", advice: "look the code up",
		},
		"no endpoint": {cause: "connection refused", advice: "see that aws::region and aws::endpoint are right"},
		"no role": {
			sts: denied, cause: "AccessDenied", advice: "trust policy",
		},
		"no credentials": {noKeys: true, advice: "give credentials by the environment"},
	} {
		t.Run(name, func(t *testing.T) {
			withoutAWS(t)
			t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			if !tt.noKeys {
				t.Setenv("AWS_ACCESS_KEY_ID", "do-not-tell-id")
				t.Setenv("AWS_SECRET_ACCESS_KEY", "do-not-tell-key")
				t.Setenv("AWS_SESSION_TOKEN", "do-not-tell-token")
			}
			c := directConfig()
			c.AWS.Endpoint, c.AWS.STSEndpoint, c.AWS.Insecure = "http://127.0.0.1:2", "http://127.0.0.1:1", true
			c.AWS.CheckAtStart = true
			network := pipes{}
			if tt.service != nil {
				network["127.0.0.1:2"] = tt.service
			}
			if tt.sts != nil {
				network["127.0.0.1:1"], c.AWS.RoleARN = tt.sts, writerRole
			}
			if tt.byARN {
				c.AWS.StreamName, c.AWS.StreamARN = "", "arn:aws:kinesis:us-east-1:123456789012:stream/telemetry"
			}
			synctest.Test(t, func(t *testing.T) {
				at := time.Now()
				e := network.start(t, c)
				assert.Zero(t, time.Since(at), "the start does not wait")
				advance(c.Producer.RequestTimeout)
				lines := checkLines(e)
				require.Len(t, lines, 1)
				assert.NotContains(t, told(t, e), "do-not-tell")
				assert.Empty(t, e.host.statuses())
				if service, is := tt.service.(*dryRunAnswer); is {
					assert.Equal(t, 1, service.calls)
					assert.Equal(t, true, service.asked["DryRun"])
					if tt.byARN {
						assert.Equal(t, c.AWS.StreamARN, service.asked["StreamARN"])
					} else {
						assert.Equal(t, testStream, service.asked["StreamName"])
					}
				}
				e.stop(t)
				if tt.line != "" {
					assert.Equal(t, zap.InfoLevel, lines[0].Level)
					assert.Equal(t, tt.line, lines[0].Message)
					return
				}
				assert.Equal(t, zap.WarnLevel, lines[0].Level)
				assert.Contains(t, lines[0].ContextMap()["cause"], tt.cause)
				assert.Contains(t, lines[0].ContextMap()["do"], tt.advice)
			})
		})
	}
}

// An endpoint that does not know dry runs stores a record without data. The log says so.
func TestCheckAtStartOfAnEmulator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, c := newTestKinesis(1), directConfig()
		c.AWS.CheckAtStart = true
		e := startLogs(t, k, c)
		advance(time.Second)
		lines := checkLines(e)
		require.Len(t, lines, 1)
		assert.Contains(t, lines[0].Message, "has stored an empty record")
		records := k.Records(testStream)
		require.Len(t, records, 1)
		assert.Empty(t, records[0].Data)
		e.stop(t)
	})
}

// A check that is not answered is given up after request_timeout. A stop does not wait for it.
func TestCheckAtStartWithoutAnAnswer(t *testing.T) {
	withoutAWS(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	c := directConfig()
	c.AWS.Endpoint, c.AWS.Insecure, c.AWS.CheckAtStart = "http://127.0.0.1:2", true, true
	synctest.Test(t, func(t *testing.T) {
		service := &silence{}
		service.on.Store(true)
		network := pipes{"127.0.0.1:2": service}
		e := network.start(t, c)
		advance(c.Producer.RequestTimeout + time.Millisecond)
		lines := checkLines(e)
		require.Len(t, lines, 1)
		assert.Equal(t, "context deadline exceeded", lines[0].ContextMap()["cause"])
		e.stop(t)

		e = network.start(t, c)
		advance(time.Second)
		at := time.Now()
		e.stop(t)
		assert.Zero(t, time.Since(at))
		assert.Empty(t, checkLines(e), "a stop is no cause")
	})
}

// Without the key nothing is sent before there is data.
func TestNoCheckByDefault(t *testing.T) {
	withoutAWS(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	c := directConfig()
	c.AWS.Endpoint, c.AWS.Insecure = "http://127.0.0.1:2", true
	synctest.Test(t, func(t *testing.T) {
		service := &dryRunAnswer{code: "DryRunOperationException"}
		e := pipes{"127.0.0.1:2": service}.start(t, c)
		advance(time.Minute)
		assert.Zero(t, service.calls)
		e.stop(t)
	})
}
