// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import "reflect"

// encodable is the struct that pdata's Logs, Traces and Metrics hide in a field. Unlike pdata's public marshalers, it can be
// encoded into memory that the caller gives.
type encodable interface {
	// SizeProto returns the size of the protobuf encoding in bytes.
	SizeProto() int
	// MarshalProto writes the protobuf encoding to the end of buf and returns its size.
	MarshalProto(buf []byte) int
}

// encodableOf returns the encodable in pdata's Logs, Traces or Metrics. It returns false if this version of pdata is built in
// another way. The caller uses pdata's public marshalers then. ADR 15 says why this is done at all.
func encodableOf(pdata any) (encodable, bool) {
	value := reflect.ValueOf(pdata)
	if value.Kind() != reflect.Struct {
		return nil, false
	}
	hidden := value.FieldByName("orig")
	if hidden.Kind() != reflect.Pointer || hidden.IsNil() {
		return nil, false
	}
	// The same pointer with the same type. It has lost the mark of an unexported field, which would forbid to call methods.
	same := reflect.NewAt(hidden.Type().Elem(), hidden.UnsafePointer())
	return reflect.TypeAssert[encodable](same)
}

// pdataParts gives the pdata of a push a few resources at a time. The resources are all that a request has, so the encodings
// of its parts, one behind the other, are the encoding of the whole.
type pdataParts struct {
	// part is an encodable of the same type as that of the push.
	part encodable
	// resources is the list of resources of part. It can be set.
	resources reflect.Value
	// all is the list of resources of the push. It is only read.
	all reflect.Value
}

// partsOf returns the parts of an encodable with so many resources. It returns false if the encodable has anything else.
func partsOf(source encodable, resources int) (*pdataParts, bool) {
	whole := reflect.ValueOf(source).Elem()
	if whole.Kind() != reflect.Struct || whole.NumField() != 1 {
		return nil, false
	}
	all := whole.Field(0)
	if all.Kind() != reflect.Slice || all.Len() != resources {
		return nil, false
	}
	part := reflect.New(whole.Type())
	same, ok := reflect.TypeAssert[encodable](part)
	return &pdataParts{part: same, resources: part.Elem().Field(0), all: all}, ok
}

// take returns an encodable with the resources from first up to, but not including, last. It is valid until take is called
// again.
func (p *pdataParts) take(first, last int) encodable {
	p.resources.Set(p.all.Slice(first, last))
	return p.part
}
