// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// storing answers each record as stored, but those with data "bad" with the given entry.
func storing(bad string) func(int, []string) wireAnswer {
	return func(_ int, data []string) wireAnswer {
		list := make([]string, len(data))
		for i, d := range data {
			list[i] = storedEntry
			if d == "bad" {
				list[i] = bad
			}
		}
		return entriesAnswer(list...)
	}
}

// putAnswer is a case: a bad answer, and what is to become of the records that it is about.
type putAnswer struct {
	name    string
	entry   string                       // for one of the records; the others are stored
	whole   func(records int) wireAnswer // or else for the whole call
	outcome Outcome                      // if it always comes
	code    string
	message string // part of it
	final   bool   // it is not tried again
	noCBOR  bool   // to a call in CBOR it says that CBOR is unsupported
}

func (a *putAnswer) answer(call int, data []string) wireAnswer {
	if a.whole != nil {
		return a.whole(len(data))
	}
	return storing(a.entry)(call, data)
}

func badPutAnswers() []putAnswer {
	always := func(answer func() wireAnswer) func(int) wireAnswer {
		return func(int) wireAnswer { return answer() }
	}
	body := func(s string) func(int) wireAnswer { return func(int) wireAnswer { return wellAnswer(s) } }
	failed := func(code int, s string) func(int) wireAnswer {
		return func(int) wireAnswer { return statusAnswer(code, s) }
	}
	const html = "<html><body><h1>It works!</h1></body></html>"
	return []putAnswer{
		{name: "neither number nor code", entry: `{}`, outcome: OutcomeExpired, code: CodeUnknown},
		{name: "only a shard", entry: `{"ShardId":"` + theShard + `"}`, outcome: OutcomeExpired, code: CodeUnknown},
		{
			name: "null fields", entry: `{"SequenceNumber":null,"ShardId":null,"ErrorCode":null,"ErrorMessage":null}`,
			outcome: OutcomeExpired, code: CodeUnknown,
		},
		{
			name: "empty fields", entry: `{"SequenceNumber":"","ShardId":"","ErrorCode":"","ErrorMessage":""}`,
			outcome: OutcomeExpired, code: CodeUnknown,
		},
		{name: "only a message", entry: `{"ErrorMessage":"no"}`, outcome: OutcomeExpired, code: CodeUnknown},
		{name: "a code without a message", entry: `{"ErrorCode":"InternalFailure"}`, outcome: OutcomeExpired, code: "InternalFailure"},
		{
			name: "an unknown code", entry: `{"ErrorCode":"Überlastet","ErrorMessage":"später"}`,
			outcome: OutcomeExpired, code: "Überlastet", message: "später",
		},
		{
			name: "a code that rejects the record", entry: `{"ErrorCode":"InvalidArgumentException","ErrorMessage":"no"}`,
			outcome: OutcomeRejected, code: "InvalidArgumentException", message: "no", final: true,
		},
		{
			name: "a code for all records", entry: `{"ErrorCode":"KMSDisabledException","ErrorMessage":"no"}`,
			outcome: OutcomeUnavailable, code: "KMSDisabledException", message: "no", final: true,
		},
		{
			name: "a long message", entry: `{"ErrorCode":"InternalFailure","ErrorMessage":"` + strings.Repeat("ü", 1<<16) + `"}`,
			outcome: OutcomeExpired, code: "InternalFailure",
			message: strings.Repeat("ü", messageHead/2) + ellipsis + strings.Repeat("ü", messageTail/2),
		},
		{
			name:    "a message that is no UTF-8",
			entry:   `{"ErrorCode":"InternalFailure","ErrorMessage":"` + strings.Repeat("\x80", 300) + `"}`,
			outcome: OutcomeExpired, code: "InternalFailure",
		},
		{
			name: "a long code", entry: `{"ErrorCode":"` + strings.Repeat("E", 1<<16) + `"}`,
			outcome: OutcomeExpired, code: strings.Repeat("E", 256),
		},

		{
			name: "a number for a string", whole: func(n int) wireAnswer {
				return entriesAnswer(slices.Repeat([]string{`{"SequenceNumber":5}`}, n)...)
			}, outcome: OutcomeExpired, code: "HTTP200",
		},
		{
			name: "too few entries", whole: func(n int) wireAnswer { return entriesAnswer(slices.Repeat([]string{storedEntry}, n-1)...) },
			outcome: OutcomeExpired, code: CodeCountMismatch,
		},
		{name: "no entries", whole: body(`{"Records":[]}`), outcome: OutcomeExpired, code: CodeCountMismatch},
		{name: "null for entries", whole: body(`{"Records":null}`), outcome: OutcomeExpired, code: CodeCountMismatch},
		{
			name: "too many entries",
			whole: func(n int) wireAnswer {
				return entriesAnswer(slices.Repeat([]string{storedEntry}, n+1)...)
			},
			outcome: OutcomeExpired, code: CodeCountMismatch,
		},
		{name: "another object", whole: body(`{"Shards":[]}`), outcome: OutcomeExpired, code: CodeCountMismatch},
		{name: "an array", whole: body(`[1,2]`), outcome: OutcomeExpired, code: "HTTP200"},
		{
			name: "a nesting without end", whole: body(strings.Repeat(`{"Records":[`, 10_000)),
			outcome: OutcomeExpired, code: "HTTP200",
		},
		{
			name: "an error with status 200", whole: body(`{"__type":"InternalFailure"}`),
			outcome: OutcomeExpired, code: CodeCountMismatch,
		},
		{name: "HTML", whole: body(html), outcome: OutcomeExpired, code: "HTTP200"},
		{name: "nothing", whole: body(""), outcome: OutcomeExpired, code: CodeCountMismatch},
		{name: "half an object", whole: body(`{"Records":[{"SequenceNumber":"1"`), outcome: OutcomeExpired, code: "HTTP200"},
		{name: "binary", whole: body("\x00\xff\xfe\x80"), outcome: OutcomeExpired, code: "HTTP200"},
		{
			name: "a broken connection", whole: always(func() wireAnswer {
				return wireAnswer{body: `{"Rec`, end: breaks}
			}), outcome: OutcomeExpired, code: CodeConnection,
		},
		{
			name: "an answer without end", whole: always(func() wireAnswer {
				return wireAnswer{body: `{"Rec`, end: hangs}
			}), outcome: OutcomeExpired, code: CodeTimeout,
		},

		{name: "an error in HTML", whole: failed(502, html), outcome: OutcomeExpired, code: "HTTP502"},
		{name: "an error without a word", whole: failed(503, ""), outcome: OutcomeExpired, code: "HTTP503"},
		{
			name: "an error of a gateway", whole: failed(403, html),
			outcome: OutcomeUnavailable, code: "HTTP403", final: true,
		},
		{
			name: "an error of a web server", whole: failed(404, html),
			outcome: OutcomeUnavailable, code: "HTTP404", final: true, noCBOR: true,
		},
		{name: "a bad request, in HTML", whole: failed(400, html), outcome: OutcomeExpired, code: "HTTP400", noCBOR: true},
		{name: "a forbidden method, in HTML", whole: failed(405, html), outcome: OutcomeExpired, code: "HTTP405", noCBOR: true},
		{name: "a type of content, in HTML", whole: failed(415, html), outcome: OutcomeExpired, code: "HTTP415", noCBOR: true},
		{name: "not implemented, in HTML", whole: failed(501, html), outcome: OutcomeExpired, code: "HTTP501", noCBOR: true},
		{name: "a limit of the size, in HTML", whole: failed(413, html), outcome: OutcomeExpired, code: CodeRequestTooLarge},
		{
			name: "a limit of the size, in JSON", whole: failed(413, `{"message":"Request Too Long"}`),
			outcome: OutcomeExpired, code: CodeRequestTooLarge, message: "Request Too Long",
		},
		{
			name: "an error of a serializer", whole: always(func() wireAnswer { return errorAnswer("SerializationException", "no") }),
			outcome: OutcomeExpired, code: "SerializationException", message: "no", noCBOR: true,
		},
		{
			name: "an unknown operation", whole: always(func() wireAnswer { return errorAnswer("UnknownOperationException", "no") }),
			outcome: OutcomeExpired, code: "UnknownOperationException", message: "no", noCBOR: true,
		},
		{
			name: "a verdict on a page", whole: always(func() wireAnswer {
				return wireAnswer{status: 400, errorType: "ValidationException", body: html}
			}), outcome: OutcomeExpired, code: "HTTP400", noCBOR: true,
		},
		{name: "a redirect", whole: failed(307, ""), outcome: OutcomeExpired, code: "HTTP307"},
		{
			name: "a status nobody knows", whole: failed(599, `{"message":"odd"}`),
			outcome: OutcomeExpired, code: "HTTP599", message: "odd",
		},
		{name: "a proxy's rate limit", whole: failed(429, html), outcome: OutcomeExpired, code: "HTTP429"},
		{
			name: "an error code nobody knows", whole: always(func() wireAnswer { return errorAnswer("NoSuchError", "hm") }),
			outcome: OutcomeExpired, code: "NoSuchError", message: "hm",
		},
		{
			name: "a long error", whole: always(func() wireAnswer {
				return errorAnswer("InternalFailure", strings.Repeat("x", 1<<16))
			}),
			outcome: OutcomeExpired, code: "InternalFailure",
			message: strings.Repeat("x", messageHead) + ellipsis + strings.Repeat("x", messageTail),
		},
		{
			name: "a long error code", whole: always(func() wireAnswer { return errorAnswer(strings.Repeat("E", 1<<16), "") }),
			outcome: OutcomeExpired, code: strings.Repeat("E", 256),
		},
		{
			name: "an empty error code", whole: always(func() wireAnswer {
				return wireAnswer{status: 500, errorType: ":", body: `{"message":"hm"}`}
			}),
			outcome: OutcomeExpired, code: "HTTP500", message: "hm",
		},
		{
			name: "an error code of odd bytes", whole: always(func() wireAnswer {
				return wireAnswer{status: 500, errorType: strings.Repeat("\x80", 300), body: "{}"}
			}),
			outcome: OutcomeExpired,
		},
	}
}

