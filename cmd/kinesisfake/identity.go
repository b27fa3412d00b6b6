// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

// certificateLife is how long a certificate is valid. The server makes a new one at each start.
const certificateLife = 30 * 24 * time.Hour

// identity is a key with a certificate that it signed itself. Clients can read the certificate from a file.
type identity struct {
	certificate tls.Certificate
	file        string
}

// newIdentity makes a key and writes its certificate to a temporary file.
func newIdentity() (*identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("-tls: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(now.UnixNano()),
		Subject:               pkix.Name{CommonName: "kinesisfake"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(certificateLife),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true, // Some clients trust only certificates of authorities.
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("-tls: %w", err)
	}
	file, err := os.CreateTemp("", "kinesisfake-*.pem")
	if err != nil {
		return nil, fmt.Errorf("-tls: %w", err)
	}
	err = pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return nil, fmt.Errorf("-tls: %w", err)
	}
	return &identity{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file.Name()}, nil
}

// remove deletes the file.
func (i *identity) remove() { _ = os.Remove(i.file) }

// config is that of a server with HTTP/2 and HTTP/1.1.
func (i *identity) config() *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{i.certificate},
		NextProtos:   []string{"h2", "http/1.1"},
	}
}

// securedListener accepts TLS connections. It hides from the HTTP server that they are such. The server then looks at the first
// bytes to find out whether a client speaks HTTP/2. AWS's SDK for Java does so without negotiating it.
type securedListener struct {
	net.Listener
	config *tls.Config
}

func (l securedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return securedConn{tls.Server(conn, l.config), conn}, nil
}

// securedConn is a TLS connection over another one.
type securedConn struct {
	net.Conn
	below net.Conn
}

// NetConn returns the connection that carries the TLS connection. A fault that breaks connections needs it.
func (c securedConn) NetConn() net.Conn { return c.below }

// howToTrust says how clients get to trust the certificate.
func (i *identity) howToTrust() string {
	return fmt.Sprintf(`Its certificate is in %[1]s until it stops. To trust the certificate:
  AWS CLI, SDKs for Go and Python: AWS_CA_BUNDLE=%[1]s
  Node.js:                         NODE_EXTRA_CA_CERTS=%[1]s
  Java (KCL):                      keytool -importcert -noprompt -alias kinesisfake -file %[1]s \
                                       -keystore kinesisfake.p12 -storepass changeit
                                   java -Djavax.net.ssl.trustStore=kinesisfake.p12 -Djavax.net.ssl.trustStorePassword=changeit
  KPL:                             VerifyCertificate=false
`, i.file)
}
