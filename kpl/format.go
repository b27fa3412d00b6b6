// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import "crypto/md5" //nolint:gosec // for its size

// The aggregated record of the KPL is
//
//	magic | AggregatedRecord in protobuf | MD5 of the protobuf bytes
//
//	message AggregatedRecord { repeated string partition_key_table = 1;
//	                           repeated string explicit_hash_key_table = 2;
//	                           repeated Record records = 3; }
//	message Record { required uint64 partition_key_index = 1;
//	                 optional uint64 explicit_hash_key_index = 2;
//	                 required bytes data = 3; }
const (
	magic      = "\xf3\x89\x9a\xc2"
	frameBytes = len(magic) + md5.Size

	tagPartitionKey    = 1<<3 | 2
	tagExplicitHashKey = 2<<3 | 2
	tagRecord          = 3<<3 | 2

	tagPartitionKeyIndex    = 1 << 3
	tagExplicitHashKeyIndex = 2 << 3
	tagData                 = 3<<3 | 2
)

// outerPartitionKey is the partition key of an aggregated record whose members have different keys. The service chooses the shard
// by the explicit hash key beside it.
const outerPartitionKey = "a"
