// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/collector/confmap"
)

// leastReload is the shortest time between two readings of a certificate.
const leastReload = time.Second

// Unmarshal implements [confmap.Unmarshaler]. Keys that have another place now are errors that name it.
func (c *AWSConfig) Unmarshal(conf *confmap.Conf) error {
	for _, key := range []string{"ca_file", "insecure_skip_verify"} {
		if conf.IsSet(key) {
			return fmt.Errorf("aws::%s is aws::tls::%[1]s now: write it in the block tls of aws", key)
		}
	}
	return conf.Unmarshal(c)
}

// validateTLS checks what the block tls does not check by itself.
func (c *AWSConfig) validateTLS() error {
	var errs []error
	if c.TLS.Insecure {
		errs = append(errs, errors.New("tls::insecure has no meaning here: leave it out, and to allow endpoints with http:// "+
			"set aws::insecure to true"))
	}
	if c.TLS.InsecureSkipVerify && (c.TLS.CAFile != "" || c.TLS.CAPem != "") {
		errs = append(errs, errors.New("tls::insecure_skip_verify and the authorities of tls::ca_file or tls::ca_pem exclude each "+
			"other: leave one of them out"))
	}
	if c.TLS.ServerName != "" && c.Endpoint == "" {
		errs = append(errs, fmt.Errorf("tls::server_name_override needs endpoint, found %q: set endpoint, or leave "+
			"tls::server_name_override out, because endpoints of a region have the right names", c.TLS.ServerName))
	}
	if d := c.TLS.ReloadInterval; d != 0 && d < leastReload {
		errs = append(errs, fmt.Errorf("tls::reload_interval must be at least %v, or 0s for never, found %s",
			leastReload, withHint(d)))
	}
	return errors.Join(errs...)
}

// tlsConfig reads the files of the block tls. It returns a function that sets up the transport of calls for credentials, and
// one that turns the transport of a client made with the first into that of uploads.
func (c *AWSConfig) tlsConfig(ctx context.Context) (forCredentials, forUploads func(*http.Transport), err error) {
	loaded, err := c.TLS.LoadTLSConfig(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("aws::tls with ca_file %q, cert_file %q and key_file %q: %w",
			c.TLS.CAFile, c.TLS.CertFile, c.TLS.KeyFile, err)
	}
	forCredentials = func(t *http.Transport) {
		t.TLSClientConfig = loaded.Clone()
		t.TLSClientConfig.ServerName = ""
		if loaded.RootCAs != nil {
			t.TLSClientConfig.RootCAs = loaded.RootCAs.Clone() // to which the SDK adds those of AWS_CA_BUNDLE
		}
	}
	return forCredentials, func(t *http.Transport) { t.TLSClientConfig.ServerName = loaded.ServerName }, nil
}
