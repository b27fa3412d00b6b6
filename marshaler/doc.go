// Package marshaler turns pdata into chunks of encoded OTLP, each fit for one user record of a Kinesis stream.
//
// A request is encoded once, a large one piece by piece, and the bytes are then cut between items: log records, spans and
// data points. What is around an item (resource, scope, schema URLs, and for a data point its metric) is repeated in every
// chunk that holds such an item, so each chunk is a complete Export*ServiceRequest that any OTLP reader understands on its
// own.
//
// The parts, in the order in which a request meets them:
//
//   - keyer groups the resources by partition key;
//   - pieces writes a large request a few resources at a time, with the chunks that it would have as a whole;
//   - a cutter, one for protobuf and one for JSON, finds where containers and items lie in the bytes: the tree;
//   - chunker fills chunks greedily up to the target size and knows the exact size of each before it exists;
//   - tree.assemble writes a chunk into one buffer of that size;
//   - chunker.pack compresses it, if that is wanted, and has it filled anew if it misses the size that it should have.
//
// The request and its chunks lie in pooled memory: whoever gets chunks releases them when nobody reads them any more.
//
// Containers without items (a resource, a scope or a metric that is empty) hold nothing that the Collector counts. They
// stay in a request that fits a chunk whole, and are left out of one that is cut.
package marshaler
