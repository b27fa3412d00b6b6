package kpl

// streamNews is what the refresher or the describer has found out about a stream. One of the fields is set.
type streamNews struct {
	shards *shardMap   // the shards were listed
	err    error       // they could not be listed
	kind   *streamKind // the first description is there, or a new one; if it is not described, the service does not say
}
