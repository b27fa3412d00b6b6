// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the SDK puts before an error is left out. The cause stands at the end, and it is kept.
func TestTextOf(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"boom", "boom"},
		{
			`operation error Kinesis: PutRecords, https response error StatusCode: 0, RequestID: , request send failed, Post ` +
				`"https://k.example/": dial tcp: lookup k.example: no such host`,
			`Post "https://k.example/": dial tcp: lookup k.example: no such host`,
		},
		{
			"operation error Kinesis: ListShards, get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS " +
				"role found, operation error ec2imds: GetMetadata, exceeded maximum number of attempts, 3, request send failed, x",
			"failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata, exceeded maximum " +
				"number of attempts, 3, request send failed, x",
		},
		{
			"operation error Kinesis: PutRecords, exceeded maximum number of attempts, 3, https response error StatusCode: 502, " +
				"RequestID: abc, deserialization failed",
			"deserialization failed",
		},
	} {
		assert.Equal(t, tt.want, textOf(errors.New(tt.text)))
	}
}

// A long message keeps its beginning and its end, and says that something is missing.
func TestMessageOf(t *testing.T) {
	assert.Equal(t, "short", messageOf("short"))
	exact := strings.Repeat("x", maxMessage)
	assert.Equal(t, exact, messageOf(exact))
	long := messageOf("begins " + strings.Repeat("ü", 4000) + " ends")
	assert.True(t, strings.HasPrefix(long, "begins ü"), long)
	assert.True(t, strings.HasSuffix(long, "ü ends"), long)
	assert.Equal(t, 1, strings.Count(long, ellipsis))
	assert.LessOrEqual(t, len(long), maxMessage)
	assert.Equal(t, "a", messageOf("a\xff"))
}

// The values of secrets are masked, however they are written.
func TestMasked(t *testing.T) {
	const secret = "SeCrEt"
	for _, text := range []string{
		"host:h\nx-amz-security-token:%s\nx-amz-target:T", "X-Amz-Security-Token: %s", "?X-Amz-Security-Token=%s&x=y",
		"map[X-Amz-Security-Token:[%s] Host:[h]]", `{"SessionToken": "%s","x":1}`, "<SecretAccessKey>%s</SecretAccessKey>",
		"aws_secret_access_key = %s", "Credential=%s/20260101/us-east-1/kinesis/aws4_request, Signature=%[1]s",
		"Authorization: AWS4-HMAC-SHA256 Credential=%s/x, SignedHeaders=host, Signature=%[1]s", "Authorization: Bearer %s",
		"SESSIONTOKEN=%s", "Ä x-amz-security-token:%s",
	} {
		got := masked(fmt.Sprintf(text, secret))
		assert.NotContains(t, got, secret, text)
		assert.Contains(t, got, "***", text)
	}
	for _, text := range []string{
		"", "plain", "the security token included in the request is expired: x", "the x-amz-security-token header is missing: a",
		"Credential must have 5 parts: no", "ends with authorization:",
	} {
		assert.Equal(t, text, masked(text))
	}
	assert.Equal(t, "a x-amz-security-token:***\nb: c", masked("a x-amz-security-token:x\nb: c"), "the rest stays")
}

// The answer of a proxy is told with its HTTP status, and not with the name that the SDK has for it.
func TestCodeOfStatus(t *testing.T) {
	code, message := codeOfStatus(http.StatusBadGateway, CodeUnknown, CodeUnknown)
	assert.Equal(t, "HTTP502", code)
	assert.Equal(t, "an answer with HTTP status 502 Bad Gateway that is not in the form of the service", message)
	_, message = codeOfStatus(http.StatusOK, CodeUnknown, "no JSON")
	assert.Equal(t, "an answer with HTTP status 200 OK that is not in the form of the service: no JSON", message)
	code, message = codeOfStatus(http.StatusBadRequest, "Whatever", "m")
	assert.Equal(t, "Whatever: m", code+": "+message)
}

// The id of a request is in each attempt, in the error of a record, and in what an Observer hears.
func TestRequestIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const id = "id-of-the-request"
		answers := 0
		w := &endpoint{
			requestID: id,
			list:      func(int) wireAnswer { return theOnlyShard() },
			put: func(_ int, data []string) wireAnswer {
				answers++
				answer := errorAnswer("InternalFailure", "m")
				switch {
				case data[0] == "good" && answers > 1:
					answer = entriesAnswer(storedEntry)
				case data[0] == "bad":
					answer = errorAnswer("AccessDeniedException", "no")
				}
				return answer
			},
		}
		var outage string
		ids := map[string]bool{}
		p := startProducer(t, w.client(), func(c *Config) {
			c.Observer.AvailabilityChanged = func(e AvailabilityEvent) { outage = e.Err.Error() }
			c.Observer.RequestFinished = func(e RequestEvent) { ids[e.RequestID] = true }
		})
		result, err := p.PutWait(t.Context(), UserRecord{Stream: testStream, PartitionKey: "key", Data: []byte("good")})
		require.NoError(t, err)
		require.Len(t, result.Attempts, 2)
		for _, attempt := range result.Attempts {
			assert.Equal(t, id, attempt.RequestID)
		}
		_, err = p.PutWait(t.Context(), UserRecord{Stream: testStream, PartitionKey: "key", Data: []byte("bad")})
		var failure *RecordError
		require.ErrorAs(t, err, &failure)
		assert.Equal(t, id, failure.RequestID)
		require.ErrorContains(t, err, "AccessDeniedException: no (request id "+id+")")
		assert.Contains(t, outage, "(request id "+id+")")
		assert.Equal(t, map[string]bool{id: true}, ids)
	})
}
