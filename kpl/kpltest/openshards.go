// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

// OpenShard is a shard that accepts records.
type OpenShard struct {
	ID                             string // such as shardId-000000000000
	StartingHashKey, EndingHashKey string // the first and the last hash key of the shard, in decimal
}

// OpenShards returns the open shards of a stream, given by name or ARN, ordered by hash key. If the stream does not exist, there
// are none. OpenShards is not an API call: no fault affects it, and it is not in [Kinesis.Calls].
func (k *Kinesis) OpenShards(stream string) []OpenShard {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, err := k.lookup(parseReference(stream))
	if err != nil {
		return nil
	}
	open := make([]OpenShard, len(s.open))
	for i, piece := range s.open {
		open[i] = OpenShard{ID: piece.id, StartingHashKey: piece.start.String(), EndingHashKey: piece.end.String()}
	}
	return open
}
