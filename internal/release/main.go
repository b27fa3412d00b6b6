// Release writes what a commit must have to be tagged as a release of both modules: the version of kpl that the root's
// go.mod requires, the replacement in go.work, and the hashes of kpl in go.sum. See docs/releasing.md.
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
