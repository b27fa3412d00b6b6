// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// killDelay is how long a program may take to end after a SIGTERM. Then it is killed. A busy machine needs time.
const killDelay = time.Minute

// Names of the files in the demo's directory.
const (
	collectorLog = "collector.log"
	logFile      = "processes.log"
	otlpSocket   = "otlp.sock"
	healthSocket = "health.sock"
)

// child is a program that the demo started.
type child struct {
	name   string
	cancel context.CancelFunc
	exited chan struct{}
	err    error // how it ended; set before exited is closed
}

// start runs a program. When ctx ends or stop is called, the program gets a SIGTERM and must end within killDelay. stdout is
// closed after the last output. env is added to the environment of the demo.
func start(
	ctx context.Context, path string, env []string, stdout io.WriteCloser, stderr io.Writer, args ...string,
) (*child, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // The programs are those of the repository.
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.WaitDelay = killDelay
	cmd.Cancel = func() error {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			return err
		}
		return os.ErrProcessDone // So Wait returns how the program ends, and not that ctx has ended.
	}
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	c := &child{name: filepath.Base(path), cancel: cancel, exited: make(chan struct{})}
	go func() {
		defer close(c.exited)
		c.err = cmd.Wait()
		_ = stdout.Close() // A pipe is closed without an error.
	}()
	return c, nil
}

// stop asks the program to end and waits for that. It returns an error if the exit status is not 0.
func (c *child) stop() error {
	c.cancel()
	<-c.exited
	if c.err != nil {
		return fmt.Errorf("%s: %w", c.name, c.err)
	}
	return nil
}

// kinesisServer is the running stand-in for Kinesis.
type kinesisServer struct {
	*child

	endpoint string
}

// startKinesis starts the stand-in with the stream of the demo. Its shards have the limits of the service.
func startKinesis(ctx context.Context, bin string) (*kinesisServer, error) {
	stdout, stdoutWriter := io.Pipe()
	c, err := start(ctx, filepath.Join(bin, "kinesisfake"), nil, stdoutWriter, os.Stderr,
		"-listen", "127.0.0.1:0", "-stream", fmt.Sprintf("%s:%d", streamName, shardCount), "-limits")
	if err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	i := strings.Index(line, "http://")
	if err != nil || i < 0 {
		_ = stdout.Close()
		return nil, fmt.Errorf("kinesisfake tells no address (%w): %w", err, c.stop())
	}
	return &kinesisServer{child: c, endpoint: strings.TrimSpace(line[i:])}, nil
}

// startCollector starts the collector with its log in dir.
func startCollector(ctx context.Context, o options, dir, kinesis, witness string) (*child, error) {
	log, err := os.Create(filepath.Join(dir, collectorLog)) //nolint:gosec // A directory of the demo's own.
	if err != nil {
		return nil, err
	}
	env := append(awsEnvironment(),
		"DEMO_LOG_FILE="+filepath.Join(dir, logFile),
		"DEMO_OTLP_SOCKET="+filepath.Join(dir, otlpSocket),
		"DEMO_HEALTH_SOCKET="+filepath.Join(dir, healthSocket),
		"DEMO_STREAM="+streamName,
		"DEMO_KINESIS_ENDPOINT="+kinesis,
		"DEMO_WITNESS_ENDPOINT="+witness)
	return start(ctx, filepath.Join(o.bin, "otelcol-kinesis"), env, log, log, componentStatus, "--config", o.config)
}

// awsEnvironment returns the variables that the SDK needs to sign calls. The stand-in does not check signatures.
func awsEnvironment() []string {
	return []string{"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=demo", "AWS_SECRET_ACCESS_KEY=demo", "AWS_SESSION_TOKEN="}
}
