// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

func TestHashKeyOf(t *testing.T) {
	for _, test := range []struct {
		value any
		want  string // empty if it is no hash key
	}{
		{"0", "0"},
		{"00", "0"},
		{"007", "7"},
		{maxHashKey, maxHashKey},
		{"000" + maxHashKey, maxHashKey},
		{"99999999999999999999999999999999999999", "99999999999999999999999999999999999999"},
		{"340282366920938463463374607431768211456", ""},
		{"1" + maxHashKey, ""},
		{"", ""},
		{" 1", ""},
		{"+1", ""},
		{"-1", ""},
		{"1.0", ""},
		{"0x10", ""},
		{"١", ""},
		{7, "7"},
		{-7, ""},
		{7.0, ""},
		{true, ""},
		{[]any{"1"}, ""},
		{nil, ""},
	} {
		v := pcommon.NewValueEmpty()
		require.NoError(t, v.FromRaw(test.value))
		got, ok := hashKeyOf(v)
		assert.Equal(t, test.want != "", ok, "%v", test.value)
		if ok {
			assert.Equal(t, test.want, got)
		}
	}
}

// A text is a hash key if it is a number in the range, and means that number.
func FuzzParseHashKey(f *testing.F) {
	for _, text := range hashKeyTexts {
		f.Add(text)
	}
	limit := new(big.Int).Lsh(big.NewInt(1), 128)
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseHashKey(text)
		number, isNumber := new(big.Int).SetString(text, 10)
		isNumber = isNumber && !strings.ContainsAny(text, "+-_") && number.Cmp(limit) < 0
		require.Equal(t, isNumber, ok)
		if ok {
			require.Equal(t, number.String(), got)
		}
	})
}

// The attribute of a record counts before that of its resource. What is no hash key counts as none, and is counted.
func TestExplicitHashKeyComesFromTheRecordOrItsResource(t *testing.T) {
	logs := plog.NewLogs()
	addLogs(logs, "one", "own", "of the resource", "invalid")
	addLogs(logs, "two", "none")
	addLogs(logs, "three", "invalid in the resource", "own")
	logs.ResourceLogs().At(0).Resource().Attributes().PutInt("place", 5)
	logs.ResourceLogs().At(2).Resource().Attributes().PutBool("place", true)
	record := func(resource, i int) plog.LogRecord {
		return logs.ResourceLogs().At(resource).ScopeLogs().At(0).LogRecords().At(i)
	}
	record(0, 0).Attributes().PutStr("place", "0"+maxHashKey)
	record(0, 2).Attributes().PutStr("place", "-3")
	record(2, 1).Attributes().PutStr("place", maxHashKey)
	for _, encoding := range bothEncodings {
		c := usual(encoding)
		c.Key = KeyConfig{ExplicitHashKeyAttribute: "place"}
		m := mustNew(t, c)
		encoded := logsData{logs}.marshal(t, m)
		assert.Equal(t, 2, encoded.InvalidHashKeys)
		require.Len(t, encoded.Messages, 3)
		for i, want := range []struct {
			hashKey string
			bodies  []string
		}{
			{maxHashKey, []string{"own", "own"}},
			{"5", []string{"of the resource"}},
			{"", []string{"invalid", "none", "invalid in the resource"}},
		} {
			message := &encoded.Messages[i]
			assert.Equal(t, want.hashKey, message.ExplicitHashKey)
			assert.Equal(t, want.hashKey, message.PartitionKey, "it is also the partition key")
			assert.Equal(t, want.bodies, bodies(t, m, encoded.Messages[i:i+1]))
		}

		c.Key.ResourceAttributes = []string{"service.name"}
		withKey := logsData{logs}.marshal(t, mustNew(t, c))
		require.Len(t, withKey.Messages, 6, "one for each resource and hash key")
		for _, message := range withKey.Messages {
			assert.Len(t, message.PartitionKey, digestKeySize)
		}
	}
}
