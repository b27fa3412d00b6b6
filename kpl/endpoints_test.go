// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/wire/wiretest"
)

// Endpoints that change while a producer uses them, and what stands in front of them.

const aPage = "<html><h1>Something else is here</h1></html>"

// put is a PutRecords call as it comes over the wire.
type put struct {
	cbor bool
	body int // bytes
}

// gate stands in front of an endpoint. It answers calls itself, or lets them through.
type gate struct {
	*endpoint
	answer func(p put) (wireAnswer, bool)

	mu   sync.Mutex
	puts []put // guarded by mu
}

func newGate(answer func(p put) (wireAnswer, bool)) *gate {
	return &gate{
		endpoint: &endpoint{list: func(int) wireAnswer { return theOnlyShard() }, put: storing(storedEntry)},
		answer:   answer,
	}
}

func (g *gate) Do(r *http.Request) (*http.Response, error) {
	if r.Header.Get("X-Amz-Target") != "Kinesis_20131202.PutRecords" {
		return g.endpoint.Do(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	p := put{cbor: r.Header.Get("Content-Type") == wiretest.ContentTypeCBOR, body: len(body)}
	g.mu.Lock()
	g.puts = append(g.puts, p)
	answer, closed := g.answer(p)
	g.mu.Unlock()
	if closed {
		sleepUntil(r.Context(), time.Now().Add(answerTime))
		header := http.Header{"Content-Type": {"text/html"}}
		return &http.Response{StatusCode: max(answer.status, 200), Header: header, Body: bodyOf(r, &answer), Request: r}, nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return g.endpoint.Do(r)
}

// calls returns how many calls there were, and how many of them in CBOR.
func (g *gate) calls() (all, cbor int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range g.puts {
		if p.cbor {
			cbor++
		}
	}
	return len(g.puts), cbor
}

// putMany puts records of one size, and returns their Results.
func putMany(t *testing.T, p *Producer, count, size int) []Result {
	t.Helper()
	var got results
	for range count {
		require.NoError(t, p.Put(t.Context(), sized("", size), got.add))
	}
	require.NoError(t, p.FlushWait(t.Context()))
	require.Len(t, got.all(), count)
	return got.all()
}

// An endpoint that supports CBOR fails over to one that does not, and back.
func TestEndpointLosesCBORAndGetsItBack(t *testing.T) {
	for name, answer := range map[string]wireAnswer{
		"an error of a serializer":    errorAnswer("SerializationException", ""),
		"an unknown operation":        {status: 404, body: `{"__type":"UnknownOperationException"}`},
		"a verdict in JSON":           errorAnswer("ValidationException", ""),
		"a failure in JSON":           {status: 500, body: `{"__type":"InternalFailure"}`},
		"a page with a bad request":   statusAnswer(400, aPage),
		"a page with nothing there":   statusAnswer(404, aPage),
		"a page with a method":        statusAnswer(405, aPage),
		"a page with a content type":  statusAnswer(415, aPage),
		"a page with a failure":       statusAnswer(500, aPage),
		"a page with an unknown verb": statusAnswer(501, aPage),
		"no word":                     statusAnswer(400, ""),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				onlyJSON := false
				g := newGate(func(p put) (wireAnswer, bool) { return answer, onlyJSON && p.cbor })
				var lost, back []CBOREvent
				p := startProducer(t, clientOver(g), func(c *Config) {
					c.Observer.CBORUnsupported = func(e CBOREvent) { lost = append(lost, e) }
					c.Observer.CBORSupported = func(e CBOREvent) { back = append(back, e) }
				})
				one := func() {
					t.Helper()
					result, err := p.PutWait(t.Context(), sized("key", 10))
					require.NoError(t, err)
					assert.Len(t, result.Attempts, 1, "that CBOR is unsupported is no failure of a record")
				}
				one()
				onlyJSON = true
				for range 10 {
					one()
				}
				all, cbor := g.calls()
				assert.Equal(t, 12, all)
				assert.Equal(t, 2, cbor, "JSON is kept")
				require.Len(t, lost, 1)
				require.Error(t, lost[0].Err)
				assert.Empty(t, back)

				onlyJSON = false
				advance(time.Minute)
				one()
				one()
				_, cbor = g.calls()
				assert.Equal(t, 4, cbor)
				assert.Equal(t, []CBOREvent{{Stream: testStream}}, back)
				assert.Len(t, lost, 1)
			})
		})
	}
}

