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

func TestWhatSaysThatCBORIsUnsupported(t *testing.T) {
	apiError := func(code string) error {
		return &smithy.OperationError{Err: &smithy.GenericAPIError{Code: code}}
	}
	page := errors.New("a page")
	e := NewEncoding(true, func(code string) bool { return code == "AccessDeniedException" })
	for name, tt := range map[string]struct {
		status      int
		body        format
		err         error
		unsupported bool
	}{
		"an error page":                        {500, formatNone, page, true},
		"an error in JSON":                     {400, formatJSON, apiError("SerializationException"), true},
		"an unknown operation":                 {404, formatJSON, apiError("UnknownOperationException"), true},
		"an unknown operation of a gateway":    {403, formatJSON, apiError("UnknownOperationException"), true},
		"another error in JSON":                {400, formatJSON, apiError("ValidationException"), true},
		"an unknown error in JSON":             {500, formatJSON, apiError("UnknownError"), true},
		"no access, in JSON":                   {400, formatJSON, apiError("AccessDeniedException"), false},
		"a bad request, on a page":             {400, formatNone, page, true},
		"nothing there, on a page":             {404, formatNone, page, true},
		"a method that is not allowed":         {405, formatNone, page, true},
		"an unknown type of content":           {415, formatNone, page, true},
		"not implemented":                      {501, formatNone, page, true},
		"a serialization error in CBOR":        {400, formatCBOR, apiError("SerializationException"), true},
		"an unknown operation in CBOR":         {400, formatCBOR, apiError("UnknownOperationException"), true},
		"a verdict in CBOR":                    {400, formatCBOR, apiError("ValidationException"), false},
		"no access, in CBOR":                   {400, formatCBOR, apiError("AccessDeniedException"), false},
		"a failure, in CBOR":                   {500, formatCBOR, apiError("InternalFailure"), false},
		"nonsense that begins like it":         {500, formatCBOR, errors.New("decode"), false},
		"a redirect":                           {307, formatNone, errors.New("redirect"), false},
		"a gateway in front":                   {502, formatNone, page, false},
		"a load balancer in front":             {503, formatNone, page, false},
		"a slow gateway in front":              {504, formatNone, page, false},
		"a limit in front":                     {429, formatNone, page, false},
		"a limit of the size, on a page":       {413, formatNone, page, false},
		"a limit of the size, in JSON":         {413, formatJSON, apiError("UnknownError"), false},
		"a firewall":                           {403, formatNone, page, false},
		"a firewall that answers in JSON":      {403, formatJSON, apiError("UnknownError"), false},
		"a proxy that wants to know who it is": {407, formatNone, page, false},
	} {
		assert.Equal(t, tt.unsupported, e.unsupported(tt.status, tt.body, tt.err), name)
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
	cbor, trial := e.next()
	switch {
	case cbor && !supported:
		return cbor, e.lost(trial)
	case trial:
		return cbor, e.succeeded()
	}
	return cbor, Unchanged
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
		assert.Equal(t, Unchanged, e.lost(false), "another call was on its way")

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
		cbor, trial := e.next()
		assert.True(t, cbor && trial)
		cbor, _ = e.next()
		assert.False(t, cbor, "one call tries")
		assert.Equal(t, CBORBack, e.succeeded())
		assert.Equal(t, Unchanged, e.succeeded())
		assert.True(t, e.CBOR())

		advance(29 * time.Minute)
		_, change = e.call(false)
		assert.Equal(t, CBORLost, change)
		advance(29 * time.Minute)
		cbor, _ = e.next()
		assert.False(t, cbor, "CBOR was lost soon after it had come back")
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
		_, trial := e.next()
		assert.True(t, trial)
		advance(59 * time.Second)
		cbor, _ := e.next()
		assert.False(t, cbor)
		advance(time.Second)
		_, trial = e.next()
		assert.True(t, trial)
	})
}

func TestCBORIsNeverTriedIfToldSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEncoding(false, nil)
		assert.False(t, e.CBOR())
		advance(time.Hour)
		cbor, trial := e.next()
		assert.False(t, cbor || trial)
	})
}
