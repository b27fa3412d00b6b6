// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// listAnswer is a case: a bad list of shards, and the error that it makes; or none.
type listAnswer struct {
	name string
	list func(call int) wireAnswer
	want string // part of the error; empty means that the list is taken
	open int    // shards that are taken
}

func badListAnswers() []listAnswer {
	const last = "340282366920938463463374607431768211455"
	one := func(answer func() wireAnswer) func(int) wireAnswer {
		return func(int) wireAnswer { return answer() }
	}
	list := func(s ...string) func(int) wireAnswer { return func(int) wireAnswer { return shardsAnswer(s...) } }
	body := func(code int, s string) func(int) wireAnswer {
		return func(int) wireAnswer { return statusAnswer(code, s) }
	}
	return []listAnswer{
		{name: "empty", list: list(), want: "the service lists none"},
		{name: "null", list: body(200, `{"Shards":null}`), want: "the service lists none"},
		{name: "nothing", list: body(200, ""), want: "the service lists none"},
		{name: "another object", list: body(200, `{"Records":[]}`), want: "the service lists none"},
		{name: "HTML", list: body(200, "<html>"), want: "cannot list the shards"},
		{name: "half an object", list: body(200, `{"Shards":[{"ShardId":`), want: "cannot list the shards"},
		{name: "a redirect", list: body(302, ""), want: "cannot list the shards"},
		{name: "an error", list: body(500, "<html>"), want: "cannot list the shards"},
		{name: "a long error", list: one(func() wireAnswer {
			return errorAnswer("InternalFailure", strings.Repeat("x", 1<<16))
		}), want: "InternalFailure"},
		{name: "an answer without end", list: one(func() wireAnswer {
			return wireAnswer{end: hangs}
		}), want: "cannot list the shards"},
		{name: "a broken connection", list: one(func() wireAnswer {
			return wireAnswer{end: breaks}
		}), want: "cannot list the shards"},

		{name: "no range", list: list(`{"ShardId":"a"}`), want: "a has no hash key range"},
		{name: "null for the range", list: list(`{"ShardId":"a","HashKeyRange":null}`), want: "a has no hash key range"},
		{name: "half a range", list: list(`{"ShardId":"a","HashKeyRange":{"StartingHashKey":"0"}}`), want: "ending hash key of a"},
		{name: "no number", list: list(describeShard("a", "null", last)), want: "starting hash key of a"},
		{name: "a negative number", list: list(describeShard("a", "-1", last)), want: "starting hash key of a"},
		{name: "too large a number", list: list(describeShard("a", "0", last+"0")), want: "ending hash key of a"},
		{
			name: "a number of a million digits", list: list(describeShard("a", "0", strings.Repeat("9", 1_000_000))),
			want: "ending hash key of a",
		},
		{name: "a reversed range", list: list(describeShard("a", last, "0")), want: "a ends before it starts"},
		{name: "no id", list: list(`{"HashKeyRange":` + wholeRange + `}`), want: "a shard has no id"},
		{name: "a long id without range", list: list(`{"ShardId":"` + strings.Repeat("a", 1<<16) + `"}`), want: "no hash key range"},

		{name: "an overlap", list: list(describeShard("a", "0", "9"+strings.Repeat("0", 37)), describeShard("b", "5", last)), open: 2},
		{name: "the same range twice", list: list(describeShard("a", "0", last), describeShard("b", "0", last)), open: 2},
		{name: "the same shard twice", list: list(describeShard("a", "0", last), describeShard("a", "0", last)), open: 2},
		{name: "a gap", list: list(describeShard("a", "0", "5"), describeShard("b", "9"+strings.Repeat("0", 37), last)), open: 2},
		{name: "almost all is a gap", list: list(describeShard("a", "5", "5")), open: 1},
		{name: "an odd id", list: list(describeShard("Scherbe-ü-🦊", "0", last)), open: 1},
		{
			name: "pages without end",
			list: func(call int) wireAnswer { return wellAnswer(fmt.Sprintf(`{"Shards":[],"NextToken":"%d"}`, call)) },
			want: "no end",
		},
		{
			name: "slow pages without end",
			list: func(call int) wireAnswer {
				page := fmt.Sprintf(`{"Shards":[],"NextToken":"%d"}`, call)
				return wireAnswer{body: page, end: func(ctx context.Context, _ []byte) (int, error) {
					sleepUntil(ctx, time.Now().Add(5*time.Second))
					return 0, cmp.Or(ctx.Err(), io.EOF)
				}}
			},
			want: CodeTimeout,
		},
		{
			name: "shards without end",
			list: func(call int) wireAnswer {
				return wellAnswer(fmt.Sprintf(`{"Shards":[%s],"NextToken":"same"}`, describeShard(fmt.Sprint(call), "0", last)))
			},
			want: "no end",
		},
	}
}

