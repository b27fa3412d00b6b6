// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// noticeInterval is the least time from one notice to the next.
const noticeInterval = 10 * time.Second

// outageRetryer tells people that calls have no answer and are tried again, if a few tries have not helped. It is safe for
// concurrent use.
type outageRetryer struct {
	aws.Retryer
	notices *notices
}

// RetryDelay implements [aws.Retryer].
func (r outageRetryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	if unanswered(err) && attempt >= maxFirstAttempts {
		r.notices.report(fmt.Sprintf("trying again, %v", explain(err)))
	}
	return r.Retryer.RetryDelay(attempt, err)
}

// notices prints lines for people, not too many of them: all shards have the same trouble at the same time.
type notices struct {
	out io.Writer

	mu   sync.Mutex
	last time.Time // guarded by mu
}

func (n *notices) report(text string) {
	n.mu.Lock()
	due := n.last.IsZero() || time.Since(n.last) >= noticeInterval
	if due {
		n.last = time.Now()
	}
	n.mu.Unlock()
	if due {
		fmt.Fprintln(n.out, "kinesistail:", visible(text)) // Nothing can be done if people cannot be told.
	}
}
