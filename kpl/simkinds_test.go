// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// The simulation has two kinds of messages that begin with a byte for the kind and their length, as protobuf fields do, and one
// kind of lines of text. A reader sees only the bytes of a Kinesis record, and all of them must be of one kind.

// simHeader is the length of the kind and the size, in bytes.
const simHeader = 5

// simKind makes a message of the payload. The number of a record decides about its kind.
func simKind(number int, payload []byte) (Kind, []byte) {
	kind := byte(number % 3)
	if kind == 2 {
		return Kind{Number: kind, Newline: true}, payload
	}
	message := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(payload)))
	return Kind{Number: kind}, append(message, payload...)
}

// simMessages calls f for each message in the data of a Kinesis record.
func simMessages(data []byte, f func(message, payload []byte)) error {
	kind := data[0]
	if kind > 1 {
		for line := range bytes.SplitSeq(data, []byte("\n")) {
			f(line, line)
		}
		return nil
	}
	for len(data) > 0 {
		if len(data) < simHeader || data[0] != kind {
			return errors.New("the record has messages of several kinds")
		}
		end := simHeader + int(binary.BigEndian.Uint32(data[1:]))
		if len(data) < end {
			return errors.New("a message is cut off")
		}
		f(data[:end], data[simHeader:end])
		data = data[end:]
	}
	return nil
}
