// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Patience is the value of time limits that no test wants to reach, such as the timeouts of a producer whose records must
// not be sent twice. A machine can be so busy that any shorter limit ends.
const Patience = time.Hour

// tryInterval is the time between two looks at what another process gives no sign of.
const tryInterval = 20 * time.Millisecond

// Context returns a context for all that a test waits for. The context ends when half of the time has passed that
// `go test -timeout` leaves at the call; without -timeout it does not end.
//
// So a busy machine makes a test slow and not red. A test that hangs fails with what it waited for, and the tests after it
// still have time. The context does not end with t.Context(), so that cleanup can use it.
func Context(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	t.Cleanup(cancel)
	bounded, ok := t.(interface{ Deadline() (time.Time, bool) }) // *testing.T has it, testing.TB has not.
	if !ok {
		return ctx
	}
	deadline, ok := bounded.Deadline()
	if !ok {
		return ctx
	}
	ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/2)
	t.Cleanup(cancel)
	return ctx
}

// Until calls try until it returns nil. It fails the test with the last error if ctx ends first.
//
// Until is for the state of other processes. They have no virtual time and do not tell when their state changes. Whatever
// does tell is waited for directly.
func Until(ctx context.Context, t testing.TB, try func() error) {
	t.Helper()
	ticker := time.NewTicker(tryInterval)
	defer ticker.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			require.NoError(t, err, "the last error before the test ran out of time")
		}
	}
}
