// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command sink serves a stand-in for Kinesis on loopback that stores nothing. It prints its URL, and ends when its standard
// input ends.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/sink"
)

func main() {
	shards := flag.Int("shards", 512, "how many shards each stream has")
	delay := flag.Duration("delay", 0, "how long each PutRecords call takes besides")
	authority := flag.String("tls", "", "serve TLS, and write the certificate to trust to this file")
	flag.Parse()
	server := sink.New(*shards)
	server.Delay = *delay
	if err := run(server, *authority, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sink:", err)
		os.Exit(1)
	}
}

func run(server *sink.Sink, authority string, stdin io.Reader, stdout io.Writer) error {
	scheme := "http"
	if authority != "" {
		scheme = "https"
		certificate, err := newCertificate(authority)
		if err != nil {
			return err
		}
		server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s://%s\n", scheme, listener.Addr())
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	go func() {
		_, err := io.Copy(io.Discard, stdin)
		failed <- err
	}()
	return <-failed
}
