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
