// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/md5x8"
)

// aggregate packs records as an aggregator does if all of them belong to one shard.
func aggregate(t *testing.T, maxSize int, records ...UserRecord) []*kinesisRecord {
	t.Helper()
	return aggregateAs(t, AggregationKPL, maxSize, records...)
}

// aggregateAs packs records in a format.
func aggregateAs(t *testing.T, format AggregationFormat, maxSize int, records ...UserRecord) []*kinesisRecord {
	t.Helper()
	config := Config{AggregationFormat: format, AggregationMaxSize: maxSize}.WithDefaults()
	a := newAggregator(&config, new(memberPool))
	a.setShards(newShardMap([]shard{{"shardId-000000000000", hashRange{minHashKey, maxHashKey}}}, nil, time.Time{}), false)
	var closed []closedRecord
	for i := range records {
		records[i].Stream = testStream
		r, err := newUserRecord(&records[i], config.MaxRecordSize)
		require.NoError(t, err)
		list := []userRecord{r}
		hashKeys(list)
		closed = a.add(closed, &list[0])
	}
	closed = a.closeAll(closed, FlushRequest)
	list := make([]*kinesisRecord, len(closed))
	for i, k := range closed {
		if list[i] = k.kinesisRecord; k.keyless {
			k.setKey("abcdefghijklmnop", hashOf("abcdefghijklmnop"))
		}
	}
	return list
}

// aggregated returns the data of k in a request.
func aggregated(k *kinesisRecord) []byte {
	data, message := appendAggregated(nil, k)
	sum := md5x8.Sum(message)
	copy(data[len(data)-len(sum):], sum[:])
	return data
}

// The vectors come from an encoder that is not ours.
func TestBytesOfTheKPLFormat(t *testing.T) {
	cases := map[string]struct {
		records []UserRecord
		data    string // hex
		key     string
		hash    string
	}{
		"shared partition keys": {
			[]UserRecord{
				{PartitionKey: "pk1", Data: []byte("hello")},
				{PartitionKey: "pk2", Data: []byte("world")},
				{PartitionKey: "pk1", Data: []byte("!")},
			},
			"f3899ac20a03706b310a03706b321a0908001a0568656c6c6f1a0908011a05776f726c641a0508001a0121" +
				"13441f9267225980303271d133978ab4",
			"a", "329398341438914906102347661116985167824",
		},
		"explicit hash key": {
			[]UserRecord{
				{PartitionKey: "pk1", ExplicitHashKey: "0123", Data: []byte("hello")},
				{PartitionKey: "pk2", Data: []byte("world")},
			},
			"f3899ac20a03706b310a03706b3212033132331a0b080010001a0568656c6c6f1a0908011a05776f726c64" +
				"bfe39842a848ecd7039a1be9b6494885",
			"a", "123",
		},
		"a single partition key": {
			[]UserRecord{
				{PartitionKey: "pk1", Data: []byte("hello")},
				{PartitionKey: "pk1", Data: []byte("!")},
			},
			framedHex(bytesField(1, "pk1"), record(varintField(1, 0), bytesField(3, "hello")),
				record(varintField(1, 0), bytesField(3, "!"))),
			"pk1", "329398341438914906102347661116985167824",
		},
		"a lone record": {
			[]UserRecord{{PartitionKey: "pk1", Data: []byte("hello")}},
			hex.EncodeToString([]byte("hello")),
			"pk1", "329398341438914906102347661116985167824",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			list := aggregate(t, 51_200, c.records...)
			require.Len(t, list, 1)
			k := list[0]
			data := k.members[0].data
			if k.framed() {
				data = aggregated(k)
			}
			assert.Equal(t, c.data, hex.EncodeToString(data))
			assert.Equal(t, c.key, k.partitionKey)
			assert.Equal(t, c.hash, k.hash.String())
			assert.Len(t, data, k.dataSize())
		})
	}
}

func framedHex(fields ...[]byte) string { return hex.EncodeToString(framed(fields...)) }

// The outer key counts against the size of the record, however long it is.
func TestSharedKeyIsOutside(t *testing.T) {
	for _, length := range []int{1, 2, 16, 127, 128, MaxPartitionKeyLength} {
		key := strings.Repeat("k", length)
		var shared []UserRecord
		for range 200 {
			shared = append(shared, UserRecord{PartitionKey: key, Data: []byte("some data")})
		}
		for limit := 1000; limit < 1030; limit++ {
			list := aggregate(t, limit, slices.Clone(shared)...)
			for i, k := range list {
				require.Equal(t, key, k.partitionKey)
				require.LessOrEqual(t, k.size(), limit)
				if i < len(list)-1 {
					require.Greater(t, k.size()+fieldSize(memberBodySize(k.member(0))), limit, "one more does not fit")
				}
			}
			other := UserRecord{PartitionKey: "other", Data: []byte("some data")}
			for _, k := range aggregate(t, limit, append(slices.Clone(shared[:5]), other)...) {
				require.Equal(t, outerPartitionKey, k.partitionKey)
				require.Len(t, k.members, 6)
			}
		}
	}
}

