// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/kclread"
)

// Aggregated records that another encoder wrote.
const (
	// pk1 "hello", pk2 "world", pk1 "!"
	goldenKeys = "f3899ac20a03706b310a03706b321a0908001a0568656c6c6f1a0908011a05776f726c641a0508001a0121" +
		"13441f9267225980303271d133978ab4"
	// pk1 with the explicit hash key 123 "hello", pk2 "world"
	goldenHash = "f3899ac20a03706b310a03706b3212033132331a0b080010001a0568656c6c6f1a0908011a05776f726c64" +
		"bfe39842a848ecd7039a1be9b6494885"
)

func fromHex(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	require.NoError(t, err)
	return raw
}

func hashRange(start, end string) types.HashKeyRange {
	return types.HashKeyRange{StartingHashKey: aws.String(start), EndingHashKey: aws.String(end)}
}

// frame puts a message into the frame of an aggregated record.
func frame(message []byte) []byte {
	sum := md5.Sum(message)
	return append(append([]byte(kclread.Magic), message...), sum[:]...)
}

// appendMember appends a Record to an AggregatedRecord.
func appendMember(message []byte, partitionKey, explicitHashKey int, data string) []byte {
	m := protowire.AppendTag(nil, 1, protowire.VarintType)
	m = protowire.AppendVarint(m, uint64(partitionKey))
	if explicitHashKey >= 0 {
		m = protowire.AppendTag(m, 2, protowire.VarintType)
		m = protowire.AppendVarint(m, uint64(explicitHashKey))
	}
	m = protowire.AppendTag(m, 3, protowire.BytesType)
	m = protowire.AppendString(m, data)
	return protowire.AppendBytes(protowire.AppendTag(message, 3, protowire.BytesType), m)
}

func appendString(message []byte, field protowire.Number, value string) []byte {
	return protowire.AppendString(protowire.AppendTag(message, field, protowire.BytesType), value)
}

func TestDeaggregate(t *testing.T) {
	const (
		pk1  = "329398341438914906102347661116985167824"
		pk2  = "122875064651314509700510597659732835739"
		last = "340282366920938463463374607431768211455"
	)
	keys, hashes := fromHex(t, goldenKeys), fromHex(t, goldenHash)
	hello := UserRecord{PartitionKey: "pk1", Data: []byte("hello"), Aggregated: true}
	hashedHello := UserRecord{PartitionKey: "pk1", ExplicitHashKey: "123", Data: []byte("hello"), Aggregated: true}
	world := UserRecord{PartitionKey: "pk2", Data: []byte("world"), Aggregated: true}
	mark := UserRecord{PartitionKey: "pk1", Data: []byte("!"), Aggregated: true}
	tests := []struct {
		name  string
		data  []byte
		shard types.HashKeyRange
		want  []UserRecord // nil: dropped
	}{
		{"all", keys, hashRange("0", last), []UserRecord{hello, world, mark}},
		{"the range is inclusive", keys, hashRange(pk2, pk1), []UserRecord{hello, world, mark}},
		{"the last member is too low", keys, hashRange("122875064651314509700510597659732835740", pk1), nil},
		{"the first member is too high", keys, hashRange(pk2, "329398341438914906102347661116985167823"), nil},
		{"an explicit hash key counts", hashes, hashRange("123", pk2), []UserRecord{hashedHello, world}},
		{"it alone counts", hashes, hashRange("124", last), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records, err := Deaggregate("a", tt.data, tt.shard)
			if tt.want == nil {
				require.ErrorIs(t, err, ErrDropped)
				assert.Empty(t, records)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, records)
		})
	}
	_, err := Deaggregate("a", keys, types.HashKeyRange{})
	require.Error(t, err)
	require.NotErrorIs(t, err, ErrDropped)
}

