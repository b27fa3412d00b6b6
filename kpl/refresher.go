// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// These are the pauses between listings. A listing starts minRefreshInterval after the one before, plus a random jitter,
// because all producers of a stream notice a reshard at the same moment. After failures the pauses grow from
// firstRefreshBackoff to lastRefreshBackoff.
const (
	minRefreshInterval  = time.Second
	maxRefreshJitter    = 100 * time.Millisecond
	firstRefreshBackoff = time.Second
	lastRefreshBackoff  = 30 * time.Second
)

// These limits end a listing. They are far beyond the largest streams; a page has 1,000 shards. There must be an end, because
// stored records may wait for the listing.
const (
	maxPages       = 1000
	maxListingTime = 20 * time.Second
)

// listError is a failed call. Its text is clipped as the text of an attempt is, because the service's text about a wrong
// signature contains the session token further back.
type listError struct{ cause error }

func (e *listError) Error() string {
	f := faultOfCall(e.cause)
	return fmt.Sprintf("kpl: cannot list the shards: %s: %s", f.code, f.message)
}

// Unwrap returns the error of the client.
func (e *listError) Unwrap() error { return e.cause }

// refresher lists the shards of a stream on request, one listing at a time.
type refresher struct {
	client  Client
	name    string
	timeout time.Duration
	random  *rand.Rand
	publish func(streamNews)
	busy    *atomic.Bool    // some record of the stream has no Result yet
	resumed <-chan struct{} // has a token when the stream turned busy

	previous *shardMap // the last listing
}

// run serves requests until ctx ends. It serves the first one at once. A failed listing is published too. It is tried again
// after a pause, or at the next request, until it succeeds.
func (r *refresher) run(ctx context.Context, requests <-chan struct{}) {
	var earliest time.Time
	for {
		select {
		case <-requests:
		case <-ctx.Done():
			return
		}
		for backoff := firstRefreshBackoff; ; backoff = min(backoff*3/2, lastRefreshBackoff) {
			if !sleepUntil(ctx, earliest) {
				return
			}
			listed := time.Now()
			shards, err := r.list(ctx, listed)
			if ctx.Err() != nil {
				return
			}
			r.publish(streamNews{shards: shards, err: err})
			earliest = listed.Add(minRefreshInterval + r.jitter(maxRefreshJitter))
			if err == nil {
				r.previous = shards
				break
			}
			wait, cancel := context.WithTimeout(ctx, backoff+r.jitter(backoff/2))
			select {
			case <-requests:
			case <-wait.Done():
			}
			cancel()
			r.waitForRecords(ctx, requests)
		}
	}
}

// waitForRecords waits while no record needs the shards: a stream that does not exist is not listed again and again.
func (r *refresher) waitForRecords(ctx context.Context, requests <-chan struct{}) {
	select {
	case <-r.resumed: // an old one
	default:
	}
	if r.busy.Load() {
		return
	}
	select {
	case <-r.resumed:
	case <-requests:
	case <-ctx.Done():
	}
}

func (r *refresher) jitter(most time.Duration) time.Duration {
	return time.Duration(r.random.Float64() * float64(most))
}

// list asks the service for the open shards, page by page. The listing began at the given time.
func (r *refresher) list(ctx context.Context, listed time.Time) (*shardMap, error) {
	ctx, cancel := context.WithTimeout(ctx, maxListingTime)
	defer cancel()
	input := &kinesis.ListShardsInput{ShardFilter: &types.ShardFilter{Type: types.ShardFilterTypeAtLatest}}
	input.StreamName, input.StreamARN = streamAddress(r.name)
	var open []shard
	first := map[ShardID]string{}
	for pages := 1; ; pages++ {
		output, err := r.page(ctx, input)
		if err != nil {
			return nil, &listError{err}
		}
		for i := range output.Shards {
			s, err := readShard(&output.Shards[i])
			if err != nil {
				return nil, fmt.Errorf("kpl: cannot list the shards: %w", err)
			}
			open = append(open, s)
			if numbers := output.Shards[i].SequenceNumberRange; numbers != nil {
				first[s.id] = clip(aws.ToString(numbers.StartingSequenceNumber))
			}
		}
		if aws.ToString(output.NextToken) == "" {
			break
		}
		if pages == maxPages || len(open) > maxShards {
			return nil, fmt.Errorf("kpl: cannot list the shards: no end after %d pages and %d shards", pages, len(open))
		}
		input = &kinesis.ListShardsInput{NextToken: output.NextToken} // the service allows no other field beside it
	}
	if len(open) == 0 {
		return nil, errors.New("kpl: cannot list the shards: the service lists none")
	}
	m := newShardMap(open, r.previous, listed)
	m.identify(first, r.previous, time.Now())
	return m, nil
}

// page makes one call.
func (r *refresher) page(ctx context.Context, input *kinesis.ListShardsInput) (*kinesis.ListShardsOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	return r.client.ListShards(ctx, input, callOptions)
}

// readShard reads a shard from an answer of the service.
func readShard(s *types.Shard) (shard, error) {
	id := clip(aws.ToString(s.ShardId))
	if id == "" {
		return shard{}, errors.New("a shard has no id")
	}
	if s.HashKeyRange == nil {
		return shard{}, fmt.Errorf("%s has no hash key range", id)
	}
	first, err := parseHashKey(aws.ToString(s.HashKeyRange.StartingHashKey))
	if err != nil {
		return shard{}, fmt.Errorf("starting hash key of %s: %w", id, err)
	}
	last, err := parseHashKey(aws.ToString(s.HashKeyRange.EndingHashKey))
	if err != nil {
		return shard{}, fmt.Errorf("ending hash key of %s: %w", id, err)
	}
	if last.less(first) {
		return shard{}, fmt.Errorf("%s ends before it starts", id)
	}
	return shard{ShardID(id), hashRange{first, last}}, nil
}

// sleepUntil waits until at; it reports false if ctx ended first.
func sleepUntil(ctx context.Context, at time.Time) bool {
	pause := time.Until(at)
	if pause <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