// Whatever is wrong with the list of shards, records are delivered.
func TestBadAnswersToListShards(t *testing.T) {
	for _, bad := range badListAnswers() {
		t.Run(bad.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := &requestLog{}
				w := &endpoint{list: bad.list, put: storing(storedEntry)}
				p := startProducer(t, w.client(), func(c *Config) { c.Observer = seen.observer() })
				var got results
				for i := range 100 {
					require.NoError(t, p.Put(t.Context(), numbered(fmt.Sprint("key", i%10), i), got.add))
					require.NoError(t, p.Put(t.Context(), numbered("", i), got.add))
				}
				advance(40 * time.Second) // a listing may take long
				require.NoError(t, p.FlushWait(t.Context()))
				assert.Len(t, got.all(), 200)
				assert.Equal(t, map[Outcome]int{OutcomeSuccess: 200}, outcomes(got.all()))
				for _, result := range got.all() {
					assert.LessOrEqual(t, len(result.Attempts), 1+maxMisplacements)
				}

				seen.mu.Lock()
				defer seen.mu.Unlock()
				require.NotEmpty(t, seen.listings, "a listing ends")
				if bad.want == "" {
					require.NoError(t, seen.listings[0])
					assert.Equal(t, bad.open, seen.open[0])
				} else {
					require.ErrorContains(t, seen.listings[0], bad.want)
					assert.Less(t, len(seen.listings[0].Error()), maxMessage+100, "an error is for people")
				}
			})
		})
	}
}

// Where ListShards names other shards than PutRecords does, readers may not see an aggregate. Its members are sent again a few
// times, and then alone. After that the listing is not used any more, which is reported once.
func TestListingsOfOtherShards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &endpoint{
			list: func(int) wireAnswer { return theOnlyShard() },
			put: func(_ int, data []string) wireAnswer {
				return entriesAnswer(slices.Repeat([]string{`{"SequenceNumber":"7","ShardId":"fremd"}`}, len(data))...)
			},
		}
		seen := &requestLog{}
		p := startProducer(t, w.client(), func(c *Config) { c.Observer = seen.observer() })
		holdBack(p)
		var got results
		put := func(key func(int) string) (puts int) {
			before, _ := w.calls()
			for i := range 10 {
				require.NoError(t, p.Put(t.Context(), numbered(key(i), i), got.add))
			}
			advance(50 * time.Millisecond) // the shards are known by now
			require.NoError(t, p.FlushWait(t.Context()))
			puts, _ = w.calls()
			return puts - before
		}
		start := time.Now()
		assert.Equal(t, 1+maxMisplacements, put(func(i int) string { return fmt.Sprint(i) }))
		assert.Less(t, time.Since(start), 3*time.Second)
		for _, result := range got.all() {
			require.NoError(t, result.Err)
			require.Len(t, result.Attempts, 1+maxMisplacements)
			assert.Equal(t, "stored on fremd, which does not serve the hash keys of all members", result.Attempts[0].Message)
		}
		put(func(i int) string { return fmt.Sprint(i) })
		for range 20 { // keys of which each has an aggregate
			assert.Equal(t, 1, put(func(int) string { return "key" }), "what is together needs no verdict")
			advance(time.Second)
		}
		assert.Equal(t, map[Outcome]int{OutcomeSuccess: 220}, outcomes(got.all()))
		reported := 0
		for _, err := range seen.listings {
			if err != nil {
				require.ErrorIs(t, err, errListingNotTrusted)
				reported++
			}
		}
		assert.Equal(t, 1, reported)
		_, lists := w.calls()
		assert.LessOrEqual(t, lists, 6)
	})
}

// millions is a service with shards without end.
type millions struct {
	Client
	page  []types.Shard
	pages int
}

func (m *millions) ListShards(
	context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options),
) (*kinesis.ListShardsOutput, error) {
	m.pages++
	return &kinesis.ListShardsOutput{Shards: m.page, NextToken: aws.String("more")}, nil
}

func TestMoreShardsThanAStreamCanHave(t *testing.T) {
	hashKeys := &types.HashKeyRange{StartingHashKey: aws.String("0"), EndingHashKey: aws.String("1")}
	service := &millions{page: slices.Repeat([]types.Shard{{ShardId: aws.String(theShard), HashKeyRange: hashKeys}}, 10_000)}
	r := refresher{client: service, name: testStream, timeout: time.Second}
	known, err := r.list(t.Context(), time.Now())
	require.ErrorContains(t, err, "no end")
	assert.Nil(t, known)
	assert.LessOrEqual(t, service.pages, 30)
}

func FuzzListShardsAnswer(f *testing.F) {
	for _, bad := range badListAnswers() {
		answer := bad.list(1)
		if len(answer.body) < 1<<12 {
			f.Add(answer.status, []byte(answer.body), theShard)
		}
	}
	f.Add(0, []byte(theOnlyShard().body), "\xf5"+strings.Repeat("x", 1000))
	f.Fuzz(func(t *testing.T, code int, body []byte, shard string) {
		name, err := json.Marshal(shard)
		require.NoError(t, err)
		synctest.Test(t, func(t *testing.T) {
			fuzzProducer(t, &endpoint{
				list: func(int) wireAnswer { return wireAnswer{status: code % 1000, body: string(body)} },
				put: func(_ int, data []string) wireAnswer {
					entry := `{"SequenceNumber":"7","ShardId":` + string(name) + `}`
					return entriesAnswer(slices.Repeat([]string{entry}, len(data))...)
				},
			})
		})
	})
}
