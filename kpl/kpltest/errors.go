package kpltest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
)

// Error codes of the service, for faults and to compare with.
const (
	CodeThrottled          = "ProvisionedThroughputExceededException"
	CodeInternalFailure    = "InternalFailure"    // status 500
	CodeServiceUnavailable = "ServiceUnavailable" // status 503
	CodeLimitExceeded      = "LimitExceededException"
	CodeThrottling         = "ThrottlingException"
	CodeValidation         = "ValidationException"
	CodeInvalidArgument    = "InvalidArgumentException"
	CodeAccessDenied       = "AccessDeniedException"
	CodeExpiredToken       = "ExpiredTokenException"
	CodeUnrecognizedClient = "UnrecognizedClientException"
	CodeResourceNotFound   = "ResourceNotFoundException"
	CodeResourceInUse      = "ResourceInUseException"
	CodeKMSDisabled        = "KMSDisabledException"
	CodeKMSThrottling      = "KMSThrottlingException"
	CodeExpiredIterator    = "ExpiredIteratorException"
	CodeExpiredNextToken   = "ExpiredNextTokenException"
	CodeUnknownOperation   = "UnknownOperationException"
	CodeSerialization      = "SerializationException"
)

// messageOf is what the service says with a code where the fault itself has nothing to add.
func messageOf(code string) string {
	switch code {
	case CodeThrottled, CodeThrottling, CodeLimitExceeded:
		return "Rate exceeded."
	case CodeInternalFailure:
		return "Internal Service Failure"
	case CodeServiceUnavailable:
		return "Service is unavailable. Please try again."
	case CodeValidation:
		return "1 validation error detected."
	case CodeAccessDenied:
		return "User is not authorized to perform this operation."
	case CodeExpiredToken:
		return "The security token included in the request is expired"
	case CodeUnrecognizedClient:
		return "The security token included in the request is invalid."
	case CodeKMSDisabled:
		return "The customer master key is disabled."
	}
	return "The request failed with " + code + "."
}

// apiError is an answer of the service that is an error.
type apiError struct{ code, message string }

func newError(code, format string, args ...any) error {
	return &apiError{code, fmt.Sprintf(format, args...)}
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// status is the HTTP status that goes with the code.
func (e *apiError) status() int {
	switch e.code {
	case CodeInternalFailure:
		return http.StatusInternalServerError
	case CodeServiceUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// body is the JSON that goes with the error.
func (e *apiError) body() []byte {
	body, err := json.Marshal(map[string]string{"__type": e.code, "message": e.message})
	if err != nil {
		panic(err) // Two strings always marshal.
	}
	return body
}

// Connection faults: the caller gets no whole answer.
var (
	errReset = errors.New("kpltest: the connection was reset before the call was handled")
	errCut   = errors.New("kpltest: the connection broke after the call was handled")
)

// codeOf names the end of a call for the call log; empty is success.
func codeOf(err error) string {
	var answer *apiError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &answer):
		return answer.code
	case errors.Is(err, errReset):
		return "Reset"
	case errors.Is(err, errCut):
		return "Cut"
	}
	return "Canceled"
}

// sdkError turns the end of a call into the error that the SDK's client makes of it.
func sdkError(operation Operation, err error) error {
	if err == nil {
		return nil
	}
	response := &smithyhttp.Response{Response: &http.Response{Header: http.Header{}, Body: http.NoBody}}
	var answer *apiError
	switch {
	case errors.As(err, &answer):
		response.StatusCode = answer.status()
		response.Body = io.NopCloser(bytes.NewReader(answer.body()))
		err = decodeError(response)
	case errors.Is(err, errReset):
		broken := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
		err = &smithyhttp.RequestSendError{Err: &url.Error{Op: "Post", URL: "https://kinesis.invalid/", Err: broken}}
	case errors.Is(err, errCut):
		response.StatusCode = http.StatusOK
		err = &smithy.DeserializationError{Err: io.ErrUnexpectedEOF}
	default:
		err = &smithy.CanceledError{Err: err}
	}
	err = &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{Response: response, Err: err}}
	return &smithy.OperationError{ServiceID: kinesis.ServiceID, OperationName: string(operation), Err: err}
}

// decodeError lets the SDK read an answer that is an error.
func decodeError(response *smithyhttp.Response) error {
	return awsjson.New11(schemas.Kinesis_20131202).DeserializeResponse(
		context.Background(), smithy.NewOperationSchema(schemas.PutRecords, nil, nil), kinesis.TypeRegistry, response, nil)
}
