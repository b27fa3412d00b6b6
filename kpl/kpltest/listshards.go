// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// tokenLife is how long a page token or a shard iterator is valid.
const tokenLife = 5 * time.Minute

// pageToken is the content of a NextToken of ListShards.
type pageToken struct {
	ARN     string
	Created int64  // when the stream was created, in Unix nanoseconds; tells it from another stream of the same name
	After   string // the last shard that was listed
	Filter  *types.ShardFilter
	Issued  int64 // when the token was returned, in Unix nanoseconds
}

// ListShards lists shards page by page, as the service does. Its errors are those of the SDK's client. It ignores options.
func (k *Kinesis) ListShards(
	ctx context.Context, in *kinesis.ListShardsInput, _ ...func(*kinesis.Options),
) (*kinesis.ListShardsOutput, error) {
	out, err := k.listShards(ctx, in)
	return out, sdkError(OpListShards, err)
}

func (k *Kinesis) listShards(ctx context.Context, in *kinesis.ListShardsInput) (*kinesis.ListShardsOutput, error) {
	token, err := startOfListing(in)
	c := &Call{Operation: OpListShards, Stream: reference{arn: token.ARN, name: deref(in.StreamName)}.streamName()}
	return call(ctx, k, c, func([]string) (*kinesis.ListShardsOutput, error) {
		if err != nil {
			return nil, err
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		return k.shardPage(token, in)
	})
}

// startOfListing returns where the answer to an input starts: after the page of a token, or at the first shard asked for.
func startOfListing(in *kinesis.ListShardsInput) (pageToken, error) {
	if in.NextToken == nil {
		return pageToken{ARN: deref(in.StreamARN), After: deref(in.ExclusiveStartShardId), Filter: in.ShardFilter}, nil
	}
	if in.StreamName != nil || in.StreamARN != nil || in.ShardFilter != nil || in.ExclusiveStartShardId != nil ||
		in.StreamCreationTimestamp != nil {
		return pageToken{}, newError(CodeInvalidArgument,
			"NextToken and any of StreamName, StreamARN, StreamCreationTimestamp, ExclusiveStartShardId and ShardFilter "+
				"cannot be provided together.")
	}
	var token pageToken
	if !decodeToken(*in.NextToken, &token) {
		return pageToken{}, newError(CodeInvalidArgument, "NextToken is not one that ListShards returned.")
	}
	if time.Since(time.Unix(0, token.Issued)) > tokenLife {
		return token, newError(CodeExpiredNextToken, "NextToken has expired.")
	}
	return token, nil
}

// shardPage returns one page. The caller holds the mutex.
func (k *Kinesis) shardPage(token pageToken, in *kinesis.ListShardsInput) (*kinesis.ListShardsOutput, error) {
	s, err := k.lookup(reference{arn: token.ARN, name: deref(in.StreamName)})
	if err != nil {
		return nil, err
	}
	if token.Created != 0 && token.Created != s.created.UnixNano() {
		return nil, newError(CodeResourceNotFound, "The stream that NextToken is for is no more.")
	}
	shards, err := s.filter(token.Filter)
	if err != nil {
		return nil, err
	}
	shards = slices.DeleteFunc(shards, func(sh *shard) bool { return strings.Compare(sh.id, token.After) <= 0 })
	limit := k.config.MaxShardsPerPage
	if in.MaxResults != nil {
		if *in.MaxResults < 1 || *in.MaxResults > 10000 {
			return nil, newError(CodeValidation, "1 validation error detected: Value '%d' at 'maxResults' failed to satisfy "+
				"constraint: Member must have value from 1 to 10000", *in.MaxResults)
		}
		limit = min(limit, int(*in.MaxResults))
	}
	out := &kinesis.ListShardsOutput{}
	if len(shards) > limit {
		shards = shards[:limit]
		next := pageToken{s.arn, s.created.UnixNano(), shards[limit-1].id, token.Filter, time.Now().UnixNano()}
		out.NextToken = aws.String(encodeToken(next))
	}
	out.Shards = make([]types.Shard, len(shards))
	for i, sh := range shards {
		out.Shards[i] = sh.describe()
	}
	return out, nil
}

// filter returns the shards that pass a filter, ordered by number. No shard is ever trimmed, so the trim horizon is the time when
// the stream was created.
func (s *stream) filter(filter *types.ShardFilter) ([]*shard, error) {
	if filter == nil {
		return slices.Clone(s.shards), nil
	}
	at, err := s.filterTime(filter)
	if err != nil {
		return nil, err
	}
	keep := func(sh *shard) bool { return sh.last == 0 || sh.closed.After(at) } // open at that time or opened later
	switch filter.Type {
	case types.ShardFilterTypeAtLatest:
		keep = func(sh *shard) bool { return sh.last == 0 }
	case types.ShardFilterTypeAfterShardId:
		keep = func(sh *shard) bool { return sh.id > deref(filter.ShardId) }
	case types.ShardFilterTypeFromTrimHorizon:
		keep = func(*shard) bool { return true }
	case types.ShardFilterTypeAtTrimHorizon:
		keep = func(sh *shard) bool { return sh.parent == "" }
	case types.ShardFilterTypeAtTimestamp:
		since := keep
		keep = func(sh *shard) bool { return since(sh) && !sh.opened.After(at) }
	case types.ShardFilterTypeFromTimestamp:
	default:
		return nil, newError(CodeValidation, "1 validation error detected: Value '%s' at 'shardFilter.type' failed to "+
			"satisfy constraint: Member must satisfy enum value set", filter.Type)
	}
	return slices.DeleteFunc(slices.Clone(s.shards), func(sh *shard) bool { return !keep(sh) }), nil
}

// filterTime returns the time of a filter, zero if it needs none. It fails if the filter lacks a field that its type needs.
func (s *stream) filterTime(filter *types.ShardFilter) (time.Time, error) {
	timed := filter.Type == types.ShardFilterTypeAtTimestamp || filter.Type == types.ShardFilterTypeFromTimestamp
	if timed && filter.Timestamp == nil {
		return time.Time{}, newError(CodeInvalidArgument, "Timestamp must be given with ShardFilter type %s.", filter.Type)
	}
	if filter.Type == types.ShardFilterTypeAfterShardId && filter.ShardId == nil {
		return time.Time{}, newError(CodeInvalidArgument, "ShardId must be given with ShardFilter type %s.", filter.Type)
	}
	return aws.ToTime(filter.Timestamp), nil
}