// A proxy that lets no CBOR through, and says so in no way, or not at all.
func TestProxyThatLetsNoCBORThrough(t *testing.T) {
	for name, answer := range map[string]wireAnswer{
		"a firewall":         statusAnswer(403, aPage),
		"a bad gateway":      statusAnswer(502, aPage),
		"a broken answer":    {end: breaks},
		"no answer in time":  {end: hangs},
		"an overloaded site": statusAnswer(503, ""),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				closed := true
				g := newGate(func(p put) (wireAnswer, bool) { return answer, p.cbor && closed })
				var lost, back int
				p := startProducer(t, clientOver(g), func(c *Config) {
					c.RequestTimeout = 2 * time.Second
					c.Observer.CBORUnsupported = func(CBOREvent) { lost++ }
					c.Observer.CBORSupported = func(CBOREvent) { back++ }
				})
				for range 10 {
					for range 5 {
						_, err := p.PutWait(t.Context(), sized("key", 10))
						require.NotErrorIs(t, err, ErrRejected)
					}
					advance(8 * time.Second)
				}
				assert.Equal(t, 1, lost)
				before, inCBOR := g.calls()
				for range 3 * 60 {
					_, err := p.PutWait(t.Context(), sized("key", 10))
					require.NoError(t, err)
					advance(time.Second)
				}
				all, cbor := g.calls()
				assert.LessOrEqual(t, cbor-inCBOR, 3)
				assert.LessOrEqual(t, all-before, 183)

				closed = false
				advance(30 * time.Minute)
				for range 3 {
					_, err := p.PutWait(t.Context(), sized("key", 10))
					require.NoError(t, err)
				}
				assert.Equal(t, 1, back)
			})
		})
	}
}

// What a firewall or a balancer says is no word on CBOR.
func TestAnswersThatSayNothingAboutCBOR(t *testing.T) {
	for _, status := range []int{401, 403, 407, 408, 413, 429, 502, 503, 504} {
		synctest.Test(t, func(t *testing.T) {
			first := true
			g := newGate(func(put) (wireAnswer, bool) {
				defer func() { first = false }()
				return statusAnswer(status, aPage), first
			})
			p := startProducer(t, clientOver(g), nil)
			for range 3 {
				_, err := p.PutWait(t.Context(), sized("key", 10))
				require.NotErrorIs(t, err, ErrRejected)
				advance(10 * time.Second)
			}
			all, cbor := g.calls()
			assert.Equal(t, all, cbor, "status %d", status)
			assert.LessOrEqual(t, all, 4)
		})
	}
}

// A success that makes no sense may have stored the records, and so may each further try.
func TestSuccessesWithoutSenseMakeFewCopies(t *testing.T) {
	for name, body := range map[string]string{
		"a page": aPage, "nothing": "", "no entries": "{}", "too few": `{"Records":[]}`, "a list": "[1]", "bytes": "\x00\x01",
		"half": `{"Records":[{"Seq`, "CBOR": "\xa0",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				always := true
				g := newGate(func(put) (wireAnswer, bool) { return wellAnswer(body), always })
				p := startProducer(t, clientOver(g), nil)
				result, err := p.PutWait(t.Context(), sized("key", 10))
				require.ErrorIs(t, err, ErrExpired)
				assert.GreaterOrEqual(t, len(result.Attempts), 3)
				assert.LessOrEqual(t, len(result.Attempts), 4)
				all, cbor := g.calls()
				assert.Len(t, result.Attempts, all, "a call is not made again at once")
				assert.Equal(t, 1, cbor, "what answers so to CBOR may understand JSON")

				always = false
				_, err = p.PutWait(t.Context(), sized("key", 10))
				require.NoError(t, err)
			})
		})
	}
}

