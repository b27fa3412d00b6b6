// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/wire/wiretest"
)

func TestAnswersThatSayThatCBORIsUnsupported(t *testing.T) {
	apiError := func(code string) error {
		return &smithy.OperationError{Err: &smithy.GenericAPIError{Code: code}}
	}
	page := errors.New("a page")
	e := NewEncoding(true, func(code string) bool { return code == "AccessDeniedException" })
	for name, tt := range map[string]struct {
		status int
		body   format
		err    error
		says   word
	}{
		"an error page":                        {500, formatNone, page, wordUnsupported},
		"an error in JSON":                     {400, formatJSON, apiError("SerializationException"), wordUnsupported},
		"an unknown operation":                 {404, formatJSON, apiError("UnknownOperationException"), wordUnsupported},
		"an unknown operation of a gateway":    {403, formatJSON, apiError("UnknownOperationException"), wordUnsupported},
		"another error in JSON":                {400, formatJSON, apiError("ValidationException"), wordUnsupported},
		"an unknown error in JSON":             {500, formatJSON, apiError("UnknownError"), wordUnsupported},
		"no access, in JSON":                   {400, formatJSON, apiError("AccessDeniedException"), wordUnderstood},
		"a bad request, on a page":             {400, formatNone, page, wordUnsupported},
		"nothing there, on a page":             {404, formatNone, page, wordUnsupported},
		"a method that is not allowed":         {405, formatNone, page, wordUnsupported},
		"an unknown type of content":           {415, formatNone, page, wordUnsupported},
		"not implemented":                      {501, formatNone, page, wordUnsupported},
		"a serialization error in CBOR":        {400, formatCBOR, apiError("SerializationException"), wordUnsupported},
		"an unknown operation in CBOR":         {400, formatCBOR, apiError("UnknownOperationException"), wordUnsupported},
		"a verdict in CBOR":                    {400, formatCBOR, apiError("ValidationException"), wordUnderstood},
		"no access, in CBOR":                   {400, formatCBOR, apiError("AccessDeniedException"), wordUnderstood},
		"a failure, in CBOR":                   {500, formatCBOR, apiError("InternalFailure"), wordUnderstood},
		"nonsense that begins like it":         {500, formatCBOR, errors.New("decode"), wordUnderstood},
		"a redirect":                           {307, formatNone, errors.New("redirect"), wordDoubtful},
		"a gateway in front":                   {502, formatNone, page, wordDoubtful},
		"a load balancer in front":             {503, formatNone, page, wordDoubtful},
		"a slow gateway in front":              {504, formatNone, page, wordDoubtful},
		"a limit in front":                     {429, formatNone, page, wordDoubtful},
		"a limit of the size, on a page":       {413, formatNone, page, wordNone},
		"a limit of the size, in JSON":         {413, formatJSON, apiError("UnknownError"), wordNone},
		"a firewall":                           {403, formatNone, page, wordDoubtful},
		"a firewall that answers in JSON":      {403, formatJSON, apiError("UnknownError"), wordDoubtful},
		"a proxy that wants to know who it is": {407, formatNone, page, wordDoubtful},
	} {
		assert.Equal(t, tt.says, e.wordOf(tt.status, tt.body, tt.err), name)
	}
}

func TestBodiesAreJudgedByTheirFirstByte(t *testing.T) {
	for body, want := range map[string]format{
		"":                     formatNone,
		" \r\n\t":              formatNone,
		"<html>":               formatNone,
		"\n <!doctype html>":   formatNone,
		"Bad Gateway":          formatNone,
		"[]":                   formatNone,
		"\x00\xff":             formatNone,
		"¿":                    formatNone,
		"{}":                   formatJSON,
		"\r\n {":               formatJSON,
		"\xa0":                 formatCBOR,
		"\xa2\x67Records":      formatCBOR,
		"\xb9\x00\x02":         formatCBOR,
		"\xbf\xff":             formatCBOR,
		"\x80 is no map":       formatNone,
		"\xc0 is no map":       formatNone,
		strings.Repeat(" ", 9): formatNone,
	} {
		assert.Equal(t, want, formatOf([]byte(body)), "%q", body)
	}
}

