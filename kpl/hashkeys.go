// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import "github.com/otel-kinesis/kinesiskplexporter/kpl/internal/md5x8"

// hashKeys computes the hash keys of the records that have a partition key and no explicit hash key.
func hashKeys(records []userRecord) {
	var keys keyBlocks
	for i := range records {
		r := &records[i]
		switch {
		case r.keyless || r.explicit():
		case len(r.partitionKey) > md5x8.MaxShort:
			r.setHash(hashOf(r.partitionKey))
		default:
			keys.add(r)
			if keys.short.Len() == md5x8.Width {
				keys.hash()
			}
		}
	}
	keys.hash()
}

// keyBlocks are partition keys that are hashed side by side.
type keyBlocks struct {
	owners [md5x8.Width]*userRecord
	short  md5x8.Short
}

// add takes in the key of r.
func (k *keyBlocks) add(r *userRecord) {
	k.owners[k.short.Len()] = r
	k.short.Add(r.partitionKey)
}

// hash computes the hash keys of the records that were added, and sets them.
func (k *keyBlocks) hash() {
	owners := k.owners[:k.short.Len()]
	sums := k.short.Sums()
	for i, r := range owners {
		r.setHash(hashKeyOf(sums[i]))
	}
}
