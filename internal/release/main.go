// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Release writes what a commit needs before it is tagged: the version of kpl into go.mod, bench/go.mod and go.work, and
// the hashes of kpl into go.sum. See docs/releasing.md.
//
//	go run ./internal/release v0.2.0
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run prepares the release that the only argument names, in the repository that the current directory is the root of.
func run(ctx context.Context, args []string) (err error) {
	if len(args) != 1 {
		return errors.New("usage: release VERSION")
	}
	directory, err := os.MkdirTemp("", "release")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	return prepare(ctx, ".", args[0], directory)
}
