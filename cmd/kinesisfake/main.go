// Command kinesisfake serves an in-memory stand-in for Amazon Kinesis Data Streams on this machine, for trying things
// out: the AWS CLI and the SDKs work against it with any credentials. What it stores is gone when it ends.
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
