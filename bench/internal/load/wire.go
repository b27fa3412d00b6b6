// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package load

import (
	"fmt"
	"reflect"
	"slices"
)

// wireMessage is the message inside of a pdata type. It can be written into memory that is already allocated.
type wireMessage interface {
	SizeProto() int
	MarshalProto(buf []byte) int // writes to the end of buf and returns the number of bytes
}

// AppendMarshal appends the request as an OTLP message to dst, without allocating other memory. It fails if the types of
// this version of pdata are not made as expected.
func (r Request) AppendMarshal(s Shape, dst []byte) ([]byte, error) {
	var pdata any
	switch s.Signal {
	case Logs:
		pdata = r.Logs
	case Traces:
		pdata = r.Traces
	case Metrics:
		pdata = r.Metrics
	}
	orig := reflect.ValueOf(pdata).FieldByName("orig")
	if orig.Kind() != reflect.Pointer {
		return dst, fmt.Errorf("%T has no message that can be reached", pdata)
	}
	// The same pointer of the same type, without the mark of having come from a field that is not exported.
	message, is := reflect.TypeAssert[wireMessage](reflect.NewAt(orig.Type().Elem(), orig.UnsafePointer()))
	if !is {
		return dst, fmt.Errorf("the message of %T does not marshal itself", pdata)
	}
	size := message.SizeProto()
	dst = slices.Grow(dst, size)[:len(dst)+size]
	message.MarshalProto(dst[len(dst)-size:])
	return dst, nil
}
