// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.uber.org/zap"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// authority issues certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// newAuthority returns an authority whose certificates are good in the time of synctest too, which begins in the year 2000.
func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{certificate, key}
}

// pem returns the certificate of the authority.
func (a *authority) pem() string { return inPEM("CERTIFICATE", a.certificate.Raw) }

// pool trusts the authority alone.
func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// issue returns a certificate for a host or a client, and its key.
func (a *authority) issue(t *testing.T, name string) (certificate, key string) {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &own.PublicKey, a.key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(own)
	require.NoError(t, err)
	return inPEM("CERTIFICATE", der), inPEM("PRIVATE KEY", private)
}

// server returns the configuration of a server with a certificate for a host.
func (a *authority) server(t *testing.T, host string) *tls.Config {
	t.Helper()
	certificate, err := tls.X509KeyPair(bytesOf(a.issue(t, host)))
	require.NoError(t, err)
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
}

func bytesOf(certificate, key string) (certificatePEM, keyPEM []byte) {
	return []byte(certificate), []byte(key)
}

func inPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// fileOf writes a file and returns its path.
func fileOf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.pem")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// serveTLS starts a server on this machine.
func serveTLS(t *testing.T, handler http.Handler, config *tls.Config) string {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true // the service may do so too; the client must not offer it
	server.TLS = config
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that fail
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

// Certificates are checked, against the authorities of the configuration where there are some, unless that is switched off.
// A server that wants a certificate gets the one of the configuration.
func TestClientTLS(t *testing.T) {
	withoutAWS(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	servers, clients := newAuthority(t), newAuthority(t)
	certificate, key := clients.issue(t, "collector")
	foreign, foreignKey := newAuthority(t).issue(t, "collector")
	mutual := func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, clients.pool() }
	for name, tt := range map[string]struct {
		host   string // in the certificate of the server, empty: 127.0.0.1
		server func(*tls.Config)
		tls    configtls.ClientConfig
		want   string // empty: stored
	}{
		"authority of the system": {want: "certificate signed by unknown authority"},
		"authority of a file":     {tls: configtls.ClientConfig{Config: configtls.Config{CAFile: fileOf(t, servers.pem())}}},
		"authority in the configuration": {
			tls: configtls.ClientConfig{Config: configtls.Config{CAPem: configopaque.String(servers.pem())}},
		},
		"authority besides the system's": {tls: configtls.ClientConfig{Config: configtls.Config{
			CAFile: fileOf(t, servers.pem()), IncludeSystemCACertsPool: true,
		}}},
		"other authority": {
			tls:  configtls.ClientConfig{Config: configtls.Config{CAFile: fileOf(t, clients.pem())}},
			want: "certificate signed by unknown authority",
		},
		"no check": {tls: configtls.ClientConfig{InsecureSkipVerify: true}},
		"other name": {
			host: "kinesis.local",
			tls:  configtls.ClientConfig{Config: configtls.Config{CAFile: fileOf(t, servers.pem())}},
			want: "cannot validate certificate for 127.0.0.1",
		},
		"other name, allowed": {host: "kinesis.local", tls: configtls.ClientConfig{
			ServerName: "kinesis.local", Config: configtls.Config{CAFile: fileOf(t, servers.pem())},
		}},
		"old version": {
			server: func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 },
			tls: configtls.ClientConfig{Config: configtls.Config{
				CAFile: fileOf(t, servers.pem()), MinVersion: "1.3",
			}},
			want: "protocol version not supported",
		},
		"client certificate": {server: mutual, tls: configtls.ClientConfig{Config: configtls.Config{
			CAFile: fileOf(t, servers.pem()), CertFile: fileOf(t, certificate), KeyFile: fileOf(t, key),
		}}},
		"client certificate in the configuration": {server: mutual, tls: configtls.ClientConfig{Config: configtls.Config{
			CAFile: fileOf(t, servers.pem()), CertPem: configopaque.String(certificate), KeyPem: configopaque.String(key),
		}}},
		"no client certificate": {
			server: mutual,
			tls:    configtls.ClientConfig{Config: configtls.Config{CAFile: fileOf(t, servers.pem())}},
			want:   "certificate required",
		},
		"client certificate of others": {server: mutual, tls: configtls.ClientConfig{Config: configtls.Config{
			CAFile: fileOf(t, servers.pem()), CertFile: fileOf(t, foreign), KeyFile: fileOf(t, foreignKey),
		}}, want: "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			config := servers.server(t, "127.0.0.1")
			if tt.host != "" {
				config = servers.server(t, tt.host)
			}
			if tt.server != nil {
				tt.server(config)
			}
			k, c := newTestKinesis(1), directConfig()
			c.AWS.Endpoint, c.AWS.TLS = serveTLS(t, k.Handler(), config), tt.tls
			c.Producer.RecordTTL = c.Producer.RecordMaxBufferedTime * 3
			require.NoError(t, confmap.Validate(c))
			e := startReal(t, c)
			err := e.ConsumeLogs(t.Context(), logsOf("a"))
			// In TLS 1.3 a server rejects a certificate of a client after the handshake. Its alert may come after a write has failed.
			for range 20 {
				if tt.want == "" || err == nil || strings.Contains(err.Error(), tt.want) {
					break
				}
				err = e.ConsumeLogs(t.Context(), logsOf("a"))
			}
			assert.NotContains(t, told(t, e, err), "PRIVATE KEY")
			if tt.want == "" {
				require.NoError(t, err)
				assert.Equal(t, []string{"a"}, storedBodies(t, k))
				return
			}
			require.ErrorContains(t, err, tt.want)
			assert.False(t, consumererror.IsPermanent(err))
		})
	}
}

