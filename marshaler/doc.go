// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package marshaler turns pdata into messages. A message is a complete OTLP request that fits one user record of a Kinesis
// stream.
//
// # How it works
//
// The pdata of a push is encoded once, and the bytes are cut between items: log records, spans, data points and samples. What is
// around an item (resource, scope, schema URLs, and the metric of a data point) is repeated in each message that has such an
// item. So each message is an Export*ServiceRequest that any OTLP reader understands by itself.
//
// The parts, in the order in which a push meets them:
//
//   - keyer groups the resources by partition key;
//   - encodable encodes pdata into memory that is used again; sizeGuess says how much memory that takes;
//   - isClean screens the bytes for what strict readers do not decode, and mender copies and changes them if there is any;
//   - pieces does this for a large push, a few resources at a time, with the same messages as a result;
//   - tree finds out where containers and items lie in the bytes, by a cutter for protobuf and one for JSON;
//   - filler fills one message after the other, up to the target size;
//   - draft is the message that is being filled: it knows its exact size before any byte of it is written;
//   - tree.assemble writes the bytes of a message into one buffer;
//   - messageCompressor compresses a message, if that is configured. The filler corrects a message that misses its size;
//   - cuttableValues are what is cut in an item that fits no message, if that is configured.
//
// A push may also come as bytes. Then isSound takes the place of all that is in front of tree, see [Marshaler.MarshalEncoded].
//
// Profiles take another way from the filler on. All samples of a push refer to one dictionary, so portion fills messages with
// samples and with what these need of the dictionary, which selection finds.
//
// Encoded pdata and messages lie in pooled memory. Whoever gets messages releases them when nobody reads them any more.
//
// # Markers
//
// Nothing in a request of OTLP in protobuf names its signal. So a marker may stand in front of each message, see
// [Config.SignalMarker]. It is in the bytes that are cut, so it is in the head of the request, which is repeated in each message.
//
// # Empty containers
//
// A resource, scope or metric without items holds nothing that the Collector counts. It stays in pdata that fits one message,
// and is left out of pdata that is cut.
package marshaler
