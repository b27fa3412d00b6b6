// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// credentialsOfRole is an answer of STS. The key of the role is AKIAROLE.
const credentialsOfRole = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>AKIAROLE</AccessKeyId><SecretAccessKey>marked-secret</SecretAccessKey><SessionToken>marked-token</SessionToken>
<Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`

// The role is assumed with the external id, its credentials sign the calls, and the output has no secret. Both services have a
// certificate that only -ca-file makes trusted. The profile has the region.
func TestRunWithRoleProfileAndAuthority(t *testing.T) {
	k := kpltest.New(kpltest.Config{}, kpltest.Stream{Name: stream, Shards: 1})
	put(t, k, lowestHashKey+" text")
	serve(t, k) // sets the environment
	var asked url.Values
	var signedBy []string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Target") != "" {
			signedBy = append(signedBy, r.Header.Get("Authorization"))
			k.Handler().ServeHTTP(w, r)
			return
		}
		assert.NoError(t, r.ParseForm())
		asked = r.PostForm
		_, err := fmt.Fprint(w, credentialsOfRole)
		assert.NoError(t, err)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL_STS", server.URL)
	profiles := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(profiles, []byte("[profile reader]\nregion = eu-central-1\n"+
		"aws_access_key_id = AKIAUSER\naws_secret_access_key = marked-user\n"), 0o600))
	t.Setenv("AWS_CONFIG_FILE", profiles)
	authority := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	require.NoError(t, os.WriteFile(authority, pem.EncodeToMemory(block), 0o600))

	const role = "arn:aws:iam::123456789012:role/reader"
	args := []string{"-stream", stream, "-endpoint", server.URL, "-profile", "reader", "-role-arn", role, "-external-id", "42"}
	var stdout, stderr bytes.Buffer
	err := run(t.Context(), args, &stdout, &stderr)
	require.ErrorContains(t, err, "is not trusted", "without -ca-file")

	require.NoError(t, run(t.Context(), append(args, "-ca-file", authority), &stdout, &stderr))
	assert.Contains(t, stdout.String(), `"text":"text"`)
	assert.Equal(t, role, asked.Get("RoleArn"))
	assert.Equal(t, "42", asked.Get("ExternalId"))
	assert.Equal(t, sessionName, asked.Get("RoleSessionName"))
	require.NotEmpty(t, signedBy)
	for _, authorization := range signedBy {
		assert.Contains(t, authorization, "AKIAROLE/")
		assert.Contains(t, authorization, "/eu-central-1/kinesis/")
	}
	assert.NotContains(t, stdout.String()+stderr.String()+err.Error(), "marked")
}

func TestRunWithoutTheFileOfAuthorities(t *testing.T) {
	flags := serve(t, kpltest.New(kpltest.Config{}))
	missing := filepath.Join(t.TempDir(), "missing.pem")
	err := run(t.Context(), append(flags, "-stream", stream, "-ca-file", missing), io.Discard, io.Discard)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "-ca-file: ")

	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	require.Error(t, run(t.Context(), append(flags, "-stream", stream, "-ca-file", empty), io.Discard, io.Discard))
}