// What an answer says of its own encoding may be wrong.
func TestAnswersWithAWrongContentType(t *testing.T) {
	inJSON := wiretest.UsualAnswer(3)
	inCBOR, ok := wiretest.AsCBOR(inJSON, true)
	require.True(t, ok)
	for _, body := range []string{inJSON, string(inCBOR)} {
		for _, contentType := range []string{wiretest.ContentTypeCBOR, wiretest.ContentTypeJSON, "text/html", ""} {
			for _, p := range []*Protocol{jsonProtocol(), cborProtocol()} {
				p.records = 3
				out, err := deserialized(t, p, contentType, 200, strings.NewReader(body))
				require.NoError(t, err)
				assert.Len(t, out.Records, 3)
			}
		}
	}
	for _, body := range []string{
		`{"__type":"ValidationException"}`, "\xa1\x66__type\x73ValidationException",
	} {
		for _, contentType := range []string{wiretest.ContentTypeCBOR, wiretest.ContentTypeJSON, "text/html"} {
			var api smithy.APIError
			_, err := deserialized(t, jsonProtocol(), contentType, 400, strings.NewReader(body))
			require.ErrorAs(t, err, &api)
			assert.Equal(t, "ValidationException", api.ErrorCode())
		}
	}
}

func advance(d time.Duration) { time.Sleep(d) } //nolint:forbidigo // in a synctest bubble

// call is a call of an endpoint; supported says whether the endpoint supports CBOR.
func (e *Encoding) call(supported bool) (cbor bool, change Change) {
	role := e.next()
	if role.cbor() && !supported {
		return true, e.lost(role)
	}
	return role.cbor(), e.understood(role, true)
}

func TestCBORIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEncoding(true, nil)
		cbor, change := e.call(true)
		assert.True(t, cbor)
		assert.Equal(t, Unchanged, change)

		cbor, change = e.call(false)
		assert.True(t, cbor)
		assert.Equal(t, CBORLost, change)
		assert.Equal(t, Unchanged, e.lost(roleCBOR), "another call was on its way")

		var pauses []time.Duration
		for lost := time.Now(); len(pauses) < 7; {
			advance(time.Second)
			if cbor, change = e.call(false); cbor {
				pauses = append(pauses, time.Since(lost))
				lost = time.Now()
			}
			assert.Equal(t, Unchanged, change)
		}
		assert.Equal(t, []time.Duration{
			time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 30 * time.Minute, 30 * time.Minute,
		}, pauses)

		advance(30 * time.Minute)
		assert.Equal(t, roleTrial, e.next())
		assert.Equal(t, roleJSON, e.next(), "one call tries")
		assert.Equal(t, CBORBack, e.understood(roleTrial, true))
		assert.Equal(t, Unchanged, e.understood(roleTrial, true))
		assert.True(t, e.CBOR())

		advance(29 * time.Minute)
		_, change = e.call(false)
		assert.Equal(t, CBORLost, change)
		advance(29 * time.Minute)
		assert.Equal(t, roleJSON, e.next(), "CBOR was lost soon after it had come back")
		advance(time.Minute)
		_, change = e.call(true)
		assert.Equal(t, CBORBack, change)

		advance(time.Hour)
		e.call(false)
		advance(time.Minute)
		_, change = e.call(true)
		assert.Equal(t, CBORBack, change, "CBOR was in use for long enough")
	})
}

// A call that tries CBOR may end without an answer, or with one that says nothing. Then another call tries, after the pause.
func TestTryThatSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEncoding(true, nil)
		e.call(false)
		advance(time.Minute)
		assert.Equal(t, roleTrial, e.next())
		advance(59 * time.Second)
		assert.Equal(t, roleJSON, e.next())
		advance(time.Second)
		assert.Equal(t, roleTrial, e.next())
	})
}

func TestOnlyJSONIsTriedIfCBORIsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEncoding(false, nil)
		assert.False(t, e.CBOR())
		advance(time.Hour)
		assert.Equal(t, roleJSON, e.next())
	})
}

// Calls in CBOR that fail without a word of the service are no proof, until calls in JSON pass and those in CBOR still fail.
func TestDoubtsAboutCBOR(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEncoding(true, nil)
		fail := func(times int) (change Change) {
			for range times {
				assert.Equal(t, roleCBOR, e.next())
				change = e.doubt(roleCBOR)
			}
			return change
		}
		fail(2)
		e.understood(roleCBOR, false)
		fail(3)
		assert.Equal(t, roleCheck, e.next())
		e.understood(roleCheck, false)
		fail(3)
		assert.Equal(t, roleCheck, e.next(), "all calls fail")
		e.understood(roleCheck, true)
		fail(1)
		e.understood(roleCBOR, true)
		fail(3)
		assert.Equal(t, roleCheck, e.next(), "the endpoint was down, and is again")
		e.understood(roleCheck, true)
		assert.Equal(t, CBORLost, fail(2))
		assert.Equal(t, roleJSON, e.next())
		advance(time.Minute)
		assert.Equal(t, roleTrial, e.next())
		assert.Equal(t, Unchanged, e.doubt(roleTrial))
		advance(time.Minute)
		assert.Equal(t, roleJSON, e.next())
		advance(time.Minute)
		assert.Equal(t, roleTrial, e.next())
		assert.Equal(t, CBORBack, e.understood(roleTrial, true))
	})
}