func TestDeaggregatePlain(t *testing.T) {
	golden := fromHex(t, goldenKeys)
	changed := append([]byte{}, golden...)
	changed[10] ^= 1
	noKey := protowire.AppendBytes(protowire.AppendTag(nil, 3, protowire.BytesType), appendString(nil, 3, "data"))
	noData := protowire.AppendBytes(protowire.AppendTag(nil, 3, protowire.BytesType), []byte{8, 0})
	tests := map[string][]byte{
		"empty":                        {},
		"text":                         []byte("hello"),
		"shorter than the magic":       golden[:3],
		"magic alone":                  golden[:4],
		"no message":                   frame(nil),
		"another digest":               changed,
		"cut":                          golden[:len(golden)-1],
		"not protobuf":                 frame([]byte{0xff}),
		"member not protobuf":          frame([]byte{0x1a, 1, 0xff}),
		"member without its key index": frame(noKey),
		"member without its data":      frame(noData),
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			records, err := Deaggregate("pk", data, hashRange("0", "0"))
			require.NoError(t, err)
			assert.Equal(t, []UserRecord{{PartitionKey: "pk", Data: data}}, records)
		})
	}
}

func TestDeaggregateOddMessages(t *testing.T) {
	everything := hashRange("0", maxHashKey.String())
	one := slices.Clip(appendString(nil, 1, "pk1"))
	hashed := slices.Clip(appendString(one, 2, "x"))

	records, err := Deaggregate("a", frame(one), everything)
	require.NoError(t, err)
	assert.Empty(t, records, "an aggregated record may have no member")

	unknown := protowire.AppendFixed32(protowire.AppendTag(one, 9, protowire.Fixed32Type), 7)
	unknown = protowire.AppendVarint(protowire.AppendTag(unknown, 1, protowire.VarintType), 7)
	records, err = Deaggregate("a", frame(appendMember(unknown, 0, -1, "")), everything)
	require.NoError(t, err, "unknown fields are passed over")
	assert.Equal(t, []UserRecord{{PartitionKey: "pk1", Data: []byte{}, Aggregated: true}}, records)

	for name, message := range map[string][]byte{
		"no such partition key":     appendMember(one, 1, -1, "x"),
		"no such explicit hash key": appendMember(one, 0, 0, "x"),
		"no explicit hash key":      appendMember(hashed, 0, 0, "x"),
	} {
		_, err = Deaggregate("a", frame(message), everything)
		require.ErrorIs(t, err, ErrDropped, name)
	}
}

// The files have Kinesis records, and what KCL makes of them.
func TestDeaggregateAgreesWithKCL(t *testing.T) {
	type member struct {
		PartitionKey    string `json:"pk"`
		ExplicitHashKey string `json:"ehk"`
		Data            []byte `json:"data"`
		Aggregated      bool   `json:"agg"`
	}
	for _, name := range []string{"kcl-3.5.1-odd.jsonl", "kcl-3.5.1-random.jsonl", "kpl-1.1.1.jsonl"} {
		text, err := os.ReadFile("../testdata/deaggregate/" + name)
		require.NoError(t, err)
		for lines := json.NewDecoder(bytes.NewReader(text)); lines.More(); {
			var c struct {
				Name         string   `json:"name"`
				PartitionKey string   `json:"partition_key"`
				Data         []byte   `json:"data"`
				FirstHashKey string   `json:"first_hash_key"`
				LastHashKey  string   `json:"last_hash_key"`
				KCL          []member `json:"kcl"`
			}
			require.NoError(t, lines.Decode(&c))
			t.Run(name+"/"+c.Name, func(t *testing.T) {
				records, err := Deaggregate(c.PartitionKey, c.Data, hashRange(c.FirstHashKey, c.LastHashKey))
				if len(c.KCL) > 0 {
					require.NoError(t, err)
				}
				got := []member{}
				for _, r := range records {
					got = append(got, member{r.PartitionKey, r.ExplicitHashKey, r.Data, r.Aggregated})
				}
				assert.Equal(t, c.KCL, got)
			})
		}
	}
}