// An answer that makes no sense fails only the records that it is about. They are sent again, and the next answer counts.
func TestBadAnswersToPutRecords(t *testing.T) {
	for _, bad := range badPutAnswers() {
		t.Run(bad.name, func(t *testing.T) {
			for name, times := range map[string]int{"once": 1, "always": 1 << 30} {
				for _, protocol := range []WireProtocol{WireAuto, WireJSON} {
					t.Run(name+", "+string(protocol), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { putAgainstBadAnswers(t, &bad, times, protocol) })
					})
				}
			}
		})
	}
}

// putAgainstBadAnswers puts three records while the first answers are bad. The endpoint is known to take CBOR.
func putAgainstBadAnswers(t *testing.T, bad *putAnswer, times int, protocol WireProtocol) {
	w := &endpoint{
		list: func(int) wireAnswer { return theOnlyShard() },
		put: func(call int, data []string) wireAnswer {
			if call > 1 && call-1 <= times { // the first call finds out whether the endpoint takes CBOR
				return bad.answer(call, data)
			}
			return storing(storedEntry)(call, data)
		},
	}
	p := startProducer(t, w.client(), func(c *Config) {
		c.AggregationFormat, c.RecordTTL, c.RequestTimeout = AggregationNone, 3*time.Second, time.Second
		c.WireProtocol = protocol
	})
	holdBack(p)
	first, err := p.PutWait(t.Context(), UserRecord{Stream: testStream, PartitionKey: "first", Data: []byte("first")})
	require.NoError(t, err)
	require.NoError(t, first.Err)
	start := time.Now()
	got := map[string]*results{"good": {}, "bad": {}, "fine": {}}
	for data, results := range got {
		record := UserRecord{Stream: testStream, PartitionKey: data, Data: []byte(data)}
		require.NoError(t, p.Put(t.Context(), record, results.add))
	}
	require.NoError(t, p.FlushWait(t.Context()))
	assert.LessOrEqual(t, time.Since(start), 4*time.Second)

	for data, results := range got {
		require.Len(t, results.all(), 1, data)
		result := results.all()[0]
		if data != "bad" && bad.whole == nil {
			require.NoError(t, result.Err, data)
			assert.Len(t, result.Attempts, 1, data)
			continue
		}
		if times == 1 && bad.noCBOR && protocol == WireAuto {
			require.NoError(t, result.Err, data)
			assert.Len(t, result.Attempts, 1, "the call is made again in JSON at once")
			continue
		}
		first := result.Attempts[0]
		if bad.code != "" {
			assert.Equal(t, bad.code, first.Code)
		}
		assert.Contains(t, first.Message, bad.message)
		assert.NotEmpty(t, first.Code, "an attempt that failed has a code")
		assert.LessOrEqual(t, len(first.Code), 256)
		assert.LessOrEqual(t, len(first.Message), maxMessage)
		if times == 1 && !bad.final {
			require.NoError(t, result.Err)
			assert.Len(t, result.Attempts, 2)
			assert.Equal(t, ShardID(theShard), result.ShardID)
			continue
		}
		var failure *RecordError
		require.ErrorAs(t, result.Err, &failure)
		assert.Equal(t, bad.outcome, failure.Outcome)
		assert.Equal(t, result.Attempts[len(result.Attempts)-1].Code, failure.Code)
		assert.Equal(t, bad.final, len(result.Attempts) == 1)
	}
}

