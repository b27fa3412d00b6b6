// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/wire/wiretest"
)

// deserialized returns what a protocol makes of an answer.
func deserialized(
	t *testing.T, p smithyhttp.ClientProtocol, contentType string, status int, body io.Reader,
) (*kinesis.PutRecordsOutput, error) {
	t.Helper()
	out := &kinesis.PutRecordsOutput{}
	r := &smithyhttp.Response{Response: &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(body),
	}}
	return out, p.DeserializeResponse(t.Context(), putRecordsSchema(), kinesis.TypeRegistry, r, out)
}

// compareAnswer checks that an answer about so many records is understood as the SDK does.
func compareAnswer(t *testing.T, w *Protocol, contentType string, status, records int, body []byte) {
	t.Helper()
	w.records = records
	var sdk smithyhttp.ClientProtocol = w.Protocol
	if formatOf(body) == formatCBOR {
		sdk = w.encoding.sdk
	}
	want, wantErr := deserialized(t, sdk, contentType, status, bytes.NewReader(body))
	got, gotErr := deserialized(t, w, contentType, status, bytes.NewReader(body))
	assert.Equal(t, wantErr, gotErr)
	assert.Equal(t, want, got)
}

// jsonProtocol and cborProtocol are what workers have for one encoding and the other.
func jsonProtocol() *Protocol { return newTestProtocol(false) }

func cborProtocol() *Protocol { return newTestProtocol(true) }

func newTestProtocol(tryCBOR bool) *Protocol {
	p := NewProtocol(NewEncoding(tryCBOR, func(string) bool { return false }))
	p.Protocol = awsjson.New11(schemas.Kinesis_20131202)
	return p
}

// reads reports whether an answer is read by hand. If not, nothing of it may have been.
func (p *Protocol) reads(cbor bool, body []byte, records int) bool {
	p.reader.encodedAnswer = &p.json
	if cbor {
		p.reader.encodedAnswer = &p.cbor
	}
	var out kinesis.PutRecordsOutput
	ok := p.reader.read(body, records, &out)
	return ok || !reflect.ValueOf(out).IsZero()
}

// usualAnswers are read by hand.
func usualAnswers() map[string]struct {
	body    string
	records int
} {
	const entry = `{"SequenceNumber":"1","ShardId":"a"}`
	in := func(list string) string { return `{"FailedRecordCount":0,"Records":[` + list + `]}` }
	return map[string]struct {
		body    string
		records int
	}{
		"the service's":      {wiretest.UsualAnswer(500), 500},
		"one record":         {in(entry), 1},
		"another order":      {`{"Records":[{"ShardId":"a","SequenceNumber":"1"}],"FailedRecordCount":0}`, 1},
		"white space":        {strings.NewReplacer(":", "\t: ", ",", "\r\n, ", "[", " [ ", "}", " } ").Replace(in(entry)), 1},
		"fewer than asked":   {in(entry), 2},
		"something behind":   {in(entry) + " more", 1},
		"an empty number":    {in(`{"SequenceNumber":"","ShardId":""}`), 1},
		"a number twice":     {in(`{"SequenceNumber":"12","ShardId":"a","SequenceNumber":"3"},` + entry), 2},
		"a shard twice":      {in(`{"SequenceNumber":"12","ShardId":"a","ShardId":"b"},` + entry), 2},
		"other punctuation":  {in(`{"SequenceNumber":"{}[],:","ShardId":"~ !/"}`), 1},
		"another encryption": {`{"EncryptionType":"ROT13","FailedRecordCount":0,"Records":[` + entry + `]}`, 1},
	}
}

func TestUsualAnswersAreReadByHand(t *testing.T) {
	for name, tt := range usualAnswers() {
		t.Run(name, func(t *testing.T) {
			w := jsonProtocol()
			assert.True(t, w.reads(false, []byte(tt.body), tt.records))
			compareAnswer(t, w, wiretest.ContentTypeJSON, http.StatusOK, tt.records, []byte(tt.body))
		})
	}
}

