// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const writerRole = "arn:aws:iam::123456789012:role/writer"

// fakeSTS hands out credentials for the role that is asked for, and keeps the requests. The access key says the number of the
// request, so that Kinesis shows whose credentials sign.
type fakeSTS struct {
	mu         sync.Mutex
	forms      []url.Values // guarded by mu
	signatures []string     // guarded by mu
}

func (s *fakeSTS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forms = append(s.forms, r.PostForm)
	s.signatures = append(s.signatures, r.Header.Get("Authorization"))
	action := r.PostForm.Get("Action")
	fmt.Fprintf(w, `<%[1]sResponse><%[1]sResult><Credentials><AccessKeyId>ASIA%[2]d</AccessKeyId>`+
		`<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%[3]s</Expiration></Credentials>`+
		`</%[1]sResult></%[1]sResponse>`, action, len(s.forms), inAnHour())
}

// signedBy is a service that keeps the access keys of its calls.
type signedBy struct {
	http.Handler

	mu   sync.Mutex
	keys []string // guarded by mu
}

func (s *signedBy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	key, _, _ := strings.Cut(credential, "/")
	s.mu.Lock()
	s.keys = append(s.keys, key)
	s.mu.Unlock()
	s.Handler.ServeHTTP(w, r)
}

// used returns the different keys, in the order of their first calls.
func (s *signedBy) used() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var different []string
	for _, key := range s.keys {
		if len(different) == 0 || different[len(different)-1] != key {
			different = append(different, key)
		}
	}
	return different
}

// Every call of STS goes to sts_endpoint and is signed for sts_region, wherever the role comes from. The session has the name
// of the configuration, or the name of the exporter.
func TestRolesByOwnSTS(t *testing.T) {
	for name, tt := range map[string]struct {
		set       func(*testing.T, *Config)
		session   string // empty: any
		signature string // empty: the call is not signed
		action    string
	}{
		"role_arn": {func(t *testing.T, c *Config) {
			t.Helper()
			t.Setenv("AWS_ACCESS_KEY_ID", "AKIABASE")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
			c.AWS.RoleARN = writerRole
		}, "kinesis_kpl", "Credential=AKIABASE/", "AssumeRole"},
		"role_arn with session_name": {func(t *testing.T, c *Config) {
			t.Helper()
			t.Setenv("AWS_ACCESS_KEY_ID", "AKIABASE")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
			c.AWS.RoleARN, c.AWS.SessionName = writerRole, "collector-7"
		}, "collector-7", "Credential=AKIABASE/", "AssumeRole"},
		"a profile": {func(t *testing.T, c *Config) {
			t.Helper()
			writeProfile(t, "AWS_CONFIG_FILE", "[profile writer]\nrole_arn = "+writerRole+"\nsource_profile = base\n"+
				"[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = secret\n")
			c.AWS.Profile = "writer"
		}, "", "Credential=AKIABASE/", "AssumeRole"},
		"a token": {func(t *testing.T, _ *Config) {
			t.Helper()
			file := filepath.Join(t.TempDir(), "token")
			require.NoError(t, os.WriteFile(file, []byte("header.claims.signature"), 0o600))
			t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", file)
			t.Setenv("AWS_ROLE_ARN", writerRole)
			t.Setenv("AWS_ROLE_SESSION_NAME", "pod-7")
		}, "pod-7", "", "AssumeRoleWithWebIdentity"},
	} {
		t.Run(name, func(t *testing.T) {
			withoutAWS(t)
			k, tokens := newTestKinesis(1), &fakeSTS{}
			service := &signedBy{Handler: k.Handler()}
			stsServer, server := httptest.NewServer(tokens), httptest.NewServer(service)
			defer stsServer.Close()
			defer server.Close()
			c := directConfig()
			c.AWS.Endpoint, c.AWS.Insecure = server.URL, true
			c.AWS.STSEndpoint, c.AWS.STSRegion = stsServer.URL, "eu-west-3"
			tt.set(t, c)
			e := startReal(t, c)
			for range 3 {
				require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a")))
			}
			assert.Equal(t, []string{"ASIA1"}, service.used())
			require.Len(t, tokens.forms, 1, "once for all calls")
			assert.Equal(t, tt.action, tokens.forms[0].Get("Action"))
			assert.Equal(t, writerRole, tokens.forms[0].Get("RoleArn"))
			if tt.session != "" {
				assert.Equal(t, tt.session, tokens.forms[0].Get("RoleSessionName"))
			}
			if tt.signature == "" {
				assert.Equal(t, "header.claims.signature", tokens.forms[0].Get("WebIdentityToken"))
				assert.Empty(t, tokens.signatures[0])
			} else {
				assert.Contains(t, tokens.signatures[0], tt.signature)
				assert.Contains(t, tokens.signatures[0], "/eu-west-3/sts/aws4_request")
			}
			assert.NotContains(t, told(t, e), "header.claims.signature")
		})
	}
}