// The block tls holds for STS too, but server_name_override does not: STS has another name. AWS_CA_BUNDLE adds authorities.
func TestTLSOfSTS(t *testing.T) {
	withoutAWS(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	ofKinesis, ofSTS := newAuthority(t), newAuthority(t)
	t.Setenv("AWS_CA_BUNDLE", fileOf(t, ofKinesis.pem()))
	certificate, key := ofSTS.issue(t, "collector")
	stsConfig := ofSTS.server(t, "127.0.0.1")
	stsConfig.ClientAuth, stsConfig.ClientCAs = tls.RequireAndVerifyClientCert, ofSTS.pool()
	k, c := newTestKinesis(1), directConfig()
	c.AWS.Endpoint = serveTLS(t, k.Handler(), ofKinesis.server(t, "kinesis.local"))
	c.AWS.STSEndpoint = serveTLS(t, &fakeSTS{}, stsConfig)
	c.AWS.RoleARN, c.AWS.TLS.CAFile, c.AWS.TLS.ServerName = writerRole, fileOf(t, ofSTS.pem()), "kinesis.local"
	c.AWS.TLS.CertFile, c.AWS.TLS.KeyFile = fileOf(t, certificate), fileOf(t, key)
	require.NoError(t, startReal(t, c).ConsumeLogs(t.Context(), logsOf("a")))
	assert.Equal(t, []string{"a"}, storedBodies(t, k))
}

// buffered is an end of a pipe whose writes do not wait for the other side, as TLS needs it.
type buffered struct {
	net.Conn

	mu     sync.Mutex
	out    chan []byte // guarded by mu
	closed bool        // guarded by mu
}

func newBuffered(c net.Conn) *buffered {
	b := &buffered{Conn: c, out: make(chan []byte, 1<<10)}
	go func() {
		for p := range b.out {
			_, _ = c.Write(p)
		}
		_ = c.Close()
	}()
	return b
}

func (b *buffered) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, net.ErrClosed
	}
	b.out <- bytes.Clone(p)
	return len(p), nil
}

// SetWriteDeadline does nothing. TLS ends writing by it, but what is in the buffer still has to go.
func (*buffered) SetWriteDeadline(time.Time) error { return nil }

func (b *buffered) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.closed = true
		close(b.out)
		go func() { _, _ = io.Copy(io.Discard, b.Conn) }() // what the other side still writes
	}
	return nil
}

// A client certificate that was rewritten is shown on new connections after reload_interval. They do not resume the sessions of
// the old certificate. A file that cannot be read stops new connections until it is whole again.
func TestClientCertificateIsReadAgain(t *testing.T) {
	withoutAWS(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	servers, clients := newAuthority(t), newAuthority(t)
	certificate, key := clients.issue(t, "first")
	second, secondKey := clients.issue(t, "second")
	config := servers.server(t, "kinesis.local")
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, clients.pool()
	c := directConfig()
	c.Producer.RecordTTL, c.Producer.RecordMaxBufferedTime = time.Second, kpl.NoBuffering
	c.AWS.Endpoint, c.AWS.TLS.CAFile = "https://kinesis.local", fileOf(t, servers.pem())
	c.AWS.TLS.CertFile, c.AWS.TLS.KeyFile, c.AWS.TLS.ReloadInterval = fileOf(t, certificate), fileOf(t, key), time.Minute
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		service := k.Handler()
		var names []string // of the certificate of each PutRecords call
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Amz-Target") == "Kinesis_20131202.PutRecords" {
				assert.False(t, r.TLS.DidResume)
				names = append(names, r.TLS.PeerCertificates[0].Subject.CommonName)
			}
			w.Header().Set("Connection", "close") // so that each call makes its own
			service.ServeHTTP(w, r)
		})
		e := newRig(t, newFactory(func(ctx context.Context, c *Config, notes *zap.Logger) (kpl.Client, func(), error) {
			return connectThrough(ctx, c, notes, func(tr *http.Transport) {
				tr.Proxy = nil
				tr.DialContext = func(context.Context, string, string) (net.Conn, error) {
					client, server := net.Pipe()
					listener := &oneConn{conn: newBuffered(server), closed: make(chan struct{})}
					go func() {
						_ = (&http.Server{
							Handler: handler, ReadHeaderTimeout: time.Hour, ErrorLog: log.New(io.Discard, "", 0),
						}).Serve(tls.NewListener(listener, config))
					}()
					return &closing{Conn: newBuffered(client), listener: listener}, nil
				}
			})
		}), c)
		require.NoError(t, e.Start(t.Context(), e.host))
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a")))
		require.NoError(t, os.WriteFile(c.AWS.TLS.CertFile, []byte(second), 0o600))
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("b")))
		assert.Equal(t, []string{"first", "first"}, names)

		advance(2 * time.Minute)
		require.ErrorContains(t, e.ConsumeLogs(t.Context(), logsOf("c")), "private key does not match public key")
		require.NoError(t, os.WriteFile(c.AWS.TLS.KeyFile, []byte(secondKey), 0o600))
		advance(time.Minute)
		require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("c")))
		assert.Equal(t, []string{"first", "first", "second"}, names)
		e.stop(t)
		assert.NotContains(t, told(t, e), "PRIVATE KEY")
	})
}

