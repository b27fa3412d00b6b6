// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"bufio"
	"crypto/md5"
	"encoding/json"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// kclCase is a Kinesis record and what KCL makes of it, see testdata/deaggregate/README.md.
type kclCase struct {
	Name         string `json:"name"`
	PartitionKey string `json:"partition_key"`
	Data         []byte `json:"data"`
	FirstHashKey string `json:"first_hash_key"`
	LastHashKey  string `json:"last_hash_key"`
	KCL          []struct {
		PartitionKey    string `json:"pk"`
		ExplicitHashKey string `json:"ehk"`
		Data            []byte `json:"data"`
	} `json:"kcl"`
}

func (c *kclCase) want() []Member {
	members := []Member{}
	for _, m := range c.KCL {
		members = append(members, Member(m))
	}
	return members
}

func readKCLCases(t *testing.T, name string) (cases []kclCase) {
	t.Helper()
	file, err := os.Open("testdata/deaggregate/" + name)
	require.NoError(t, err)
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c kclCase
		require.NoError(t, json.Unmarshal(lines.Bytes(), &c))
		cases = append(cases, c)
	}
	require.NoError(t, lines.Err())
	return cases
}

// readAsKCL is what a consumer does that wants the same user records as KCL.
func readAsKCL(t *testing.T, c *kclCase) []Member {
	t.Helper()
	members := DeaggregateRecord(&types.Record{PartitionKey: &c.PartitionKey, Data: c.Data})
	_, err := Deaggregate(c.Data)
	if err == nil || errors.Is(err, ErrMembersLost) {
		inside, err := InHashKeyRange(members, types.HashKeyRange{
			StartingHashKey: aws.String(c.FirstHashKey), EndingHashKey: aws.String(c.LastHashKey),
		})
		require.NoError(t, err)
		if !inside {
			return []Member{}
		}
	}
	return members
}

func TestDeaggregateAgreesWithKCL(t *testing.T) {
	for file, count := range map[string]int{"kcl-3.5.1-odd.jsonl": 55, "kcl-3.5.1-random.jsonl": 500, "kpl-1.1.1.jsonl": 27} {
		cases := readKCLCases(t, file)
		if len(cases) != count {
			t.Fatalf("%s has %d records, want %d", file, len(cases), count)
		}
		for _, c := range cases {
			t.Run(file+"/"+c.Name, func(t *testing.T) { assert.Equal(t, c.want(), readAsKCL(t, &c)) })
		}
	}
}

// A consumer gets the members before the one that cannot be read, and hears that the others are lost.
func TestDeaggregateTellsOfLostMembers(t *testing.T) {
	good := record(varintField(1, 0), bytesField(3, "data"))
	data := framed(bytesField(1, "key"), good, record(varintField(1, 1), bytesField(3, "x")), good)
	members, err := Deaggregate(data)
	require.ErrorIs(t, err, ErrMembersLost)
	require.ErrorContains(t, err, "member 1: keys that cannot be read: index 1 of 1 partition keys")
	assert.Equal(t, []Member{{PartitionKey: "key", Data: []byte("data")}}, members)
	assert.Equal(t, members, DeaggregateRecord(&types.Record{Data: data}))

	members, err = Deaggregate(framed(bytesField(1, "key"), bytesField(2, "-5"), good,
		record(varintField(1, 0), varintField(2, 0), bytesField(3, "x"))))
	require.ErrorIs(t, err, ErrMembersLost)
	require.ErrorContains(t, err, "member 1: hash key of no shard: explicit hash key 0 is not from 0 to 2^128-1")
	assert.Empty(t, members)
	assert.NotNil(t, members)
}

// allocated is how many bytes f allocates.
func allocated(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

func TestDeaggregateMemory(t *testing.T) {
	const size = 1 << 20
	filled := func(field []byte) []byte { return []byte(strings.Repeat(string(field), size/len(field))) }
	for name, test := range map[string]struct {
		data  []byte
		times int // bytes allocated for each byte of data, besides the members
	}{
		"empty partition keys":          {framed(filled(bytesField(1, ""))), 2},
		"empty explicit hash keys":      {framed(filled(bytesField(2, ""))), 2},
		"short partition keys":          {framed(filled(bytesField(1, "k"))), 2},
		"short explicit hash keys":      {framed(filled(bytesField(2, "1"))), 2},
		"a long explicit hash key":      {framed(bytesField(2, strings.Repeat("0", size))), 2},
		"a long key":                    {framed(bytesField(1, strings.Repeat("k", size))), 2},
		"a long key that is no UTF-8":   {framed(bytesField(1, strings.Repeat("\xff", size))), 3},
		"short keys that are no UTF-8":  {framed(filled(bytesField(1, "\xff"))), 3},
		"empty members":                 {framed(bytesField(1, ""), filled(record(varintField(1, 0), bytesField(3, "")))), 2},
		"members without a key":         {framed(filled(record(varintField(1, 0), bytesField(3, "")))), 2},
		"unknown fields":                {framed(filled(varintField(9, 1))), 2},
		"groups inside of each other":   {framed(filled([]byte{9<<3 | 3})), 2},
		"members that claim 2 GiB each": {framed(filled([]byte{3<<3 | 2, 0xff, 0xff, 0xff, 0xff, 0x07})), 2},
	} {
		t.Run(name, func(t *testing.T) {
			var members []Member
			got := allocated(func() { members, _ = Deaggregate(test.data) })
			const slack = 64 << 10 // size classes, and what other goroutines allocate meanwhile
			assert.LessOrEqual(t, got, test.times*len(test.data)+56*cap(members)+slack)
		})
	}
}

// A megabyte can have 80,000 members that share a key of half a megabyte. To hash the key for each of them takes a minute.
func TestInHashKeyRangeHashesLongKeysOnce(t *testing.T) {
	const size = 1 << 19
	first, second := strings.Repeat("k", size), strings.Repeat("0", size)
	pair := string(joined(record(varintField(1, 0), bytesField(3, "")),
		record(varintField(1, 0), varintField(2, 0), bytesField(3, ""))))
	members, err := Deaggregate(framed(bytesField(1, first), bytesField(2, second), []byte(strings.Repeat(pair, size/len(pair)))))
	require.NoError(t, err)
	require.Greater(t, len(members), 60_000)
	began := time.Now()
	inside, err := InHashKeyRange(members, types.HashKeyRange{
		StartingHashKey: aws.String("0"), EndingHashKey: aws.String(maxDecimalHashKey),
	})
	require.NoError(t, err)
	assert.True(t, inside)
	assert.Less(t, time.Since(began), 2*md5Time(first)*time.Duration(len(members))/100, "a hundredth of hashing each time")
}

// md5Time is how long the MD5 of a text takes.
func md5Time(text string) time.Duration {
	const runs = 20
	began := time.Now()
	for range runs {
		_ = md5.Sum([]byte(text))
	}
	return time.Since(began) / runs
}
