// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package collector runs a whole OpenTelemetry Collector in a process of its own: OTLP in, one exporter.
package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/measure"
)

// Process is a running collector.
type Process struct {
	measure.Process

	Address string // of its receiver

	command *exec.Cmd
	ended   chan error // has the outcome, once
	stderr  bytes.Buffer
}

// How long a collector may take to start, and to send what its queue has and end.
const (
	startWithin = 30 * time.Second
	stopWithin  = time.Minute
)

// Start starts a collector and waits until it takes telemetry. Variables of the environment are added to this process's own.
func Start(ctx context.Context, program string, config Config, environment ...string) (*Process, error) {
	directory, err := os.MkdirTemp("", "collector")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(directory) //nolint:errcheck // it is a temporary directory
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	text, err := config.text(ports[0], ports[1])
	if err != nil {
		return nil, err
	}
	file := filepath.Join(directory, "config.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	command := exec.Command(program, "--config", "file:"+file) //nolint:gosec,noctx // built here; Stop and Kill end it
	return launch(ctx, command, address(ports[0]), environment)
}

// launch starts a program that listens on an address, and waits until it takes telemetry.
func launch(ctx context.Context, command *exec.Cmd, listens string, environment []string) (*Process, error) {
	p := &Process{Address: listens, ended: make(chan error, 1), command: command}
	p.command.Env = append(os.Environ(), environment...)
	p.command.Stderr = &p.stderr
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it must not outlive a program that is killed
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	go func() { p.ended <- p.command.Wait() }()
	p.Process = measure.Process(p.command.Process.Pid)
	if err := p.listening(ctx); err != nil {
		return nil, errors.Join(err, p.Kill())
	}
	return p, nil
}

// listening waits until the receiver takes connections.
func (p *Process) listening(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		if conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.Address); err == nil {
			return conn.Close()
		}
		select {
		case err := <-p.ended:
			p.ended <- err
			return errors.New("the collector has ended while it started")
		case <-ctx.Done():
			return fmt.Errorf("the collector does not listen on %s: %w", p.Address, ctx.Err())
		case <-again.C:
		}
	}
}

// Stop ends the collector, which sends what its queue has. It returns the CPU time of the collector's whole life.
func (p *Process) Stop(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	err := p.command.Process.Signal(syscall.SIGTERM)
	select {
	case ended := <-p.ended:
		if err = errors.Join(err, ended); err != nil {
			return 0, p.failed(err)
		}
		state := p.command.ProcessState
		return state.UserTime() + state.SystemTime(), nil
	case <-ctx.Done():
		return 0, errors.Join(fmt.Errorf("the collector does not end: %w", errors.Join(err, ctx.Err())), p.Kill())
	}
}

// Kill ends the collector at once. It returns an error if the collector has ended before.
func (p *Process) Kill() error {
	err := p.command.Process.Kill()
	ended := <-p.ended
	if err != nil {
		return p.failed(errors.Join(err, ended))
	}
	return nil
}

// failed returns an error with the last lines that the collector wrote.
func (p *Process) failed(err error) error {
	lines := strings.Split(strings.TrimSpace(p.stderr.String()), "\n")
	return fmt.Errorf("the collector: %w\n%s", err, strings.Join(lines[max(0, len(lines)-10):], "\n"))
}

// freePorts returns ports of loopback that are free now.
func freePorts(n int) ([]int, error) {
	var ports []int
	var listeners []net.Listener
	var err error
	for len(ports) < n && err == nil {
		var l net.Listener
		if l, err = net.Listen("tcp", address(0)); err == nil {
			listeners, ports = append(listeners, l), append(ports, l.Addr().(*net.TCPAddr).Port)
		}
	}
	for _, l := range listeners { // now, so that each port is another
		err = errors.Join(err, l.Close())
	}
	return ports, err
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
