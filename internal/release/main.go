// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Release prepares a release, or builds what a release publishes. See docs/releasing.md.
//
//	go run ./internal/release v0.2.0
//
// writes what a commit needs before it is tagged: the version of kpl into go.mod, bench/go.mod and go.work, and the hashes of kpl
// into go.sum.
//
//	go run ./internal/release -build dist/release -ocb PROGRAM -cyclonedx PROGRAM
//
// builds the programs from tags on the working tree, packs them, and writes checksums and bills of materials. Nothing is
// published.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
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

// run does what the arguments say, in the repository that the current directory is the root of.
func run(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	out := flags.String("build", "", "build into `directory`, which is made anew, and change nothing else")
	platforms := flags.String("platforms", strings.Join(allPlatforms, " "), "to build for")
	again := flags.Bool("again", false, "build for the first platform a second time, without any cache, and compare")
	var tools tools
	flags.StringVar(&tools.ocb, "ocb", "", "the builder of the Collector, a `program`")
	flags.StringVar(&tools.cyclonedx, "cyclonedx", "", "cyclonedx-gomod, a `program`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	directory, err := os.MkdirTemp("", "release")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	switch {
	case *out != "" && flags.NArg() == 0:
		version, err := requiredVersion(ctx, ".")
		if err != nil {
			return err
		}
		r := release{root: ".", version: version, tools: tools, log: os.Stdout}
		return r.publishable(ctx, directory, *out, strings.Fields(*platforms), *again)
	case *out == "" && flags.NArg() == 1:
		return prepare(ctx, ".", flags.Arg(0), directory)
	}
	return errors.New("usage: release VERSION, or release -build DIRECTORY")
}
