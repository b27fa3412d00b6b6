// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

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

// Error codes of the service, for faults and for comparisons. The HTTP status is 400 where no other is given.
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

// messageOf returns the message of the service for an error code that a fault injects.
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

// apiError is an error that the service answers with.
type apiError struct{ code, message string }

func newError(code, format string, args ...any) error {
	return &apiError{code, fmt.Sprintf(format, args...)}
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// status returns the HTTP status of the code.
func (e *apiError) status() int {
	switch e.code {
	case CodeInternalFailure:
		return http.StatusInternalServerError
	case CodeServiceUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// body returns the error as the service writes it in JSON.
func (e *apiError) body() []byte {
	body, err := json.Marshal(map[string]string{"__type": e.code, "message": e.message})
	if err != nil {
		panic(err) // Two strings always marshal.
	}
	return body
}

// The errors of connection faults, where the caller gets no complete answer.
var (
	errReset = errors.New("kpltest: the connection was reset before the call was handled")
	errCut   = errors.New("kpltest: the connection broke after the call was handled")
)

// codeOf returns [CallInfo.Code] for the error of a call.
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

// sdkError returns the error that the SDK's client returns for the error of a call.
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

// decodeError reads an error answer with the SDK's own code.
func decodeError(response *smithyhttp.Response) error {
	return awsjson.New11(schemas.Kinesis_20131202).DeserializeResponse(
		context.Background(), smithy.NewOperationSchema(schemas.PutRecords, nil, nil), kinesis.TypeRegistry, response, nil)
}