// unusualAnswers are left to the SDK.
func unusualAnswers() map[string]string {
	const entry = `{"SequenceNumber":"1","ShardId":"a"}`
	in := func(list string) string { return `{"FailedRecordCount":0,"Records":[` + list + `]}` }
	return map[string]string{
		"a record that failed":       `{"FailedRecordCount":1,"Records":[{"ErrorCode":"InternalFailure","ErrorMessage":"no"}]}`,
		"a count alone":              `{"FailedRecordCount":1,"Records":[` + entry + `]}`,
		"no count":                   `{"Records":[` + entry + `]}`,
		"no records":                 `{"FailedRecordCount":0}`,
		"null for records":           `{"FailedRecordCount":0,"Records":null}`,
		"null for a count":           `{"FailedRecordCount":null,"Records":[` + entry + `]}`,
		"two counts":                 `{"FailedRecordCount":0,"FailedRecordCount":0,"Records":[` + entry + `]}`,
		"two lists":                  `{"FailedRecordCount":0,"Records":[` + entry + `],"Records":[]}`,
		"two encryptions":            `{"EncryptionType":"A","EncryptionType":"B","FailedRecordCount":0,"Records":[` + entry + `]}`,
		"null for an encryption":     `{"EncryptionType":null,"FailedRecordCount":0,"Records":[` + entry + `]}`,
		"a count with zeros":         `{"FailedRecordCount":00,"Records":[` + entry + `]}`,
		"a count with a fraction":    `{"FailedRecordCount":0.0,"Records":[` + entry + `]}`,
		"a count in quotes":          `{"FailedRecordCount":"0","Records":[` + entry + `]}`,
		"too many records":           in(entry + "," + entry + "," + entry),
		"an empty list":              in(""),
		"an empty entry":             in(`{}`),
		"null for an entry":          in(`null`),
		"a comma at the end":         in(entry + ","),
		"brackets that do not match": `{"FailedRecordCount":0,"Records":[` + entry + `}]`,
		"a comma at the start":       in("," + entry),
		"no comma":                   in(entry + entry),
		"a comma in an entry":        in(`{"SequenceNumber":"1","ShardId":"a",}`),
		"no shard":                   in(`{"SequenceNumber":"1"}`),
		"no number":                  in(`{"ShardId":"a"}`),
		"null for a number":          in(`{"SequenceNumber":null,"ShardId":"a"}`),
		"a code":                     in(`{"SequenceNumber":"1","ShardId":"a","ErrorCode":"InternalFailure"}`),
		"null for a code":            in(`{"SequenceNumber":"1","ShardId":"a","ErrorCode":null}`),
		"an unknown member":          in(`{"SequenceNumber":"1","ShardId":"a","More":{"x":[1,2]}}`),
		"an escape":                  in(`{"SequenceNumber":"1","ShardId":"\u0061"}`),
		"an escaped name":            in(`{"Sequence\u004eumber":"1","ShardId":"a"}`),
		"a control character":        in("{\"SequenceNumber\":\"1\",\"ShardId\":\"\x01\"}"),
		"no ASCII":                   in(`{"SequenceNumber":"1","ShardId":"ü"}`),
		"no UTF-8":                   in("{\"SequenceNumber\":\"1\",\"ShardId\":\"\xff\"}"),
		"a long shard":               in(`{"SequenceNumber":"1","ShardId":"` + strings.Repeat("x", 200) + `"}`),
		"a number for a string":      in(`{"SequenceNumber":1,"ShardId":"a"}`),
		"an array":                   `[` + entry + `]`,
		"nothing":                    ``,
		"white space":                ` `,
		"an empty object":            `{}`,
		"half":                       `{"FailedRecordCount":0,"Records":[` + entry,
		"an open string":             `{"FailedRecordCount":0,"Rec`,
		"no colon":                   `{"FailedRecordCount" 0}`,
	}
}

func TestUnusualAnswersAreLeftToTheSDK(t *testing.T) {
	for name, body := range unusualAnswers() {
		t.Run(name, func(t *testing.T) {
			w := jsonProtocol()
			assert.False(t, w.reads(false, []byte(body), 2))
			compareAnswer(t, w, wiretest.ContentTypeJSON, http.StatusOK, 2, []byte(body))
		})
	}
	t.Run("an error", func(t *testing.T) {
		body := []byte(`{"__type":"ValidationException","message":"no"}`)
		compareAnswer(t, jsonProtocol(), wiretest.ContentTypeJSON, http.StatusBadRequest, 1, body)
	})
	t.Run("another status", func(t *testing.T) {
		compareAnswer(t, jsonProtocol(), wiretest.ContentTypeJSON, http.StatusAccepted, 1, []byte(wiretest.UsualAnswer(1)))
	})
}