// Without sts_endpoint, STS is called in sts_region.
func TestRegionOfSTS(t *testing.T) {
	withoutAWS(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIABASE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	c := directConfig()
	c.AWS.RoleARN, c.AWS.STSRegion = writerRole, "eu-west-3"
	assert.Contains(t, dialedHosts(t, c), "sts.eu-west-3.amazonaws.com:443")
	c.AWS.STSRegion = ""
	assert.Contains(t, dialedHosts(t, c), "sts.us-east-1.amazonaws.com:443")
}

// A role can be assumed with the credentials of a pod's token: both calls of STS go to sts_endpoint.
func TestRoleOverWebIdentity(t *testing.T) {
	withoutAWS(t)
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("token"), 0o600))
	t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", file)
	t.Setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod")
	c := directConfig()
	c.AWS.Endpoint, c.AWS.STSEndpoint, c.AWS.Insecure = "http://127.0.0.1:2", "http://127.0.0.1:1", true
	c.AWS.RoleARN = writerRole
	synctest.Test(t, func(t *testing.T) {
		k, tokens := newTestKinesis(1), &fakeSTS{}
		service := &signedBy{Handler: k.Handler()}
		e := pipes{"127.0.0.1:1": tokens, "127.0.0.1:2": service}.start(t, c)
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a")))
		e.stop(t)
		require.Len(t, tokens.forms, 2)
		assert.Equal(t, "arn:aws:iam::123456789012:role/pod", tokens.forms[0].Get("RoleArn"))
		assert.Equal(t, writerRole, tokens.forms[1].Get("RoleArn"))
		assert.Contains(t, tokens.signatures[1], "Credential=ASIA1/")
		assert.Equal(t, []string{"ASIA2"}, service.used())
	})
}

// Kubernetes writes a new token into the file now and then. Each call for credentials sends the one of the moment: to STS for
// a web identity, and to the agent of EKS Pod Identity.
func TestTokensOfPodsAreReadAgain(t *testing.T) {
	var sent []string // by the exporter, one for each call for credentials
	agent := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/v1/credentials", r.URL.Path)
		sent = append(sent, r.Header.Get("Authorization"))
		fmt.Fprintf(w, `{"AccessKeyId":"ASIA%d","SecretAccessKey":"s","Token":"t","AccountId":"123456789012","Expiration":%q}`,
			len(sent), inAnHour())
	})
	tokens := &fakeSTS{}
	sts := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens.ServeHTTP(w, r)
		sent = append(sent, r.PostForm.Get("WebIdentityToken"))
	})
	for name, tt := range map[string]struct {
		handler http.Handler
		environ map[string]string
	}{
		"web identity": {sts, map[string]string{
			"AWS_WEB_IDENTITY_TOKEN_FILE": "", "AWS_ROLE_ARN": writerRole, "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1",
		}},
		"EKS Pod Identity": {agent, map[string]string{
			"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/v1/credentials",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			withoutAWS(t)
			sent = nil
			file := filepath.Join(t.TempDir(), "token")
			for variable, value := range tt.environ {
				if value == "" {
					value = file
				}
				t.Setenv(variable, value)
			}
			c := directConfig()
			c.AWS.Endpoint, c.AWS.Insecure = "http://127.0.0.1:2", true
			synctest.Test(t, func(t *testing.T) {
				k := newTestKinesis(1)
				service := &signedBy{Handler: k.Handler()}
				require.NoError(t, os.WriteFile(file, []byte("first.token"), 0o600))
				e := pipes{"127.0.0.1:1": tt.handler, "127.0.0.1:2": service}.start(t, c)
				require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a")))
				require.NoError(t, os.WriteFile(file, []byte("second.token"), 0o600))
				require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("b")))
				assert.Equal(t, []string{"first.token"}, sent, "credentials are kept while they are good")
				advance(2 * time.Hour)
				require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("c")))
				assert.Equal(t, []string{"first.token", "second.token"}, sent)
				assert.Equal(t, []string{"ASIA1", "ASIA2"}, service.used())
				assert.ElementsMatch(t, []string{"a", "b", "c"}, storedBodies(t, k))
				e.stop(t)
				assert.NotContains(t, told(t, e), ".token")
			})
		})
	}
}
