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

// killDelay is how long a program may take to end after it was asked to.
const killDelay = 20 * time.Second

// Names of the files in the demo's directory.
const (
	collectorLog = "collector.log"
	logFile      = "processes.log"
	otlpSocket   = "otlp.sock"
)

// child is a program that the demo started.
type child struct {
	name   string
	cancel context.CancelFunc
	exited chan struct{}
	err    error // how it ended; set before exited is closed
}

// start runs a program until it ends, or ctx does or stop is called: then it gets a SIGTERM, and killDelay to end.
// stdout is closed once nothing more will come; env is in addition to the demo's own.
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
		return os.ErrProcessDone // Lets Wait report how the program ends, rather than that it was told to.
	}
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	c := &child{name: filepath.Base(path), cancel: cancel, exited: make(chan struct{})}
	go func() {
		defer close(c.exited)
		c.err = cmd.Wait()
		_ = stdout.Close() // What was written is what counts.
	}()
	return c, nil
}

// stop asks the program to end, waits until it has, and returns an error if that was not with status 0.
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

// startKinesis starts the stand-in with the demo's stream, each shard with the limits that the service sets.
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
		"DEMO_STREAM="+streamName,
		"DEMO_KINESIS_ENDPOINT="+kinesis,
		"DEMO_WITNESS_ENDPOINT="+witness)
	return start(ctx, filepath.Join(o.bin, "otelcol-kinesis"), env, log, log, "--config", o.config)
}

// awsEnvironment is what the SDK needs to sign calls, which the stand-in does not check.
func awsEnvironment() []string {
	return []string{"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=demo", "AWS_SECRET_ACCESS_KEY=demo", "AWS_SESSION_TOKEN="}
}
