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

// Process is a program that a test started. It is killed when the test ends; if that failed, the log of the test has the
// program's output.
type Process struct {
	name   string
	cmd    *exec.Cmd
	output output
	exited chan struct{}
	err    error // how it ended; set before exited is closed
}

// Start starts a program. What it writes to stdout and stderr is its output, unless cmd has a place for it already.
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

// Kill ends the program as the kernel does when memory is short: at once, and nothing of it runs any more.
func (p *Process) Kill(t testing.TB) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Kill())
	<-p.exited
}

// PID returns the id of the program's process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Wait returns how the program ended: nil for status 0. It fails the test if that is not before ctx ends.
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

// Output returns what the program wrote so far.
func (p *Process) Output() string {
	p.output.mu.Lock()
	defer p.output.mu.Unlock()
	return p.output.text.String()
}

// WaitLine returns the first line of the output that contains text, as soon as there is one, without its end. It fails
// the test if the program or ctx ends first.
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
			ended = true // All it wrote is there by now: look once more.
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

// find returns the first whole line that contains text, or else a channel that is closed once there is more to look at.
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