// A proxy that lets no large bodies through, with a page or without a word.
func TestProxyWithALimitOfTheSize(t *testing.T) {
	for name, tt := range map[string]struct {
		limit       int // bytes of a body
		size, count int // of records
		protocol    WireProtocol
		answer      wireAnswer
		maxCalls    int
	}{
		"one record fits":        {65_000, 51_000, 100, WireAuto, statusAnswer(413, aPage), 100 + 15},
		"one fits in JSON":       {75_000, 51_000, 100, WireJSON, statusAnswer(413, ""), 100 + 15},
		"some fit":               {1 << 20, 51_000, 100, WireAuto, statusAnswer(413, `{"message":"too long"}`), 20},
		"aggregates do not fit":  {20_000, 300, 1000, WireAuto, statusAnswer(413, aPage), 60},
		"a firewall's 8 KiB":     {8 << 10, 300, 1000, WireAuto, statusAnswer(413, aPage), 120},
		"all fits, most of them": {4 << 20, 51_000, 300, WireAuto, statusAnswer(413, aPage), 20},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate(func(p put) (wireAnswer, bool) { return tt.answer, p.body > tt.limit })
				p := startProducer(t, clientOver(g), func(c *Config) { c.WireProtocol, c.RateLimit = tt.protocol, 1_000_000 })
				holdBack(p) // how many calls an early commit would make depends on the scheduler
				for _, result := range putMany(t, p, tt.count, tt.size) {
					require.NoError(t, result.Err)
				}
				all, cbor := g.calls()
				assert.LessOrEqual(t, all, tt.maxCalls)
				if tt.protocol == WireAuto {
					assert.Equal(t, all, cbor, "a limit of the size is no word on CBOR, and JSON is larger")
				}
				for _, result := range putMany(t, p, tt.count, tt.size) {
					require.NoError(t, result.Err)
				}
				again, _ := g.calls()
				assert.LessOrEqual(t, again-all, tt.maxCalls, "the size is remembered")
			})
		})
	}
}

// For three seconds nothing passes a proxy, whatever its size. That loses nothing, and makes no storm.
func TestProxyThatLetsNothingThroughForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opens := time.Now().Add(3 * time.Second)
		g := newGate(func(put) (wireAnswer, bool) { return statusAnswer(413, aPage), time.Now().Before(opens) })
		p := startProducer(t, clientOver(g), func(c *Config) { c.RateLimit = 1_000_000 })
		for _, size := range []int{51_000, 300} {
			for _, result := range putMany(t, p, 300, size) {
				require.NoError(t, result.Err)
			}
		}
		all, _ := g.calls()
		assert.Less(t, all, 1500)
		advance(20 * time.Second) // and after a while requests are as large as before
		for range 40 {
			putMany(t, p, 20, 51_000)
			advance(time.Second)
		}
		before, _ := g.calls()
		putMany(t, p, 80, 51_000)
		after, _ := g.calls()
		assert.LessOrEqual(t, after-before, 16)
	})
}

// A record that no proxy lets through is given back in the end, and never rejected.
func TestRecordThatIsTooLargeForAProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(func(p put) (wireAnswer, bool) { return statusAnswer(413, aPage), p.body > 40_000 })
		p := startProducer(t, clientOver(g), nil)
		var got results
		require.NoError(t, p.Put(t.Context(), sized("key", 51_000), got.add))
		for range 100 {
			require.NoError(t, p.Put(t.Context(), sized("", 400), got.add))
		}
		require.NoError(t, p.FlushWait(t.Context()))
		assert.Equal(t, map[Outcome]int{OutcomeSuccess: 100, OutcomeExpired: 1}, outcomes(got.all()))
		large := got.all()[100]
		require.ErrorContains(t, large.Err, CodeRequestTooLarge)
		assert.LessOrEqual(t, len(large.Attempts), 7)
	})
}

