// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command kinesisfake serves a stand-in for Amazon Kinesis Data Streams on this machine, for trying things out. The AWS CLI and
// the SDKs can use it with any credentials, and so can the Kinesis Producer Library (KPL) and the Kinesis Client Library (KCL).
// It stores records in memory only: they are gone when the program ends.
//
// It serves HTTP/1.1 and HTTP/2, without TLS or with a self-signed certificate (-tls), which the KPL needs.
//
//	kinesisfake -stream events:4 -limits
//	aws --endpoint-url http://127.0.0.1:4567 kinesis list-shards --stream-name events
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "kinesisfake:", err)
		os.Exit(1)
	}
}
