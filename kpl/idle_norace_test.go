// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package kpl

import "testing"

// The names of streams that do not exist must not cost goroutines for ever, nor listings again and again.
func TestTwoThousandUnknownStreamsAreForgotten(t *testing.T) { putIntoUnknownStreams(t, 2000) }
