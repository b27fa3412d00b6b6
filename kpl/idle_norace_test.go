//go:build !race

package kpl

import "testing"

// Two thousand names once had 10,004 goroutines for good, and 205,990 listings in an hour.
func TestTwoThousandUnknownStreamsAreForgotten(t *testing.T) { putIntoUnknownStreams(t, 2000) }