// The sequence number alone says that a record is stored, whatever else there is or is not.
func TestOddAnswersThatAreSuccesses(t *testing.T) {
	for name, tt := range map[string]struct{ entry, shard string }{
		"a code besides":             {`{"SequenceNumber":"7","ShardId":"` + theShard + `","ErrorCode":"InternalFailure"}`, theShard},
		"no shard":                   {`{"SequenceNumber":"7"}`, ""},
		"a shard nobody knows":       {`{"SequenceNumber":"7","ShardId":"shardId-000000009999"}`, "shardId-000000009999"},
		"a shard with odd name":      {`{"SequenceNumber":"7","ShardId":"Scherbe-ü-\u0000-🦊"}`, "Scherbe-ü-\x00-🦊"},
		"fields nobody knows":        {`{"SequenceNumber":"7","ShardId":"` + theShard + `","More":{"a":[1,{}]}}`, theShard},
		"a number that is no number": {`{"SequenceNumber":"sieben","ShardId":"` + theShard + `"}`, theShard},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &endpoint{list: func(int) wireAnswer { return theOnlyShard() }, put: storing(tt.entry)}
				p := startProducer(t, w.client(), nil)
				result, err := p.PutWait(t.Context(), UserRecord{Stream: testStream, PartitionKey: "key", Data: []byte("bad")})
				require.NoError(t, err)
				assert.Equal(t, ShardID(tt.shard), result.ShardID)
				assert.NotEmpty(t, result.SequenceNumber)
				assert.Len(t, result.Attempts, 1)
			})
		})
	}
}

