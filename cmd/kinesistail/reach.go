// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Throttling is normal for a reader that shares its shards with others, so calls are tried for about a minute.
const (
	maxAttempts = 20
	maxBackoff  = 4 * time.Second
)

// An endpoint that has never answered is most likely a wrong one, so the first call is tried less often.
const maxFirstAttempts = 3

// Times after which an attempt has failed. The service answers a call within a few seconds.
const (
	dialTimeout   = 5 * time.Second
	answerTimeout = 30 * time.Second
)

// newRetryer returns a retryer that backs off and tries again. It has no budget over all calls, which many throttled
// shards would use up together.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.MaxBackoff = maxBackoff
		o.RateLimiter = ratelimit.None
	})
}

// firstCall makes a call fail after few tries if nothing answers. Answers such as throttling are retried as always.
func firstCall(o *kinesis.Options) { o.Retryer = firstRetryer{o.Retryer} }

type firstRetryer struct{ aws.Retryer }

// IsErrorRetryable implements [aws.Retryer]. Clients of other services fetch credentials, and have tried again themselves.
func (r firstRetryer) IsErrorRetryable(err error) bool {
	if _, ofCredentials := errors.AsType[*smithy.OperationError](err); ofCredentials || untrusted(err) {
		return false
	}
	return r.Retryer.IsErrorRetryable(err)
}

// RetryDelay implements [aws.Retryer]. An error in place of a delay ends the call.
func (r firstRetryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	if _, unanswered := errors.AsType[*smithyhttp.RequestSendError](err); unanswered && attempt >= maxFirstAttempts {
		return 0, err
	}
	return r.Retryer.RetryDelay(attempt, err)
}

// untrusted reports whether the certificate of a server is not trusted.
func untrusted(err error) bool {
	_, is := errors.AsType[*tls.CertificateVerificationError](err)
	return is
}

// explain adds to the error of a call that had no answer which endpoint it was, and what to do. It returns other errors as they
// are.
func explain(err error) error {
	_, unanswered := errors.AsType[*smithyhttp.RequestSendError](err)
	sent, named := errors.AsType[*url.Error](err)
	switch {
	case !unanswered || !named:
		return err
	case untrusted(err):
		return fmt.Errorf("the certificate of %s is not trusted: name the file of its authority with -ca-file: %w", sent.URL, sent.Err)
	default:
		return fmt.Errorf("no answer from %s: check -endpoint, -region and the network, "+
			"and HTTPS_PROXY and NO_PROXY if there is a proxy: %w", sent.URL, sent.Err)
	}
}