// Members that were part of a larger record may leave no room for a long key outside.
func TestSharedKeyThatDoesNotFitStaysInside(t *testing.T) {
	long := strings.Repeat("k", MaxPartitionKeyLength)
	records := []UserRecord{
		{PartitionKey: "x", Data: []byte("1")},
		{PartitionKey: long, Data: bytes.Repeat([]byte("y"), 300)},
		{PartitionKey: long, Data: bytes.Repeat([]byte("y"), 300)},
	}
	list := aggregate(t, 1000, records...)
	require.Len(t, list, 1)
	config := Config{}.WithDefaults()
	for limit, want := range map[int]string{1000: outerPartitionKey, 1200: long} {
		config.AggregationMaxSize = limit
		k := newAggregator(&config, new(memberPool)).pack(list[0].members[1:])
		assert.Equal(t, want, k.partitionKey)
		assert.LessOrEqual(t, k.size(), limit)
	}
}

// Lambda makes its batches for each outer key. A reader sees the same members, whichever key is outside.
func TestReadersOfRecordsWithTheSharedKeyOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKinesis(1)
		p := startProducer(t, k, nil)
		warmUp(t, p, k)
		for i := range 300 {
			key := "key"
			if i >= 100 {
				key = fmt.Sprint("key", i%3)
			}
			require.NoError(t, p.Put(t.Context(), numbered(key, i), nil))
			if i%100 == 99 {
				require.NoError(t, p.FlushWait(t.Context()))
			}
		}
		inside := map[string]map[string]bool{} // the members' keys by sequence number
		for _, r := range k.UserRecords(testStream) {
			if inside[r.SequenceNumber] == nil {
				inside[r.SequenceNumber] = map[string]bool{}
			}
			inside[r.SequenceNumber][r.PartitionKey] = true
		}
		counts := map[bool]int{}
		for _, r := range k.Records(testStream) {
			keys := inside[r.SequenceNumber]
			require.NotEmpty(t, keys)
			counts[len(keys) == 1]++
			if len(keys) == 1 {
				assert.True(t, keys[r.PartitionKey], r.PartitionKey)
			} else {
				assert.Equal(t, outerPartitionKey, r.PartitionKey)
			}
		}
		assert.NotZero(t, counts[true])
		assert.NotZero(t, counts[false])
		assert.Len(t, readable(t, k), 301)
		assert.Empty(t, k.DroppedAggregates(testStream))
	})
}

// Sizes are exact and never over the limit. Decoding returns the records that were encoded, in their order.
func TestAggregatesAreExactlyAsLargeAsPredicted(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		limit := 64 + random.IntN(20_000)
		var records []UserRecord
		for range 1 + random.IntN(400) {
			r := UserRecord{
				PartitionKey: strings.Repeat("k", random.IntN(200)) + strconv.Itoa(random.IntN(1+random.IntN(300))),
				Data:         bytes.Repeat([]byte{byte(random.Uint32())}, random.IntN(1+random.IntN(600))),
			}
			switch random.IntN(8) {
			case 0:
				r.ExplicitHashKey = strconv.Itoa(random.IntN(5))
			case 1:
				r.PartitionKey = ""
			}
			records = append(records, r)
		}
		members := 0
		for _, k := range aggregate(t, limit, records...) {
			members += len(k.members)
			if !k.framed() {
				continue
			}
			data := aggregated(k)
			require.Len(t, data, k.dataSize(), "seed %d", seed)
			require.LessOrEqual(t, k.size(), limit, "seed %d", seed)
			decoded, err := Deaggregate(data)
			require.NoError(t, err)
			require.Len(t, decoded, len(k.members))
			for i, r := range k.members {
				want := r.partitionKey
				if r.keyless {
					want = k.partitionKey
				}
				require.Equal(t, want, decoded[i].PartitionKey)
				if r.explicit() {
					require.Equal(t, r.hash.String(), decoded[i].ExplicitHashKey)
				} else {
					require.Empty(t, decoded[i].ExplicitHashKey)
				}
				require.True(t, bytes.Equal(r.data, decoded[i].Data))
			}
		}
		require.Equal(t, len(records), members, "seed %d", seed)
	}
}

func FuzzHashKey(f *testing.F) {
	for _, s := range []string{
		"", "0", "00", "123", "-1", "+1", " 1", "1e3", "18446744073709551615", "18446744073709551616",
		"10000000000000000000", "100000000000000000000000000000000000000",
		"340282366920938463463374607431768211455", "340282366920938463463374607431768211456", strings.Repeat("9", 50),
	} {
		f.Add(s)
	}
	limit := new(big.Int).Lsh(big.NewInt(1), 128)
	f.Fuzz(func(t *testing.T, s string) {
		want, valid := new(big.Int), s != "" && strings.Trim(s, "0123456789") == ""
		if valid {
			want.SetString(s, 10)
			valid = want.Cmp(limit) < 0
		}
		got, err := parseHashKey(s)
		if !valid {
			require.ErrorIs(t, err, errHashKey)
			return
		}
		require.NoError(t, err)
		require.Equal(t, want.String(), got.String())
	})
}

func TestHashOfPartitionKey(t *testing.T) {
	assert.Equal(t, "329398341438914906102347661116985167824", hashOf("pk1").String())
	long := strings.Repeat("é", MaxPartitionKeyLength)
	assert.NotEqual(t, hashOf(long), hashOf(long[:len(long)-2]))
}
