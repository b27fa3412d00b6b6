package wire

import (
	"errors"
	"testing"

	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
)

func TestAnswersThatSayThatCBORIsUnsupported(t *testing.T) {
	apiError := func(code string) error {
		return &smithy.OperationError{Err: &smithy.GenericAPIError{Code: code}}
	}
	unrelated := func(code string) bool { return code == "AccessDeniedException" }
	for name, tt := range map[string]struct {
		status         int
		answeredInCBOR bool
		err            error
		unsupported    bool
	}{
		"an error page":                  {500, false, errors.New("HTML"), true},
		"an error in JSON":               {400, false, apiError("SerializationException"), true},
		"another error in JSON":          {400, false, apiError("ValidationException"), true},
		"an unknown error in JSON":       {500, false, apiError("UnknownError"), true},
		"no access, in JSON":             {400, false, apiError("AccessDeniedException"), false},
		"an unknown type of content":     {415, false, errors.New("HTML"), true},
		"a serialization error in CBOR":  {400, true, apiError("SerializationException"), true},
		"an unknown operation in CBOR":   {400, true, apiError("UnknownOperationException"), true},
		"no access, in CBOR":             {400, true, apiError("AccessDeniedException"), false},
		"a failure, in CBOR":             {500, true, apiError("InternalFailure"), false},
		"nonsense that is said to be it": {500, true, errors.New("decode"), false},
		"a redirect":                     {307, false, errors.New("redirect"), false},
		"a gateway in front":             {502, false, errors.New("HTML"), false},
		"a load balancer in front":       {503, false, errors.New("HTML"), false},
		"a slow gateway in front":        {504, false, errors.New("HTML"), false},
		"a limit in front":               {429, false, errors.New("HTML"), false},
	} {
		t.Run(name, func(t *testing.T) {
			e := NewEncoding(true, unrelated)
			assert.True(t, e.CBOR())
			unsupported, first := e.failed(tt.status, tt.answeredInCBOR, tt.err)
			assert.Equal(t, tt.unsupported, unsupported)
			assert.Equal(t, tt.unsupported, first)
			assert.Equal(t, !tt.unsupported, e.CBOR(), "it is remembered")
			unsupported, first = e.failed(tt.status, tt.answeredInCBOR, tt.err)
			assert.Equal(t, tt.unsupported, unsupported, "another call was on its way")
			assert.False(t, first)

			e = NewEncoding(true, unrelated)
			e.succeeded()
			unsupported, first = e.failed(tt.status, tt.answeredInCBOR, tt.err)
			assert.False(t, unsupported, "a request in CBOR had success before")
			assert.False(t, first)
			assert.True(t, e.CBOR())
		})
	}
}

func TestOnlyJSONIsTriedIfCBORIsOff(t *testing.T) {
	assert.False(t, NewEncoding(false, nil).CBOR())
}
