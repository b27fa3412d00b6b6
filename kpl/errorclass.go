// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// errorClass is what an error of the service means for the records of the call.
type errorClass uint8

const (
	// classTransient: the next attempt may work.
	classTransient errorClass = iota
	// classThrottle: the shard or the stream has no capacity now.
	classThrottle
	// classLater: the next attempt may work, but not soon. The answer was a success that says nothing about the records, so
	// each attempt may store another copy; or something lets nothing through whatever its size.
	classLater
	// classTooLarge: something in front of the service lets no request of this size through.
	classTooLarge
	// classUnreadable: the endpoint did not understand the request. This is no verdict on any record.
	classUnreadable
	// classRejected: the service will never accept something in the request.
	classRejected
	// classUnavailable: the service will accept nothing until somebody acts.
	classUnavailable
)

// divides reports whether a request or record of several user records that failed so goes again in halves.
func (c errorClass) divides() bool {
	return c == classRejected || c == classTooLarge || c == classUnreadable
}

// codeNotFound is the error code of a stream that does not exist.
const codeNotFound = "ResourceNotFoundException"

// classOfCode has the error codes whose class is not classTransient. An unknown code is transient. Then the worst case is
// that good data is given back, never that it is dropped.
var classOfCode = map[string]errorClass{
	"ProvisionedThroughputExceededException": classThrottle,
	"LimitExceededException":                 classThrottle,
	"Throttling":                             classThrottle,
	"ThrottlingException":                    classThrottle,
	"ThrottledException":                     classThrottle,
	"RequestThrottled":                       classThrottle,
	"RequestThrottledException":              classThrottle,
	"RequestLimitExceeded":                   classThrottle,
	"TooManyRequestsException":               classThrottle,
	"KMSThrottlingException":                 classThrottle,

	"InvalidArgumentException":       classRejected,
	"ValidationException":            classRejected,
	"ValidationError":                classRejected,
	"RequestEntityTooLargeException": classRejected,

	"SerializationException": classUnreadable,

	"AccessDenied":                classUnavailable,
	"AccessDeniedException":       classUnavailable,
	codeNotFound:                  classUnavailable,
	"UnrecognizedClientException": classUnavailable,
	"InvalidClientTokenId":        classUnavailable,
	"MissingAuthenticationToken":  classUnavailable,
	"InvalidSignatureException":   classUnavailable,
	"IncompleteSignature":         classUnavailable,
	"SignatureDoesNotMatch":       classUnavailable,
	"ExpiredToken":                classUnavailable,
	"ExpiredTokenException":       classUnavailable,
	"OptInRequired":               classUnavailable,
	"KMSAccessDeniedException":    classUnavailable,
	"KMSDisabledException":        classUnavailable,
	"KMSInvalidStateException":    classUnavailable,
	"KMSNotFoundException":        classUnavailable,
	"KMSOptInRequired":            classUnavailable,
	CodeNotSent:                   classUnavailable,
	CodeCertificate:               classUnavailable,
}

// fault is an error of the service, or of the connection to it.
type fault struct {
	class         errorClass
	code, message string
}

// faultOfEntry reads the error of one record in an answer. A fault always has a code, because observers take a record without a
// code for a success.
func faultOfEntry(code, message string) fault {
	class := classOfCode[code]
	if class == classRejected && wrongAddress(message) {
		class = classUnavailable
	}
	return fault{class, cmp.Or(clip(code), CodeUnknown), messageOf(message)}
}

// faultOfCall reads the error of a whole call.
func faultOfCall(err error) fault {
	message := textOf(err)
	var (
		mismatch    countMismatchError
		api         smithy.APIError
		certificate *tls.CertificateVerificationError
		response    *smithyhttp.ResponseError
		send        *smithyhttp.RequestSendError
		network     net.Error
		operation   *smithy.OperationError
	)
	switch {
	case errors.As(err, &mismatch):
		return fault{classLater, CodeCountMismatch, message}
	case neverSent(err):
		return fault{classUnavailable, CodeNotSent, message}
	case errors.Is(err, context.DeadlineExceeded):
		return fault{classTransient, CodeTimeout, message}
	case errors.Is(err, context.Canceled):
		return fault{classTransient, CodeCanceled, message}
	case errors.As(err, &api):
		f := faultOfEntry(api.ErrorCode(), api.ErrorMessage())
		if _, known := classOfCode[f.code]; !known && errors.As(err, &response) {
			return faultOfStatus(response.HTTPStatusCode(), f.code, f.message)
		}
		return f
	case errors.As(err, &certificate):
		return fault{classUnavailable, CodeCertificate, message}
	case errors.As(err, &send), errors.As(err, &network), errors.Is(err, io.ErrUnexpectedEOF):
		return fault{classTransient, CodeConnection, message}
	case errors.As(err, &response):
		return faultOfStatus(response.HTTPStatusCode(), CodeUnknown, message)
	case errors.As(err, &operation):
		return fault{classUnavailable, CodeNotSent, message}
	default:
		return fault{classTransient, CodeUnknown, message}
	}
}

// faultOfStatus reads an answer without a known error code by its HTTP status. Such an answer may come from anything between the
// producer and the service. So it is never a verdict on a record.
func faultOfStatus(status int, code, message string) fault {
	code, message = codeOfStatus(status, code, message)
	switch {
	case status >= http.StatusOK && status < http.StatusMultipleChoices:
		return fault{classLater, code, message} // it is an error because it makes no sense
	case status == http.StatusTooManyRequests:
		return fault{classThrottle, code, message}
	case status == http.StatusRequestEntityTooLarge:
		return fault{classTooLarge, CodeRequestTooLarge, message}
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound:
		return fault{classUnavailable, code, message}
	default:
		return fault{classTransient, code, message}
	}
}

// countMismatchError is an answer that does not have one entry for each record. It says nothing about any record.
type countMismatchError struct{ entries, records int }

func (e countMismatchError) Error() string {
	return fmt.Sprintf("the answer has %d entries for %d records", e.entries, e.records)
}

// unrelatedToEncoding reports whether an error code is about credentials, permissions or capacity. Such an error has nothing to
// do with the encoding of the request.
func unrelatedToEncoding(code string) bool {
	class := classOfCode[code]
	return class == classUnavailable || class == classThrottle
}
