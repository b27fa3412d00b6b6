// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import "time"

// StreamStats is a snapshot of what a producer holds for one stream.
type StreamStats struct {
	// Stream is the name or the ARN of the stream, as in the UserRecord.
	Stream string
	// Oldest is when Put accepted the oldest record that has no Result yet; zero if there is none. Records that are being compressed
	// or have come just now do not count.
	Oldest time.Time
	// LastStored is when the service was known to have stored a record last; zero before the first, and after the producer had
	// forgotten the stream.
	LastStored time.Time
	// Requests is how many PutRecords calls are in flight, at most [Config.MaxConnections].
	Requests int
	// Retrying is how many user records pause before their next attempt.
	Retrying int
	// HeldRecords and HeldBytes are the Kinesis records that wait because their shards take no more at the moment, and their size
	// with keys.
	HeldRecords, HeldBytes int
	// Busiest are the shards for which records wait, the one with the most bytes first, at most [MaxBusiest].
	Busiest []ShardStats
}

// MaxBusiest is how many shards [StreamStats.Busiest] has at most.
const MaxBusiest = 5

// ShardStats is what waits for one shard.
type ShardStats struct {
	// ShardID is empty for records whose shard is not known.
	ShardID ShardID
	// HeldRecords and HeldBytes are the Kinesis records that wait, and their size with keys.
	HeldRecords, HeldBytes int
	// Share is the part of [Config.RateLimit] that the producer uses at the moment, more than 0 and at most 1. Throttling by the
	// shard lowers it.
	Share float64
	// Delay is how long the shard takes for what waits, at this share.
	Delay time.Duration
}