// What is wrong with files and names of TLS is an error at the start. It says nothing of a key.
func TestStartFailsOnWrongTLS(t *testing.T) {
	certificate, _ := newAuthority(t).issue(t, "collector")
	secret := inPEM("PRIVATE KEY", []byte("do-not-tell"))
	for name, tt := range map[string]struct {
		tls  configtls.Config
		want string
	}{
		"no authority":     {configtls.Config{CAFile: filepath.Join(t.TempDir(), "ca.pem")}, "ca.pem: no such file or directory"},
		"authority no PEM": {configtls.Config{CAFile: fileOf(t, "hello")}, "failed to load CA CertPool File: failed to parse cert"},
		"no key": {
			configtls.Config{CertFile: fileOf(t, certificate), KeyFile: filepath.Join(t.TempDir(), "key.pem")},
			"key.pem: no such file or directory",
		},
		"wrong key": {
			configtls.Config{CertPem: configopaque.String(certificate), KeyPem: configopaque.String(secret)},
			"failed to load TLS cert and key",
		},
		"cipher suite": {configtls.Config{CipherSuites: []string{"TLS_NONE"}}, `"TLS_NONE"`},
		"curve":        {configtls.Config{CurvePreferences: []string{"P1"}}, "invalid curve type: P1"},
	} {
		t.Run(name, func(t *testing.T) {
			c := directConfig()
			c.AWS.TLS.Config = tt.tls
			e := newRig(t, NewFactory(), c)
			err := e.Start(t.Context(), e.host)
			e.stop(t)
			require.ErrorContains(t, err, fmt.Sprintf("aws::tls with ca_file %q", tt.tls.CAFile))
			require.ErrorContains(t, err, tt.want)
			conf := confmap.New()
			require.NoError(t, conf.Marshal(c))
			for _, text := range []string{told(t, e, err), fmt.Sprint(conf.ToStringMap()), fmt.Sprintf("%+v", c.AWS)} {
				assert.NotContains(t, text, "do-not-tell")
				assert.NotContains(t, text, "PRIVATE KEY")
			}
		})
	}
}

// All keys of the block aws that are about the way to Kinesis work together, from the YAML to the stream. There is a role by an
// STS of one's own, TLS with certificates on both sides, and the check at the start.
func TestWayToKinesisFromYAML(t *testing.T) {
	withoutAWS(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIABASE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	servers, clients := newAuthority(t), newAuthority(t)
	certificate, key := clients.issue(t, "collector")
	mutual := func(host string) *tls.Config {
		config := servers.server(t, host)
		config.ClientAuth, config.ClientCAs, config.MinVersion = tls.RequireAndVerifyClientCert, clients.pool(), tls.VersionTLS13
		return config
	}
	k, tokens := newTestKinesis(1), &fakeSTS{}
	service := &signedBy{Handler: k.Handler()}
	retrieved, err := confmap.NewRetrievedFromYAML(fmt.Appendf(nil, `
aws:
  region: us-east-1
  stream_name: %s
  endpoint: %s
  role_arn: %s
  external_id: collector
  session_name: collector-7
  sts_region: eu-west-3
  sts_endpoint: %s
  check_at_start: true
  tls:
    ca_file: %s
    cert_file: %s
    key_file: %s
    reload_interval: 10m
    min_version: "1.3"
    server_name_override: kinesis.local
`, testStream, serveTLS(t, service, mutual("kinesis.local")), writerRole, serveTLS(t, tokens, mutual("127.0.0.1")),
		fileOf(t, servers.pem()), fileOf(t, certificate), fileOf(t, key)))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	c := defaultConfig()
	require.NoError(t, conf.Unmarshal(c))
	require.NoError(t, confmap.Validate(c))
	c.Queue = configoptional.None[exporterhelper.QueueBatchConfig]()
	e := startReal(t, c)
	require.NoError(t, e.ConsumeLogs(t.Context(), logsOf("a")))
	assert.Equal(t, []string{"ASIA1"}, service.used())
	require.Len(t, tokens.forms, 1)
	assert.Equal(t, "collector-7", tokens.forms[0].Get("RoleSessionName"))
	assert.Equal(t, "collector", tokens.forms[0].Get("ExternalId"))
	assert.Contains(t, tokens.signatures[0], "/eu-west-3/sts/")
}