// With FailIfTooLarge, the owner gets such a record back at once: by the answer at first, then by what was learned from it.
func TestTooLargeRecordsAreGivenBackAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(func(p put) (wireAnswer, bool) { return statusAnswer(413, aPage), p.body > 40_000 })
		p := startProducer(t, clientOver(g), func(c *Config) { c.FailIfTooLarge = true })
		begun := time.Now()
		for _, result := range putMany(t, p, 100, 51_000) {
			var failure *RecordError
			require.ErrorAs(t, result.Err, &failure)
			assert.Equal(t, OutcomeUnavailable, failure.Outcome)
			assert.Equal(t, CodeRequestTooLarge, failure.Code)
			assert.True(t, failure.Retryable())
		}
		all, _ := g.calls()
		assert.LessOrEqual(t, all, 10)
		assert.Less(t, time.Since(begun), time.Second)
		for _, result := range putMany(t, p, 100, 25_000) {
			require.NoError(t, result.Err)
		}
		for _, result := range putMany(t, p, 100, 300) {
			require.NoError(t, result.Err)
		}
	})
}

// A verdict in CBOR, or in JSON on a call in JSON, is about the record.
func TestVerdictsOfTheService(t *testing.T) {
	for _, code := range []string{"ValidationException", "InvalidArgumentException", "RequestEntityTooLargeException"} {
		for _, protocol := range []WireProtocol{WireAuto, WireJSON, WireSDK} {
			synctest.Test(t, func(t *testing.T) {
				e := &endpoint{list: func(int) wireAnswer { return theOnlyShard() }}
				e.put = func(_ int, data []string) wireAnswer {
					for _, d := range data {
						if strings.HasPrefix(d, "bad") {
							return errorAnswer(code, "no")
						}
					}
					return storing(storedEntry)(0, data)
				}
				p := startProducer(t, e.client(), func(c *Config) { c.WireProtocol, c.AggregationFormat = protocol, AggregationNone })
				var good, bad results
				for range 5 {
					require.NoError(t, p.Put(t.Context(), sized("", 10), good.add))
				}
				require.NoError(t, p.Put(t.Context(), UserRecord{Stream: testStream, Data: []byte("bad")}, bad.add))
				require.NoError(t, p.FlushWait(t.Context()))
				assert.Equal(t, map[Outcome]int{OutcomeSuccess: 5}, outcomes(good.all()))
				assert.Equal(t, map[Outcome]int{OutcomeRejected: 1}, outcomes(bad.all()))
			})
		}
	}
}

// The limit is found by halves, and tried anew after pauses that double while it stands.
func TestSizeLimit(t *testing.T) {
	const most, through = 5 << 20, 100_000
	now, calls := at(0), 0
	l := &sizeLimit{}
	send := func() {
		size := most // there is always enough to send
		if limit := l.at(now, most); limit > 0 {
			size = limit
		}
		calls++
		if size > through {
			l.tooLarge(now, size)
		} else {
			l.passed(&request{records: []*kinesisRecord{{members: []userRecord{{data: make([]byte, size)}}}}})
		}
	}
	for range 7 {
		send()
	}
	assert.False(t, l.cautious)
	assert.Equal(t, 81_920, l.limit)
	assert.Equal(t, 81_920, l.proven)
	tooLarge := 0
	for range 3600 {
		now = now.Add(time.Second)
		before := l.failed
		send()
		if l.cautious {
			tooLarge++
			assert.NotZero(t, before)
			send()
		}
		assert.LessOrEqual(t, l.limit, through)
	}
	assert.Greater(t, tooLarge, 10)
	assert.Less(t, tooLarge, 30)
}
