// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/transport/http/protocol/rpcv2"
)

// Encoding finds out whether an endpoint supports CBOR. Calls are made in CBOR. If the answer to one of them says that CBOR is
// unsupported, later calls are made in JSON. After a pause, one call tries CBOR again. If that call has success, CBOR is back.
//
// Some proxies do not let CBOR through, and fail such calls in a way that says nothing. So if several calls in CBOR fail without
// a word of the service, one call is made in JSON. If that call has success and further calls in CBOR fail, CBOR is unsupported.
//
// All workers of a producer share one Encoding; it is safe for use by several goroutines.
type Encoding struct {
	// unrelated reports whether an error code has nothing to do with the encoding of the request.
	unrelated func(code string) bool
	// sdk reads the answers in CBOR that [answerReader] does not know. It is the SDK's protocol for other services, whose
	// answers look the same.
	sdk *rpcv2.Protocol

	// json is set while calls are made in JSON.
	json atomic.Bool

	mu sync.Mutex
	// never is set if CBOR is not to be tried at all.
	never bool
	// tryAt is when the next call tries CBOR, while calls are made in JSON; guarded by mu.
	tryAt time.Time
	// pause is from the time at which CBOR was lost to tryAt; guarded by mu. Zero means that CBOR was never lost.
	pause time.Duration
	// back is when CBOR came back the last time; guarded by mu.
	back time.Time
	// passed is set if a call in JSON had success since the last word of the service on a call in CBOR; guarded by mu.
	passed bool

	// doubts counts calls in CBOR that failed without a word of the service, since the last one with one.
	doubts atomic.Int32
}

// doubtsMost is how many calls in CBOR may fail without a word of the service until one is made in JSON.
const doubtsMost = 3

// role is what a call is for.
type role uint8

const (
	roleJSON  role = iota // it is in JSON, as all
	roleCBOR              // it is in CBOR, as all
	roleTrial             // it tries CBOR again
	roleCheck             // it tries JSON, because calls in CBOR fail
)

// cbor reports whether the call is in CBOR.
func (r role) cbor() bool { return r == roleCBOR || r == roleTrial }

// The pause before CBOR is tried again doubles from firstPause to lastPause. It begins anew if CBOR was in use for lastPause.
const (
	firstPause = time.Minute
	lastPause  = 30 * time.Minute
)

// Change is what an answer changed about the encoding of later calls.
type Change uint8

// The changes.
const (
	Unchanged Change = iota
	CBORLost         // later calls are made in JSON
	CBORBack         // later calls are made in CBOR again
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
	e := &Encoding{unrelated: unrelated, sdk: rpcv2.NewCBOR(schemas.Kinesis_20131202), never: !tryCBOR}
	e.json.Store(!tryCBOR)
	return e
}

// CBOR reports whether calls are made in CBOR now.
func (e *Encoding) CBOR() bool { return !e.json.Load() }

// next decides about the encoding of a call that is being made.
func (e *Encoding) next() role {
	if e.CBOR() && e.doubts.Load() < doubtsMost {
		return roleCBOR
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	switch {
	case e.CBOR() && e.doubts.Load() >= doubtsMost:
		e.doubts.Store(0)
		return roleCheck
	case e.CBOR():
		return roleCBOR
	case e.never || now.Before(e.tryAt):
		return roleJSON
	}
	e.tryAt = now.Add(e.pause) // one call tries
	return roleTrial
}

// understood takes in that the service understood a call: it carried the call out, or said what else is wrong.
func (e *Encoding) understood(call role, success bool) Change {
	switch {
	case call == roleCBOR && e.doubts.Load() == 0, call == roleJSON, call == roleCheck && !success, call == roleTrial && !success:
		return Unchanged
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if call == roleCheck {
		e.passed = true
		return Unchanged
	}
	e.doubts.Store(0)
	e.passed = false
	if e.CBOR() {
		return Unchanged
	}
	e.json.Store(false)
	e.back = time.Now()
	return CBORBack
}

// doubt takes in that a call in CBOR failed without a word of the service.
func (e *Encoding) doubt(call role) Change {
	e.mu.Lock()
	doubts := e.doubts.Add(1)
	lost := call == roleTrial || e.passed && doubts >= 2
	e.mu.Unlock()
	if lost {
		return e.lost(call)
	}
	return Unchanged
}

// lost takes in an answer that says that CBOR is unsupported.
func (e *Encoding) lost(call role) Change {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.doubts.Store(0)
	e.passed = false
	now := time.Now()
	switch lost := e.json.Load(); {
	case lost && call != roleTrial:
		return Unchanged // another call has said so
	case lost || now.Sub(e.back) < lastPause:
		e.pause = min(max(2*e.pause, firstPause), lastPause)
	default:
		e.pause = firstPause
	}
	e.tryAt = now.Add(e.pause)
	if e.json.Swap(true) {
		return Unchanged
	}
	return CBORLost
}

// word is what an answer says about the encoding of a request.
type word uint8

const (
	wordNone        word = iota // nothing at all, as an answer about the size does
	wordDoubtful                // nothing, but the answer may be due to the encoding
	wordUnderstood              // the service understood the request
	wordUnsupported             // it did not
)

// wordOf is what the answer to a failed call in CBOR says. A wrong conclusion costs CPU time and nothing else, because every
// endpoint supports JSON.
//
// An endpoint without CBOR may answer with nearly any error. But it does not answer in CBOR, and its errors about credentials
// and the like are real.
func (e *Encoding) wordOf(status int, body format, err error) word {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		switch code := api.ErrorCode(); {
		case code == codeSerialization, code == codeUnknownOperation:
			return wordUnsupported
		case e.unrelated(code):
			return wordUnderstood
		}
	}
	switch {
	case body == formatCBOR:
		return wordUnderstood
	case status == http.StatusRequestEntityTooLarge:
		return wordNone // in JSON the size is larger still
	case status < http.StatusBadRequest, sameInAnyEncoding(status):
		return wordDoubtful
	default:
		return wordUnsupported
	}
}

// sameInAnyEncoding reports whether an answer with that status says nothing about the encoding of the request. It comes from a
// proxy in front of the service, and is about the caller or the capacity, as a rule.
func sameInAnyEncoding(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired, http.StatusRequestTimeout,
		http.StatusTooManyRequests,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// format is what the body of an answer is.
type format uint8

const (
	formatNone format = iota // nothing, or nothing that the service sends, such as a page
	formatJSON
	formatCBOR
)

// formatOf judges a body by its first byte. What the Content-Type says of a body is not always true.
func formatOf(body []byte) format {
	for _, b := range body {
		switch {
		case b == ' ', b == '\t', b == '\r', b == '\n':
		case b == '{':
			return formatJSON
		case b >= 0xa0 && b <= 0xbf: // a map
			return formatCBOR
		default:
			return formatNone
		}
	}
	return formatNone
}
