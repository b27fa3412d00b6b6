package peers

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Patience is how long tests wait for what another process does. It is long, for machines are slow and shared, and it
// only ever passes when something is wrong.
const Patience = 3 * time.Minute

// tryInterval is the time between two looks at what another process gives no sign of.
const tryInterval = 20 * time.Millisecond

// Context returns a context that ends after [Patience], and not before t's cleanup.
func Context(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), Patience)
	t.Cleanup(cancel)
	return ctx
}

// Until calls try until it returns nil, and fails the test with the last error if ctx ends first. It is for the state
// of other processes, which have no virtual time and tell nobody when it changes; what tells is waited for directly.
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
			require.NoError(t, err, "it was not so in time")
		}
	}
}
