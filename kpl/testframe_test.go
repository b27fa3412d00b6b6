// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"encoding/binary"
	"errors"
	"strings"
)

// The tests have a compression of their own: runs of equal bytes become two bytes. Zeros get very small, and bytes without runs
// twice as large. So records overflow as they rarely do with a real compression.

// frameMagic begins each frame. No data of the tests begins so.
const frameMagic = "\xff<<"

// compressRuns appends one frame: the magic, the length of the data, and its runs.
func compressRuns(dst, data []byte) []byte {
	dst = append(dst, frameMagic...)
	dst = binary.AppendUvarint(dst, uint64(len(data)))
	for i := 0; i < len(data); {
		run := 1
		for run < 255 && i+run < len(data) && data[i+run] == data[i] {
			run++
		}
		dst = append(dst, byte(run), data[i])
		i += run
	}
	return dst
}

// decompressRuns reads one frame, and nothing but one frame.
func decompressRuns(frame []byte) ([]byte, error) {
	rest, ok := strings.CutPrefix(string(frame), frameMagic)
	if !ok {
		return nil, errors.New("it is no frame")
	}
	size, n := binary.Uvarint([]byte(rest[:min(len(rest), binary.MaxVarintLen64)]))
	if n <= 0 {
		return nil, errors.New("the frame has no length")
	}
	rest = rest[n:]
	plain := make([]byte, 0, size)
	for ; len(plain) < int(size); rest = rest[2:] {
		if len(rest) < 2 || rest[0] == 0 {
			return nil, errors.New("the frame is cut off")
		}
		for range rest[0] {
			plain = append(plain, rest[1])
		}
	}
	if len(plain) > int(size) || rest != "" {
		return nil, errors.New("something stands behind the frame")
	}
	return plain, nil
}

// isCompressed reports whether data is compressed.
func isCompressed(data []byte) bool {
	return strings.HasPrefix(string(data[:min(len(data), len(frameMagic))]), frameMagic)
}

// compressing makes the producer join records without a frame, and compress them.
func compressing(c *Config) { c.AggregationFormat, c.Compress = AggregationConcatenated, compressRuns }
