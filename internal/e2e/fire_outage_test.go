// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// TestEndpointDownAndBack takes the endpoint down under load. In that time every consumer of the queue gives up a request
// and starts again, several times. All requests of clients are accepted, and all items are stored soon after the outage.
func TestEndpointDownAndBack(t *testing.T) {
	t.Parallel()
	const consumers, lives = 10, 6
	ctx := peers.Context(t)
	s := newService(t, kpltest.Config{}, 3)
	s.up(t)
	c := startCollector(t, settings{kinesis: s.url(), overrides: append(impatient(),
		fmt.Sprintf("exporters::kinesis_kpl::sending_queue::num_consumers: %d", consumers))})
	l := startLoad(ctx, loadConfig{name: "outage", records: 5, every: 10 * time.Millisecond}, bothClients(t, c, 2)...)
	l.waitAccepted(ctx, t, 500)

	s.down()
	stored, down := len(s.Records(stream)), time.Now()
	peers.Until(ctx, t, func() error {
		if expired := c.scrape(ctx, t).sum("kinesis_kpl_user_records_put", `outcome="expired"`); expired < consumers*lives {
			return fmt.Errorf("%d records expired", expired)
		}
		return nil
	})
	c.WaitLine(ctx, t, "Exporting failed. Will retry the request after interval.")
	assert.Positive(t, c.scrape(ctx, t).sum("kinesis_kpl_errors_by_code", `error_code="ConnectionError"`))
	outage := time.Since(down)

	s.up(t)
	up := time.Now()
	require.NoError(t, s.WaitRecords(ctx, stream, stored+1))
	first := time.Since(up)
	assert.Less(t, first, impatientTTL+c.slowed(3*time.Second), "from the end of the outage to the first record")
	l.stop()
	o := s.allDelivered(ctx, t, c, l)
	t.Logf("down for %v; %d items accepted, %d duplicates; first record after %v, all after %v",
		outage, o.items, duplicates(o.found), first, time.Since(up))
}

// TestAccessRevokedUnderLoad takes away the permission to write under load, and gives it back. All requests of clients are
// accepted, the log says when the stream accepts no records, and all items are stored after a probe has succeeded.
func TestAccessRevokedUnderLoad(t *testing.T) {
	t.Parallel()
	ctx := peers.Context(t)
	s := newService(t, kpltest.Config{}, 3)
	s.up(t)
	c := startCollector(t, settings{kinesis: s.url(), overrides: impatient()})
	l := startLoad(ctx, loadConfig{name: "revoked", records: 5, every: 10 * time.Millisecond}, bothClients(t, c, 2)...)
	l.waitAccepted(ctx, t, 500)

	grant := s.Inject(kpltest.FailCall(kpltest.CodeAccessDenied))
	c.WaitLine(ctx, t, "The stream accepts no records")
	calls := len(s.Calls(kpltest.OpPutRecords))
	l.waitAccepted(ctx, t, 1_000) // The next line waits for more than the first probe.
	require.NoError(t, s.WaitCalls(ctx, kpltest.OpPutRecords, calls+2))
	grant()
	granted := time.Now()
	c.WaitLine(ctx, t, "The stream accepts records again")
	assert.Less(t, time.Since(granted), 8*time.Second+c.slowed(2*time.Second), "probes are 8 s apart at most")
	l.stop()
	c.drained(ctx, t)

	items, failed := l.counts()
	assert.Zero(t, failed, "requests that were not accepted")
	found := copies(t, s.Kinesis)
	assert.Empty(t, lost(found, l))
	assert.Len(t, found, items)
	m := c.scrape(ctx, t)
	assert.Equal(t, items, m.success())
	assert.Positive(t, m.sum("kinesis_kpl_errors_by_code", `error_code="AccessDeniedException"`))
	t.Logf("%d items accepted, %d duplicates; records were accepted again %v after access was",
		items, duplicates(found), time.Since(granted))
}
