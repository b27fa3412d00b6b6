package kpl

// streamInfo is what the producer wants to know of a stream.
type streamInfo struct {
	// described: the service told. Otherwise all of this is what has been seen of the stream, or assumed.
	described bool
	// automatic: the service chooses the shard of each record and looks at no key. No shard can be predicted, and readers
	// that know hash key ranges drop an aggregate wherever a member's hash key is not the shard's.
	automatic bool
	// maxRecordSize is the most bytes of data and partition key in a record; zero if it is not known.
	maxRecordSize int
}
