// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pipeDelay is how long output may still come after a program ended: from children it left behind, or because this process
// is slow to read.
const pipeDelay = time.Minute

// Process is a program that a test started. It is killed when the test ends. If the test failed, its log has the output of the
// program.
type Process struct {
	name   string
	cmd    *exec.Cmd
	output output
	exited chan struct{}
	err    error // how it ended; set before exited is closed
}

// Start starts a program. Its output is what it writes to stderr, and to stdout unless cmd.Stdout is set.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{name: filepath.Base(cmd.Path), cmd: cmd, exited: make(chan struct{})}
	p.output.changed = make(chan struct{})
	if cmd.Stdout == nil {
		cmd.Stdout = &p.output
	}
	cmd.Stderr = &p.output
	cmd.WaitDelay = pipeDelay
	require.NoError(t, cmd.Start())
	go func() {
		defer close(p.exited)
		p.err = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // It may have ended.
		<-p.exited
		if t.Failed() {
			t.Logf("%s wrote:\n%s", p.name, p.Output())
		}
	})
	return p
}

// Terminate asks the program to end, as an operator or an orchestrator does.
func (p *Process) Terminate(t testing.TB) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
}

// Kill ends the program at once, as the kernel does when memory is short, and waits for the end.
func (p *Process) Kill(t testing.TB) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Kill())
	<-p.exited
}

// PID returns the id of the program's process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Wait waits for the end of the program and returns nil if its status is 0. It fails the test if ctx ends first.
func (p *Process) Wait(ctx context.Context, t testing.TB) error {
	t.Helper()
	select {
	case <-p.exited:
		return p.err
	case <-ctx.Done():
		require.NoError(t, ctx.Err(), "%s has not ended in time", p.name)
		return nil
	}
}

// Output returns all output so far.
func (p *Process) Output() string {
	p.output.mu.Lock()
	defer p.output.mu.Unlock()
	return p.output.text.String()
}

// WaitLine waits for a line of output that contains text, and returns the first one without its line end. It fails the test
// if the program or ctx ends first.
func (p *Process) WaitLine(ctx context.Context, t testing.TB, text string) string {
	t.Helper()
	line, err := p.waitLine(ctx, text)
	require.NoError(t, err)
	return line
}

func (p *Process) waitLine(ctx context.Context, text string) (string, error) {
	for ended := false; ; {
		line, found, changed := p.output.find(text)
		switch {
		case found:
			return line, nil
		case ended:
			return "", fmt.Errorf("%s ended without a line that has %q: %w", p.name, text, errors.Join(p.err))
		}
		select {
		case <-changed:
		case <-p.exited:
			ended = true // All output is there now, so look once more.
		case <-ctx.Done():
			return "", fmt.Errorf("%s wrote no line that has %q: %w", p.name, text, ctx.Err())
		}
	}
}

// output is what a program wrote.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed, and replaced, when text grows
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.text.Write(b)
}

// find returns the first complete line that contains text. If there is none, it returns a channel that is closed when there is
// more output.
func (o *output) find(text string) (line string, found bool, changed <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for line := range strings.Lines(o.text.String()) {
		if strings.HasSuffix(line, "\n") && strings.Contains(line, text) {
			return strings.TrimRight(line, "\r\n"), true, nil
		}
	}
	return "", false, o.changed
}
