// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/otel-kinesis/kinesiskplexporter/marshaler"
)

// A few kilobytes can decompress to megabytes, and two bytes of protobuf can become a log record of 300 bytes in memory. These
// are the limits for one Kinesis record with all its user records. What a Collector sends stays far below them.
const (
	maxPlainBytes = 2 * marshaler.MaxPlainSize // bytes of decompressed data
	maxValues     = 1 << 22                    // messages, strings and byte strings in protobuf; objects and arrays in JSON
)

// maxNesting is how deep messages, objects and arrays may be inside of each other. The decoder of JSON calls itself for each, and
// too many calls end the program.
const maxNesting = 1000

// The costs of an attempt to decompress: what setting up a decompressor costs, and what a failure may have cost.
const (
	attemptCost = 4 << 10
	failureCost = 1 << 20
)

var (
	errTooManyValues = fmt.Errorf("the user records of one Kinesis record have more than %d values", maxValues)
	errTooMuchPlain  = fmt.Errorf("the user records of one Kinesis record have more than %d bytes before compression", maxPlainBytes)
	errTooDeep       = fmt.Errorf("values are more than %d deep inside of each other", maxNesting)
)

// budget is what is left of the limits for one Kinesis record.
type budget struct{ plainBytes, values int }

func newBudget() *budget { return &budget{maxPlainBytes, maxValues} }

// decompress returns data as it was before compression.
func (b *budget) decompress(data []byte) ([]byte, marshaler.Compression, error) {
	if b.plainBytes <= 0 {
		// With a limit of zero bytes, only data that is not compressed comes back.
		plain, compression, err := marshaler.Decompress(data, 0)
		if err == nil && compression == marshaler.NoCompression {
			return plain, compression, nil
		}
		return nil, compression, errTooMuchPlain
	}
	plain, compression, err := marshaler.Decompress(data, min(b.plainBytes, marshaler.MaxPlainSize))
	switch {
	case compression == marshaler.NoCompression:
	case errors.Is(err, marshaler.ErrPlainSize):
		b.plainBytes -= marshaler.MaxPlainSize
	case err != nil:
		b.plainBytes -= failureCost
	default:
		b.plainBytes -= attemptCost + len(plain)
	}
	return plain, compression, err
}

// check returns an error if data has too many values, or values too deep inside of each other, to be decoded.
func (b *budget) check(data []byte, encoding marshaler.Encoding) error {
	count := countProto
	if encoding == marshaler.OTLPJSON {
		count = countJSON
	}
	values, ok := count(data, b.values)
	switch {
	case !ok:
		return errTooDeep
	case values > b.values:
		b.values = 0
		return errTooManyValues
	}
	b.values -= values
	return nil
}

// countJSON counts the objects and arrays in data, up to a few more than limit. It returns false if they are too deep inside of
// each other.
func countJSON(data []byte, limit int) (values int, ok bool) {
	depth := 0
	inString := false
	for i := 0; i < len(data) && values <= limit; i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++ // what is escaped
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			values++
			depth++
		case c == '}' || c == ']':
			depth--
		}
		if depth > maxNesting {
			return values, false
		}
	}
	return values, true
}

// countProto counts the length-delimited fields in data, up to a few more than limit. It returns false if they are too deep
// inside of each other. It knows no types, so it also looks into strings. What it finds there counts too, but that is little:
// text soon stops to look like fields.
func countProto(data []byte, limit int) (values int, ok bool) {
	ends := make([]int, 0, 64) // where the open fields end, the outermost first
	end := len(data)
	for pos := 0; values <= limit; {
		for pos >= end {
			if len(ends) == 0 {
				return values, true
			}
			end, ends = ends[len(ends)-1], ends[:len(ends)-1]
		}
		tag, n := binary.Uvarint(data[pos:end])
		if n <= 0 {
			pos = end // This is not a message, and decoders stop here.
			continue
		}
		pos += n
		switch kind := protowire.Type(tag & 7); kind {
		case protowire.VarintType:
			if _, n = binary.Uvarint(data[pos:end]); n <= 0 {
				n = end - pos
			}
			pos += n
		case protowire.Fixed64Type:
			pos += 8
		case protowire.Fixed32Type:
			pos += 4
		case protowire.BytesType:
			length, n := binary.Uvarint(data[pos:end])
			if n <= 0 || length > uint64(end-pos-n) { //nolint:gosec // never negative
				pos = end
				continue
			}
			values++
			ends = append(ends, end)
			pos += n
			end = pos + int(length) //nolint:gosec // at most what is left of the data
			if len(ends) > maxNesting {
				return values, false
			}
		case protowire.StartGroupType, protowire.EndGroupType: // What is in a group is read as if there was no group.
		default:
			pos = end
		}
	}
	return values, true
}