// An answer that breaks off ends the call with the error of the SDK, and nothing of the answer counts.
func TestAnswersThatBreakOff(t *testing.T) {
	w := jsonProtocol()
	broken := func() io.Reader {
		return io.MultiReader(strings.NewReader(wiretest.UsualAnswer(1)), iotest.ErrReader(io.ErrUnexpectedEOF))
	}
	_, want := deserialized(t, w.Protocol, wiretest.ContentTypeJSON, http.StatusOK, broken())
	w.records = 1
	out, got := deserialized(t, w, wiretest.ContentTypeJSON, http.StatusOK, broken())
	assert.Equal(t, want, got)
	var failure *smithy.DeserializationError
	require.ErrorAs(t, got, &failure)
	assert.Equal(t, &kinesis.PutRecordsOutput{}, out)
}

// The next answer does not overwrite what was read from the one before.
func TestAnswersAreIndependent(t *testing.T) {
	w := jsonProtocol()
	w.records = 500
	first, err := deserialized(t, w, wiretest.ContentTypeJSON, http.StatusOK, strings.NewReader(wiretest.UsualAnswer(500)))
	require.NoError(t, err)
	second := strings.NewReplacer("4965", "5555", "shard", "SHARD").Replace(wiretest.UsualAnswer(500))
	_, err = deserialized(t, w, wiretest.ContentTypeJSON, http.StatusOK, strings.NewReader(second))
	require.NoError(t, err)
	want, err := deserialized(t, w.Protocol, wiretest.ContentTypeJSON, http.StatusOK, strings.NewReader(wiretest.UsualAnswer(500)))
	require.NoError(t, err)
	assert.Equal(t, want, first)
}

// Strange answers do not make a worker keep more and more memory.
func TestWhatIsKeptOfAnswersIsBounded(t *testing.T) {
	w := jsonProtocol()
	w.records = 1
	for i := range 2*maxShardIDsKept + 5 {
		body := fmt.Sprintf(`{"FailedRecordCount":0,"Records":[{"SequenceNumber":"1","ShardId":"%d"}]}`, i)
		require.True(t, w.reads(false, []byte(body), 1))
	}
	assert.LessOrEqual(t, len(w.reader.shards), maxShardIDsKept)

	_, err := deserialized(t, w, wiretest.ContentTypeJSON, http.StatusOK, strings.NewReader(strings.Repeat(" ", 4*maxAnswerKept)))
	require.Error(t, err)
	_, err = deserialized(t, w, wiretest.ContentTypeJSON, http.StatusOK, strings.NewReader(wiretest.UsualAnswer(1)))
	require.NoError(t, err)
	assert.LessOrEqual(t, w.answer.Cap(), maxAnswerKept)
}

func TestShardIDsAreShared(t *testing.T) {
	w := jsonProtocol()
	w.records = 8
	out, err := deserialized(t, w, wiretest.ContentTypeJSON, http.StatusOK, strings.NewReader(wiretest.UsualAnswer(8)))
	require.NoError(t, err)
	assert.Same(t, out.Records[0].ShardId, out.Records[4].ShardId)
	assert.NotSame(t, out.Records[0].ShardId, out.Records[1].ShardId)
	assert.Equal(t, types.EncryptionTypeKms, out.EncryptionType)
}

func FuzzAnswersAreUnderstoodAsTheSDKDoes(f *testing.F) {
	f.Add(200, uint16(3), []byte(wiretest.UsualAnswer(3)))
	f.Add(400, uint16(3), []byte(`{"__type":"x#ValidationException","message":"no"}`))
	for _, body := range unusualAnswers() {
		f.Add(200, uint16(2), []byte(body))
	}
	w := jsonProtocol()
	f.Fuzz(func(t *testing.T, status int, records uint16, body []byte) {
		compareAnswer(t, w, wiretest.ContentTypeJSON, status%1000, int(records), body)
	})
}
