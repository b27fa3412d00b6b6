package kpltest

// OpenShard is a shard that takes records.
type OpenShard struct {
	ID                             string
	StartingHashKey, EndingHashKey string // decimal, both inclusive
}

// OpenShards returns the open shards of a stream, given by name or ARN, by hash key. There is none if the stream does
// not exist. Unlike ListShards it is no call: no fault touches it.
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
