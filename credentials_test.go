// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// pipes is a network in memory, so that whole clients work in a synctest bubble: a handler for each address.
type pipes map[string]http.Handler

// dial makes a transport use the network.
func (p pipes) dial(t *http.Transport) {
	t.Proxy = nil
	t.DialContext = func(_ context.Context, _, address string) (net.Conn, error) {
		handler := p[address]
		if handler == nil {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
		}
		client, server := net.Pipe()
		listener := &oneConn{conn: server, closed: make(chan struct{})}
		go func() { _ = (&http.Server{Handler: handler, ReadHeaderTimeout: time.Hour}).Serve(listener) }()
		return &closing{Conn: client, listener: listener}, nil
	}
}

// start starts an exporter with the client that collectors have, on that network.
func (p pipes) start(t *testing.T, c *Config) *rig {
	t.Helper()
	e := newRig(t, newFactory(func(ctx context.Context, c *Config, log *zap.Logger) (kpl.Client, func(), error) {
		return connectThrough(ctx, c, log, p.dial)
	}), c)
	require.NoError(t, e.Start(t.Context(), e.host))
	return e
}

// oneConn is a listener that accepts one connection.
type oneConn struct {
	conn   net.Conn
	taken  atomic.Bool
	closed chan struct{}
	once   sync.Once
}

func (l *oneConn) Accept() (net.Conn, error) {
	if l.taken.CompareAndSwap(false, true) {
		return l.conn, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }

func (l *oneConn) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// closing is the client's end of a connection, which ends its server too.
type closing struct {
	net.Conn

	listener *oneConn
}

func (c *closing) Close() error {
	_ = c.listener.Close()
	return c.Conn.Close()
}

// silence is a service that can stop answering.
type silence struct {
	handler http.Handler
	on      atomic.Bool
	calls   atomic.Int64
}

func (s *silence) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls.Add(1)
	if s.on.Load() {
		_, _ = io.Copy(io.Discard, r.Body) // else the server does not see that the client goes
		<-r.Context().Done()
		return
	}
	s.handler.ServeHTTP(w, r)
}

// inAnHour is when credentials that are handed out now expire.
func inAnHour() string { return time.Now().Add(time.Hour).UTC().Format(time.RFC3339) }

