package kpl

import (
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/transport/http/protocol/rpcv2"
)

// wireEncoding finds out whether an endpoint takes CBOR. All workers of a producer share one.
type wireEncoding struct {
	state atomic.Int32
	// sdk reads what [answerReader] does not know of answers in CBOR. It is another protocol than the service's by the bytes of
	// a request alone.
	sdk *rpcv2.Protocol
}

// The states of a wireEncoding. It leaves the first of them once.
const (
	cborUntried int32 = iota
	cborTaken
	cborRefused
)

func newWireEncoding(p WireProtocol) *wireEncoding {
	e := &wireEncoding{sdk: rpcv2.NewCBOR(schemas.Kinesis_20131202)}
	if p != WireAuto {
		e.state.Store(cborRefused)
	}
	return e
}

// cbor reports whether the next request is to be in CBOR.
func (e *wireEncoding) cbor() bool { return e.state.Load() != cborRefused }

// taken notes that a request in CBOR had success.
func (e *wireEncoding) taken() { e.state.CompareAndSwap(cborUntried, cborTaken) }

// refused reports whether an answer with an error says that the endpoint does not take CBOR, and whether it is the first
// to say so. It is remembered. Once a request in CBOR had success no answer says so. To be wrong costs CPU time and no more,
// for JSON is always taken.
func (e *wireEncoding) refused(status int, answeredInCBOR bool, err error) (refused, first bool) {
	if status < http.StatusBadRequest {
		return false, false
	}
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return false, false // what stands before the service says so, whatever the request was
	}
	if understood(answeredInCBOR, err) {
		return false, false
	}
	first = e.state.CompareAndSwap(cborUntried, cborRefused)
	return e.state.Load() == cborRefused, first
}

// understood reports whether an error is about something else than the encoding of the request. What an endpoint without
// CBOR makes of it can be anything but a word on credentials, permissions and capacity.
func understood(answeredInCBOR bool, err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return answeredInCBOR
	}
	switch code := api.ErrorCode(); code {
	case codeSerialization, codeUnknownOperation:
		return false
	default:
		class := classOfCode[code]
		return answeredInCBOR || class == classUnavailable || class == classThrottle
	}
}
