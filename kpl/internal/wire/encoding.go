package wire

import (
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/transport/http/protocol/rpcv2"
)

// Encoding finds out whether an endpoint takes CBOR. The first calls are made in CBOR. Once one of them succeeds, all are. If
// the answer to one of them says that CBOR is unsupported, all later calls are made in JSON.
//
// All workers of a producer share one Encoding; it is safe for use by several goroutines.
type Encoding struct {
	state atomic.Int32
	// unrelated reports whether an error code has nothing to do with the encoding of the request.
	unrelated func(code string) bool
	// sdk reads the answers in CBOR that [answerReader] does not know. It is the SDK's protocol for other services, whose
	// answers look the same.
	sdk *rpcv2.Protocol
}

// The states of an Encoding. It leaves cborUntried once.
const (
	cborUntried int32 = iota
	cborTaken
	cborUnsupported
)

// What a service says of a request that it does not understand.
const (
	codeSerialization    = "SerializationException"
	codeUnknownOperation = "UnknownOperationException"
)

// NewEncoding returns the Encoding of an endpoint that nothing is known of. If tryCBOR is false, all calls are made in JSON.
//
// Unrelated reports whether an error code has nothing to do with the encoding of the request, for example because it is about
// credentials, permissions or capacity. An answer with such a code does not mean that CBOR is unsupported.
func NewEncoding(tryCBOR bool, unrelated func(code string) bool) *Encoding {
	e := &Encoding{unrelated: unrelated, sdk: rpcv2.NewCBOR(schemas.Kinesis_20131202)}
	if !tryCBOR {
		e.state.Store(cborUnsupported)
	}
	return e
}

// CBOR reports whether the next request is to be in CBOR.
func (e *Encoding) CBOR() bool { return e.state.Load() != cborUnsupported }

// succeeded notes that a request in CBOR had success.
func (e *Encoding) succeeded() { e.state.CompareAndSwap(cborUntried, cborTaken) }

// failed takes in the answer to a request in CBOR that failed. It reports whether the answer says that CBOR is unsupported,
// and whether it is the first to say so. Once a request in CBOR had success, no answer counts as such. A wrong conclusion costs
// CPU time and nothing else, because every endpoint takes JSON.
func (e *Encoding) failed(status int, answeredInCBOR bool, err error) (unsupported, first bool) {
	if status < http.StatusBadRequest {
		return false, false
	}
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return false, false // a proxy in front of the service says so, whatever the request was
	}
	if e.understood(answeredInCBOR, err) {
		return false, false
	}
	first = e.state.CompareAndSwap(cborUntried, cborUnsupported)
	return e.state.Load() == cborUnsupported, first
}

// understood reports whether an error is about something else than the encoding of the request. An endpoint without CBOR may
// answer with nearly any error. But it does not answer in CBOR, and its errors about credentials and the like are real.
func (e *Encoding) understood(answeredInCBOR bool, err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return answeredInCBOR
	}
	switch code := api.ErrorCode(); code {
	case codeSerialization, codeUnknownOperation:
		return false
	default:
		return answeredInCBOR || e.unrelated(code)
	}
}