// assumeRole answers as STS does.
func assumeRole(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>`+
		`<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials>`+
		`</AssumeRoleResult></AssumeRoleResponse>`, inAnHour())
}

// containerCredentials answers as the agent of a container does.
func containerCredentials(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, `{"AccessKeyId":"ASIAROLE","SecretAccessKey":"s","Token":"t","Expiration":%q}`, inAnHour())
}

// withoutAWS makes the SDK find nothing in environment and files but what the test sets.
func withoutAWS(t *testing.T) {
	t.Helper()
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "credentials"))
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "config"))
}

// A call for credentials that is never answered stops the exporter only for as long as the other side is silent: at the start,
// and when the credentials of before have expired. Nothing is lost, and the status says what is wrong.
func TestSilentCredentials(t *testing.T) {
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		set     func(*testing.T, *Config)
	}{
		"AssumeRole by role_arn": {assumeRole, func(t *testing.T, c *Config) {
			t.Helper()
			t.Setenv("AWS_ACCESS_KEY_ID", "id")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
			t.Setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
			c.AWS.RoleARN = "arn:aws:iam::123456789012:role/writer"
		}},
		"AssumeRole by a profile": {assumeRole, func(t *testing.T, c *Config) {
			t.Helper()
			require.NoError(t, os.WriteFile(os.Getenv("AWS_CONFIG_FILE"), []byte("[profile writer]\n"+
				"role_arn = arn:aws:iam::123456789012:role/writer\nsource_profile = base\nservices = local\n"+
				"[profile base]\naws_access_key_id = id\naws_secret_access_key = secret\n"+
				"[services local]\nsts =\n  endpoint_url = http://127.0.0.1:1\n"), 0o600))
			c.AWS.Profile = "writer"
		}},
		"container": {containerCredentials, func(t *testing.T, _ *Config) {
			t.Helper()
			t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/role")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			withoutAWS(t)
			c := directConfig()
			c.AWS.Endpoint, c.AWS.Insecure = "http://127.0.0.1:2", true
			c.Queue, c.Retry.Enabled = defaultConfig().Queue, true
			tt.set(t, c)
			synctest.Test(t, func(t *testing.T) {
				k := newTestKinesis(1)
				source := &silence{handler: tt.handler}
				e := pipes{"127.0.0.1:1": source, "127.0.0.1:2": k.Handler()}.start(t, c)
				for round := range 3 { // at the start, and when the credentials of before have expired
					source.on.Store(true)
					calls := source.calls.Load()
					for i := range 10 {
						require.NoError(t, e.ConsumeLogs(t.Context(), logsOf(fmt.Sprint(round, "/", i))))
					}
					advance(90 * time.Second)
					assert.Len(t, storedBodies(t, k), 10*round, "nothing can be signed")
					assert.Less(t, source.calls.Load()-calls, int64(40), "calls are bounded")
					statuses := e.host.statuses()
					require.Equal(t, componentstatus.StatusRecoverableError, statuses[len(statuses)-1])
					assert.ErrorContains(t, e.host.events[len(statuses)-1].Err(), kpl.CodeNotSent)

					source.on.Store(false)
					advance(50 * time.Second) // more than the longest pause of retry_on_failure
					assert.Len(t, storedBodies(t, k), 10*(round+1))
					statuses = e.host.statuses()
					require.Equal(t, componentstatus.StatusOK, statuses[len(statuses)-1])
					advance(2 * time.Hour)
				}
				e.stop(t)
			})
		})
	}
}

// writeProfile writes the shared files of the SDK.
func writeProfile(t *testing.T, variable, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(os.Getenv(variable), []byte(text), 0o600))
}

// Credentials that are not to be had are told at once, by their own name, and cost no data.
func TestMissingCredentials(t *testing.T) {
	for name, set := range map[string]func(*testing.T){
		"nowhere": func(*testing.T) {},
		"no cache of SSO": func(t *testing.T) {
			t.Helper()
			writeProfile(t, "AWS_CONFIG_FILE", "[default]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n"+
				"[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://x.awsapps.com/start\n")
		},
		"no token file": func(t *testing.T) {
			t.Helper()
			t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", filepath.Join(t.TempDir(), "token"))
			t.Setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/writer")
		},
		"a process that fails": func(t *testing.T) {
			t.Helper()
			writeProfile(t, "AWS_CONFIG_FILE", "[default]\ncredential_process = false\n")
		},
		"a container that is not there": func(t *testing.T) {
			t.Helper()
			t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/role")
		},
	} {
		t.Run(name, func(t *testing.T) {
			withoutAWS(t)
			t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			t.Setenv("HOME", t.TempDir())
			set(t)
			c := directConfig()
			c.AWS.Endpoint, c.AWS.Insecure = "http://127.0.0.1:2", true
			synctest.Test(t, func(t *testing.T) {
				k := newTestKinesis(1)
				e := pipes{"127.0.0.1:2": k.Handler()}.start(t, c)
				at := time.Now()
				err := e.ConsumeLogs(t.Context(), logsOf("a"))
				require.ErrorIs(t, err, kpl.ErrUnavailable)
				require.ErrorContains(t, err, kpl.CodeNotSent)
				assert.False(t, consumererror.IsPermanent(err))
				assert.Less(t, time.Since(at), c.Producer.RequestTimeout)
				assert.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError}, e.host.statuses())
				assert.Equal(t, 1, e.logs.FilterMessageSnippet("The stream accepts no records").Len())
				e.stop(t)
			})
		})
	}
}

// knowsOnly is a service that knows one access key. For others it has an error code.
type knowsOnly struct {
	http.Handler

	key  atomic.Value // of string
	code string
}

func (k *knowsOnly) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.Header.Get("Authorization"), "Credential="+k.key.Load().(string)+"/") {
		k.Handler.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, `{"__type":%q,"message":"not this one"}`, k.code)
}

// A shared file of credentials that another process rewrites is read again once the service does not know the old ones.
func TestRewrittenCredentials(t *testing.T) {
	for _, code := range []string{"ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException", "InvalidClientTokenId"} {
		t.Run(code, func(t *testing.T) {
			withoutAWS(t)
			write := func(key string) {
				writeProfile(t, "AWS_SHARED_CREDENTIALS_FILE",
					"[writer]\naws_access_key_id = "+key+"\naws_secret_access_key = s\naws_session_token = t\n")
			}
			c := directConfig()
			c.AWS.Endpoint, c.AWS.Insecure, c.AWS.Profile = "http://127.0.0.1:2", true, "writer"
			c.Queue, c.Retry.Enabled = defaultConfig().Queue, true
			write("FIRST")
			synctest.Test(t, func(t *testing.T) {
				k := newTestKinesis(1)
				service := &knowsOnly{Handler: k.Handler(), code: code}
				service.key.Store("FIRST")
				e := pipes{"127.0.0.1:2": service}.start(t, c)
				require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a")))
				advance(time.Minute)
				assert.Len(t, storedBodies(t, k), 1)

				service.key.Store("SECOND")
				require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("b")))
				advance(time.Minute)
				assert.Len(t, storedBodies(t, k), 1, "nobody has written the new ones")
				require.NoError(t, os.WriteFile(os.Getenv("AWS_SHARED_CREDENTIALS_FILE"), []byte("[writer\nhalf a fi"), 0o600))
				advance(time.Minute)
				write("SECOND")
				advance(time.Minute)
				assert.ElementsMatch(t, []string{"a", "b"}, storedBodies(t, k))
				statuses := e.host.statuses()
				assert.Equal(t, componentstatus.StatusOK, statuses[len(statuses)-1])
				e.stop(t)
			})
		})
	}
}

// A role is assumed by the new credentials too.
func TestRewrittenCredentialsOfARole(t *testing.T) {
	withoutAWS(t)
	t.Setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
	write := func(key string) {
		writeProfile(t, "AWS_SHARED_CREDENTIALS_FILE", "[default]\naws_access_key_id = "+key+"\naws_secret_access_key = s\n")
	}
	c := directConfig()
	c.AWS.Endpoint, c.AWS.Insecure, c.AWS.RoleARN = "http://127.0.0.1:2", true, "arn:aws:iam::123456789012:role/writer"
	write("FIRST")
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		tokens := &knowsOnly{Handler: http.HandlerFunc(assumeRole), code: "InvalidClientTokenId"}
		tokens.key.Store("SECOND")
		e := pipes{"127.0.0.1:1": tokens, "127.0.0.1:2": k.Handler()}.start(t, c)
		require.ErrorContains(t, e.ConsumeLogs(t.Context(), logsOf("a")), kpl.CodeNotSent)
		write("SECOND")
		advance(renewPause)
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a")))
		e.stop(t)
	})
}

// However many calls fail, sources are read at most once in renewPause. What cannot be read changes nothing.
func TestSourcesAreNotReadAllTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := func(id string) aws.CredentialsProvider {
			return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: id}, nil
			})
		}
		reads, readErr := 0, error(nil)
		c := newRenewableCredentials(key("0"), func(context.Context) (aws.Config, error) {
			reads++
			return aws.Config{Credentials: key(fmt.Sprint(reads))}, readErr
		})
		for second := range 60 {
			for range 10 {
				_, err := c.Retrieve(t.Context())
				require.NoError(t, err)
				c.expire()
			}
			assert.Equal(t, second/5, reads)
			advance(time.Second)
		}
		readErr = errors.New("half a file")
		found, err := c.Retrieve(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "11", found.AccessKeyID)
		readErr = nil
		advance(renewPause)
		found, err = c.Retrieve(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "13", found.AccessKeyID, "the failure is not the last word")
		advance(time.Hour)
		_, err = c.Retrieve(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 13, reads, "good ones are not read again")
	})
}

func TestCredentialsUnknown(t *testing.T) {
	assert.False(t, credentialsUnknown(nil))
	assert.False(t, credentialsUnknown(errors.New("no route")))
	assert.False(t, credentialsUnknown(&smithy.GenericAPIError{Code: "AccessDeniedException"}))
	assert.True(t, credentialsUnknown(fmt.Errorf("get identity: %w", &smithy.GenericAPIError{Code: "ExpiredToken"})))
}
