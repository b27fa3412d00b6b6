// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// notSentError is the error of a call whose request was never handed to the HTTP client: there were no credentials, no region
// or no endpoint. Its chain may have errors of other services and of the network, for example those of a call to STS. They say
// nothing about the stream.
type notSentError struct{ error }

func (e notSentError) Unwrap() error { return e.error }

// neverSent reports whether a call failed before its request left. It knows a [notSentError], and what the SDK says of missing
// credentials to a Client that does not pass the producer's options on.
func neverSent(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		switch err.(type) { //nolint:errorlint // each error of the chain is looked at by itself, from the outside in
		case notSentError:
			return true
		case *smithyhttp.RequestSendError, *smithyhttp.ResponseError, *smithy.CanceledError:
			return false
		}
		if strings.HasPrefix(err.Error(), "get identity: ") {
			return true
		}
	}
	return false
}

// sending notes whether a call reached the HTTP client. It belongs to one call.
type sending struct {
	kinesis.HTTPClient

	began bool
}

// Do carries a request out.
func (s *sending) Do(r *http.Request) (*http.Response, error) {
	s.began = true
	return s.HTTPClient.Do(r)
}

// install makes a call report that its request was not sent.
func (s *sending) install(stack *middleware.Stack) error {
	return stack.Initialize.Add(s, middleware.Before)
}

// ID implements [middleware.InitializeMiddleware].
func (*sending) ID() string { return "KPLNotSent" }

// HandleInitialize implements [middleware.InitializeMiddleware]. The producer may have ended the
// call: that is no fault of anybody.
func (s *sending) HandleInitialize(
	ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
) (middleware.InitializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleInitialize(ctx, in)
	switch {
	case err == nil || s.began:
	case errors.Is(ctx.Err(), context.Canceled):
		err = &smithy.CanceledError{Err: err}
	default:
		err = notSentError{err}
	}
	return out, metadata, err
}