// A record that was not stored does not look stored to an Observer either.
func TestObserverSeesNoSuccessWithoutSequenceNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &requestLog{}
		w := &endpoint{list: func(int) wireAnswer { return theOnlyShard() }, put: storing(`{}`)}
		p := startProducer(t, w.client(), func(c *Config) { c.Observer, c.RecordTTL = seen.observer(), time.Second })
		_, err := p.PutWait(t.Context(), UserRecord{Stream: testStream, PartitionKey: "key", Data: []byte("bad")})
		require.ErrorIs(t, err, ErrExpired)
		require.NotEmpty(t, seen.entries)
		for _, entry := range seen.entries {
			assert.NotEmpty(t, entry.Code)
		}
	})
}

// Only as much of an answer is read as the service could send, however long the answer is.
func TestAnswersAreReadUpToABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const sent, bound = 64 << 20, 16 << 20
		var read int
		flood := func(_ context.Context, p []byte) (int, error) {
			if read >= sent {
				return 0, io.EOF
			}
			for i := range p {
				p[i] = 'x'
			}
			read += len(p)
			return len(p), nil
		}
		w := &endpoint{
			list: func(int) wireAnswer { return theOnlyShard() },
			put: func(call int, data []string) wireAnswer {
				if call == 1 {
					return wireAnswer{body: `{"Records":[{"ErrorCode":"InternalFailure","ErrorMessage":"`, end: flood}
				}
				return storing(storedEntry)(call, data)
			},
		}
		p := startProducer(t, w.client(), nil)
		result, err := p.PutWait(t.Context(), sized("key", 1))
		require.NoError(t, err)
		require.Len(t, result.Attempts, 2)
		assert.Equal(t, "HTTP200", result.Attempts[0].Code)
		assert.Contains(t, result.Attempts[0].Message, "the answer has more than 16777216 bytes")
		assert.LessOrEqual(t, read, bound)
	})
}

// A Result copies the message that it keeps from an answer. Otherwise the whole answer would stay in memory.
func TestMessagesAreCopiedOutOfAnswers(t *testing.T) {
	answer := strings.Repeat("x", 1<<20)
	name := clip(answer)
	assert.Len(t, name, 256)
	assert.NotSame(t, unsafe.StringData(answer), unsafe.StringData(name))
	assert.Len(t, messageOf(answer), maxMessage)
}

func FuzzPutRecordsAnswer(f *testing.F) {
	for _, bad := range badPutAnswers() {
		answer := bad.answer(1, []string{"bad", "bad"})
		if len(answer.body) < 1<<12 {
			f.Add(answer.status, answer.errorType, []byte(answer.body))
		}
	}
	f.Add(0, "", []byte(`{"Records":[{"SequenceNumber":"1","ShardId":"`+"\xe1"+strings.Repeat("x", 1000)+`"}]}`))
	f.Fuzz(func(t *testing.T, code int, errorType string, body []byte) {
		synctest.Test(t, func(t *testing.T) {
			fuzzProducer(t, &endpoint{
				list: func(int) wireAnswer { return theOnlyShard() },
				put: func(int, []string) wireAnswer {
					return wireAnswer{status: code % 1000, errorType: errorType, body: string(body)}
				},
			})
		})
	})
}
