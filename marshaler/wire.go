package marshaler

import "reflect"

// wireMessage is what pdata keeps behind its types: it can be written into memory that is there already, which the
// package's marshalers do not offer.
type wireMessage interface {
	// SizeProto returns the bytes of the protobuf encoding.
	SizeProto() int
	// MarshalProto writes them to the end of buf and returns how many they are.
	MarshalProto(buf []byte) int
}

// wireMessageOf returns the message behind pdata's Logs, Traces or Metrics. It returns false if this version of pdata is
// made in another way than those that are known; its marshalers do the work then, into fresh memory.
func wireMessageOf(pdata any) (wireMessage, bool) {
	value := reflect.ValueOf(pdata)
	if value.Kind() != reflect.Struct {
		return nil, false
	}
	message := value.FieldByName("orig")
	if message.Kind() != reflect.Pointer || message.IsNil() {
		return nil, false
	}
	// The same pointer of the same type, without the mark of having come from a field that is not exported.
	same := reflect.NewAt(message.Type().Elem(), message.UnsafePointer())
	return reflect.TypeAssert[wireMessage](same)
}

// wireParts is a message that has some of a request's resources at a time. Since the resources are all that there is in a
// request, the encodings of its parts, one after the other, are that of the whole.
type wireParts struct {
	message   wireMessage   // of the type of the request's
	resources reflect.Value // its list
	all       reflect.Value // the request's
}

// wirePartsOf returns the parts of a message with so many resources. It returns false if it has more than these.
func wirePartsOf(message wireMessage, resources int) (*wireParts, bool) {
	whole := reflect.ValueOf(message).Elem()
	if whole.Kind() != reflect.Struct || whole.NumField() != 1 {
		return nil, false
	}
	all := whole.Field(0)
	if all.Kind() != reflect.Slice || all.Len() != resources {
		return nil, false
	}
	part := reflect.New(whole.Type())
	same, ok := reflect.TypeAssert[wireMessage](part)
	return &wireParts{message: same, resources: part.Elem().Field(0), all: all}, ok
}

// take returns the message with the resources from first to the one before last, until it is called again.
func (p *wireParts) take(first, last int) wireMessage {
	p.resources.Set(p.all.Slice(first, last))
	return p.message
}
