// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/result"
)

// build builds the programs of the module into a directory. The peer is built twice: with the versions of its own release,
// which awskinesis.mod has, and with the versions that this module has.
func build(ctx context.Context, bin string, stderr io.Writer) error {
	for _, args := range [][]string{
		{"-o", bin + "/", "./cmd/...", gatewayPackage},
		{"-o", filepath.Join(bin, "awskinesis-new"), "./cmd/awskinesis"},
		{"-modfile=awskinesis.mod", "-o", filepath.Join(bin, "awskinesis"), "./cmd/awskinesis"},
	} {
		command := exec.CommandContext(ctx, "go", append([]string{"build"}, args...)...) //nolint:gosec // arguments from above
		command.Stdout, command.Stderr = stderr, stderr
		if err := command.Run(); err != nil {
			return fmt.Errorf("go build: %w", err)
		}
	}
	return nil
}

// execute runs a program on one core, with a sink if the program needs one. It returns what the program prints.
func execute(ctx context.Context, program string, args []string, to *sinkProcess) (r result.Run, err error) {
	if to != nil {
		args = append(slices.Clone(args), "-endpoint", to.url)
	}
	command := exec.CommandContext(ctx, program, args...) //nolint:gosec // one that was built here
	command.Env = append(os.Environ(), "GOMAXPROCS=1", "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench",
		"AWS_EC2_METADATA_DISABLED=true")
	if to != nil && to.authority != "" {
		command.Env = append(command.Env, "SSL_CERT_FILE="+to.authority, "AWS_CA_BUNDLE="+to.authority)
	}
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		return r, fmt.Errorf("%w: %s", err, stderr.Bytes())
	}
	err = json.Unmarshal(output, &r)
	return r, err
}

// startSinks starts a sink of each kind.
func startSinks(ctx context.Context, bin string) (sinks map[sink]*sinkProcess, stop func(), err error) {
	program, authority := filepath.Join(bin, "sink"), filepath.Join(bin, "authority.pem")
	sinks = map[sink]*sinkProcess{}
	stop = func() {
		for _, s := range sinks {
			s.stop()
		}
	}
	for kind, args := range map[sink][]string{
		prompt: nil, slow: {"-delay", slowFor.String()}, secured: {"-tls", authority},
	} {
		s, err := startSink(ctx, program, args...)
		if err != nil {
			stop()
			return nil, nil, err
		}
		if kind == secured {
			s.authority = authority
		}
		sinks[kind] = s
	}
	return sinks, stop, nil
}

// sinkProcess is a running sink.
type sinkProcess struct {
	url       string
	authority string // a file with the certificate to trust; empty without TLS
	stop      func()
}

func startSink(ctx context.Context, program string, args ...string) (*sinkProcess, error) {
	command := exec.CommandContext(ctx, program, args...) //nolint:gosec // one that was built here
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		return nil, err
	}
	stop := func() {
		_ = stdin.Close()
		_ = command.Wait() // how a sink ends does not matter
	}
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		stop()
		return nil, fmt.Errorf("the sink does not tell its address: %w", err)
	}
	return &sinkProcess{url: strings.TrimSpace(url), stop: stop}, nil
}
