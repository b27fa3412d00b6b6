// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otel-kinesis/kinesiskplexporter/internal/peers"
	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// disk is a place for the queue of a collector. It has little room until grow is called.
type disk struct {
	directory string
	limit     func(t *testing.T, c *collector)
	grow      func(t *testing.T, c *collector)
}

// fileLimit returns a disk on which no file may become larger than size. It needs no privileges.
func fileLimit(t *testing.T, size int) *disk {
	t.Helper()
	limit := func(size string) func(t *testing.T, c *collector) {
		return func(t *testing.T, c *collector) {
			t.Helper()
			run(t, "prlimit", "--pid", strconv.Itoa(c.PID()), "--fsize="+size+":unlimited")
		}
	}
	return &disk{directory: t.TempDir(), limit: limit(strconv.Itoa(size)), grow: limit("unlimited")}
}

// tmpfs returns a disk with its own file system, or nil if the test may not mount one.
func tmpfs(t *testing.T, size int) *disk {
	t.Helper()
	directory := t.TempDir()
	if output, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size="+strconv.Itoa(size),
		"tmpfs", directory).CombinedOutput(); err != nil {
		t.Logf("no tmpfs: %s", output)
		return nil
	}
	t.Cleanup(func() {
		assert.NoError(t, exec.CommandContext(context.Background(), "umount", "--lazy", directory).Run())
	})
	return &disk{
		directory: directory,
		limit:     func(*testing.T, *collector) {},
		grow: func(t *testing.T, _ *collector) {
			t.Helper()
			run(t, "mount", "-o", "remount,size=1g", directory)
		},
	}
}

// disks are all kinds of disk.
var disks = map[string]func(t *testing.T, size int) *disk{"file limit": fileLimit, "tmpfs": tmpfs}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	require.NoError(t, err, "%s", output)
}

// onDisks runs a test for each kind of disk, with a collector whose queue is on a disk of that size. The endpoint is down.
func onDisks(t *testing.T, size int, overrides []string, test func(*testing.T, *disk, *service, *collector)) {
	t.Helper()
	for kind, newDisk := range disks {
		d := newDisk(t, size)
		if d == nil {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newService(t, kpltest.Config{}, 3)
			c := startCollector(t, settings{
				kinesis:   s.url(),
				overrides: slices.Concat(impatient(), withStorage(d.directory), overrides),
			})
			d.limit(t, c)
			test(t, d, s, c)
		})
	}
}

// TestFullDiskDuringAnOutage fills the disk of the queue while the endpoint is down. Clients get UNAVAILABLE or status 503
// and send again. When the disk has room, their requests are accepted. When the endpoint is back, all accepted items are
// delivered.
func TestFullDiskDuringAnOutage(t *testing.T) {
	t.Parallel()
	onDisks(t, 1<<20, nil, func(t *testing.T, d *disk, s *service, c *collector) {
		ctx := peers.Context(t)
		l := startLoad(ctx, loadConfig{name: "disk", records: 5, textLength: 1_000, every: time.Millisecond},
			bothClients(t, c, 2)...)
		l.waitFailed(ctx, t, 300)
		line := c.WaitLine(ctx, t, "Exporting failed. Rejecting data.")
		assert.Regexp(t, "no space left|file too large", line)
		err := grpcClient(t, c)(ctx, logRequest("full", 5, 10_000))
		assert.Equal(t, codes.Unavailable, status.Code(err), "%v", err)
		var answer *statusError
		require.ErrorAs(t, httpClient(t, c)(ctx, logRequest("full", 5, 10_000)), &answer)
		assert.Equal(t, http.StatusServiceUnavailable, answer.status)
		assert.GreaterOrEqual(t, c.scrape(ctx, t).sum("exporter_enqueue_failed_log_records"), 300*5)

		d.grow(t, c)
		l.waitAccepted(ctx, t, 100)
		s.up(t)
		l.stop()
		c.drained(ctx, t)
		items, failed := l.counts()
		found := copies(t, s.Kinesis)
		assert.Empty(t, lost(found, l))
		t.Logf("%d items accepted, %d requests not accepted; %d duplicates", items, failed, duplicates(found))
	})
}

// TestQueueIsFullBeforeTheDisk reads and writes a queue at the same time, on a disk of four times the size of the queue.
// The queue becomes full and clients get UNAVAILABLE or status 503, but the disk never becomes full and nothing is lost. On
// a full disk, the queue of the Collector would lose what it reads.
func TestQueueIsFullBeforeTheDisk(t *testing.T) {
	t.Parallel()
	const queueSize, diskSize = 1 << 20, 4 << 20
	small := []string{"exporters::kinesis_kpl::sending_queue::queue_size: " + strconv.Itoa(queueSize)}
	onDisks(t, diskSize, small, func(t *testing.T, _ *disk, s *service, c *collector) {
		ctx := peers.Context(t)
		fast := s.Inject(kpltest.ForOperation(kpltest.OpPutRecords, kpltest.Latency(200*time.Millisecond)))
		s.up(t)
		l := startLoad(ctx, loadConfig{name: "queue", records: 5, textLength: 5_000, every: time.Millisecond},
			bothClients(t, c, 2)...)
		l.waitFailed(ctx, t, 1_000)
		l.stop()
		fast()
		c.drained(ctx, t)
		items, failed := l.counts()
		found := copies(t, s.Kinesis)
		assert.Empty(t, lost(found, l))
		assert.Len(t, found, items)
		assert.NotRegexp(t, "no space left|file too large", c.Output())
		t.Logf("%d items accepted, %d requests not accepted; %d duplicates", items, failed, duplicates(found))
	})
}