func TestUserRecords(t *testing.T) {
	k := New(Config{}, Stream{Name: events, Shards: 2}) // pk1 belongs to the second, pk2 to the first
	aggregate := slices.Clip(appendString(appendString(nil, 1, "pk1"), 1, "pk2"))
	same := frame(appendMember(appendMember(aggregate, 0, -1, "one"), 0, -1, "two"))
	mixed := frame(appendMember(appendMember(aggregate, 0, -1, "three"), 1, -1, "four"))
	hash := hashOf("pk1").String()
	_, err := k.PutRecords(t.Context(), putInput(
		entry("a", hash, string(same)), entry("pk2", "9", "plain"), entry("a", hash, string(mixed))))
	require.NoError(t, err)

	stored := k.Records(events)
	first, second := "shardId-000000000000", "shardId-000000000001"
	assert.Equal(t, []UserRecord{
		{"pk1", "", []byte("one"), second, stored[0].SequenceNumber, true},
		{"pk1", "", []byte("two"), second, stored[0].SequenceNumber, true},
		{"pk2", "9", []byte("plain"), first, stored[1].SequenceNumber, false},
	}, k.UserRecords(events))
	assert.Equal(t, stored[2:], k.DroppedAggregates(events))
	assert.Empty(t, k.UserRecords("other"))

	_, _, err = k.SplitShard(events, second, "")
	require.NoError(t, err)
	assert.Len(t, k.UserRecords(events), 3, "what a shard has it keeps, with the range it had")
}

// KCL checks the members of a record only if it knows the shard.
func TestUserRecordsOldList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := New(Config{}, Stream{Name: events, Shards: 2})
		keys := slices.Clip(appendString(appendString(nil, 1, "pk1"), 1, "pk2"))
		mixed := string(frame(appendMember(appendMember(keys, 0, -1, "one"), 1, -1, "two")))
		lost := string(frame(appendMember(appendMember(keys, 0, -1, "three"), 2, -1, "four")))
		put := func() {
			_, err := k.PutRecords(t.Context(), putInput(entry("pk1", "", mixed), entry("pk1", "", lost)))
			require.NoError(t, err)
		}
		put()
		before := time.Now()
		<-time.NewTimer(time.Second).C
		_, _, err := k.SplitShard(events, "shardId-000000000001", "")
		require.NoError(t, err)
		put()

		data := func(records []UserRecord) (all []string) {
			for _, r := range records {
				all = append(all, string(r.Data))
			}
			return all
		}
		assert.Equal(t, []string{"three", "three"}, data(k.UserRecords(events)))
		assert.Equal(t, data(k.UserRecords(events)), data(k.UserRecordsOldList(events, time.Now())))
		assert.Equal(t, []string{"three", "one", "two", "three"}, data(k.UserRecordsOldList(events, before)))
		assert.Equal(t, []string{"one", "two", "three", "one", "two", "three"}, data(k.UserRecordsOldList(events, time.Time{})))
		assert.Len(t, k.DroppedAggregates(events), 4, "members are lost in all of them")
	})
}

func FuzzDeaggregate(f *testing.F) {
	for _, text := range []string{goldenKeys, goldenHash, "", "f3899ac2"} {
		raw, err := hex.DecodeString(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw[min(4, len(raw)):max(min(4, len(raw)), len(raw)-16)], "0", maxHashKey.String())
	}
	f.Fuzz(func(t *testing.T, message []byte, start, end string) {
		records, err := Deaggregate("pk", frame(message), hashRange(start, end))
		if err != nil {
			require.Empty(t, records)
			return
		}
		first, _, _ := parseHashKey(start)
		last, _, _ := parseHashKey(end)
		for _, record := range records {
			if !record.Aggregated {
				require.Equal(t, []UserRecord{{PartitionKey: "pk", Data: frame(message)}}, records)
				return
			}
			key := hashOf(record.PartitionKey)
			if record.ExplicitHashKey != "" {
				high, low, err := kclread.HashKey(record.ExplicitHashKey)
				require.NoError(t, err)
				key = hashKey{high, low}
			}
			require.GreaterOrEqual(t, key.compare(first), 0)
			require.LessOrEqual(t, key.compare(last), 0)
			require.Contains(t, string(message), string(record.Data))
		}
	})
}
