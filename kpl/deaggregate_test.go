// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The golden vectors come from an encoder that is not this project's.
const (
	goldenSharedKeys = "f3899ac20a03706b310a03706b321a0908001a0568656c6c6f1a0908011a05776f726c64" +
		"1a0508001a012113441f9267225980303271d133978ab4"
	goldenExplicitHashKey = "f3899ac20a03706b310a03706b3212033132331a0b080010001a0568656c6c6f" +
		"1a0908011a05776f726c64bfe39842a848ecd7039a1be9b6494885"
)

const maxDecimalHashKey = "340282366920938463463374607431768211455"

// Fields of the format, written out by hand so that the tests share nothing with the code they test.

func varintField(number byte, value uint64) []byte {
	return binary.AppendUvarint([]byte{number << 3}, value)
}

func bytesField[T string | []byte](number byte, value T) []byte {
	field := binary.AppendUvarint([]byte{number<<3 | 2}, uint64(len(value)))
	return append(field, value...)
}

func joined(fields ...[]byte) []byte {
	var all []byte
	for _, f := range fields {
		all = append(all, f...)
	}
	return all
}

// framed puts a message, well formed or not, into the frame of an aggregated record.
func framed(fields ...[]byte) []byte {
	message := joined(fields...)
	sum := md5.Sum(message)
	return joined([]byte{0xf3, 0x89, 0x9a, 0xc2}, message, sum[:])
}

// record is a Record message as a field of an AggregatedRecord.
func record(fields ...[]byte) []byte { return bytesField(3, joined(fields...)) }

// encodeMembers is the simplest encoder there can be: it never shares a table entry.
func encodeMembers(members []Member) []byte {
	var keys, hashKeys, records []byte
	hashKeyCount := uint64(0)
	for i, m := range members {
		keys = append(keys, bytesField(1, m.PartitionKey)...)
		fields := varintField(1, uint64(i))
		if m.ExplicitHashKey != "" {
			hashKeys = append(hashKeys, bytesField(2, m.ExplicitHashKey)...)
			fields = append(fields, varintField(2, hashKeyCount)...)
			hashKeyCount++
		}
		records = append(records, record(fields, bytesField(3, m.Data))...)
	}
	return framed(keys, hashKeys, records)
}

func TestDeaggregate(t *testing.T) {
	golden := func(vector string) []byte {
		data, err := hex.DecodeString(vector)
		require.NoError(t, err)
		return data
	}
	key := bytesField(1, "key")
	one := record(varintField(1, 0), bytesField(3, "data"))
	onlyMember := []Member{{PartitionKey: "key", Data: []byte("data")}}

	for name, test := range map[string]struct {
		data []byte
		want []Member
	}{
		"golden, shared partition keys": {golden(goldenSharedKeys), []Member{
			{PartitionKey: "pk1", Data: []byte("hello")},
			{PartitionKey: "pk2", Data: []byte("world")},
			{PartitionKey: "pk1", Data: []byte("!")},
		}},
		"golden, explicit hash key on one of two": {golden(goldenExplicitHashKey), []Member{
			{PartitionKey: "pk1", ExplicitHashKey: "123", Data: []byte("hello")},
			{PartitionKey: "pk2", Data: []byte("world")},
		}},
		"a single member":         {framed(key, one), onlyMember},
		"records before tables":   {framed(one, key), onlyMember},
		"tables without records":  {framed(key), []Member{}},
		"duplicate table entries": {framed(key, key, record(varintField(1, 1), bytesField(3, "data"))), onlyMember},
		"fields in reverse":       {framed(key, record(bytesField(3, "data"), varintField(1, 0))), onlyMember},
		"the last of a field wins": {
			framed(key, record(varintField(1, 0), bytesField(3, "x"), bytesField(3, "data"))), onlyMember,
		},
		"tags of a record are skipped": {
			framed(key, record(varintField(1, 0), bytesField(3, "data"), bytesField(4, bytesField(1, "tag")))), onlyMember,
		},
		"unknown fields are skipped": {
			framed(varintField(9, 1), key, bytesField(10, "x"), []byte{11<<3 | 1, 1, 2, 3, 4, 5, 6, 7, 8}, one,
				[]byte{12<<3 | 5, 1, 2, 3, 4}, []byte{13<<3 | 3, 8, 1, 13<<3 | 4}), onlyMember,
		},
		"a known number with another wire type is unknown": {
			framed(varintField(1, 7), key, varintField(3, 7), one), onlyMember,
		},
		"empty data and empty key": {
			framed(bytesField(1, ""), record(varintField(1, 0), bytesField(3, ""))), []Member{{Data: []byte{}}},
		},
		"largest explicit hash key, leading zeros": {
			framed(key, bytesField(2, "000"+maxDecimalHashKey),
				record(varintField(1, 0), varintField(2, 0), bytesField(3, "data"))),
			[]Member{{PartitionKey: "key", ExplicitHashKey: "000" + maxDecimalHashKey, Data: []byte("data")}},
		},
		"a key that is not UTF-8": {
			framed(bytesField(1, "\xffk\xe2\x82"), record(varintField(1, 0), bytesField(3, "data"))),
			[]Member{{PartitionKey: "\ufffdk\ufffd", Data: []byte("data")}},
		},
		"an explicit hash key that is no number, and is not used": {framed(key, bytesField(2, "x"), one), onlyMember},
	} {
		t.Run(name, func(t *testing.T) {
			members, err := Deaggregate(test.data)
			require.NoError(t, err)
			assert.Equal(t, test.want, members)
		})
	}
}

func TestDeaggregateTakesOtherDataForPlain(t *testing.T) {
	whole := framed(bytesField(1, "key"), record(varintField(1, 0), bytesField(3, "data")))
	changed := func(i int) []byte {
		data := append([]byte(nil), whole...)
		data[i] ^= 1
		return data
	}
	for name, data := range map[string][]byte{
		"nothing":                 nil,
		"text":                    []byte("a log line that is longer than the frame of the format"),
		"magic alone":             whole[:4],
		"magic and part of a sum": whole[:10],
		"empty message":           framed(),
		"first byte of the magic": changed(0),
		"last byte of the magic":  changed(3),
		"a byte of the message":   changed(6),
		"a byte of the checksum":  changed(len(whole) - 1),
		"cut by a byte":           whole[:len(whole)-1],
		"a byte more":             append(append([]byte(nil), whole...), 0),
		"the checksum left out":   whole[:len(whole)-16],
		"magic twice":             append([]byte{0xf3, 0x89, 0x9a, 0xc2}, whole...),
		"OTLP, no magic":          {0x0a, 0x02, 0x12, 0x00},
		"checksum of magic as well": func() []byte {
			message := whole[:len(whole)-16]
			sum := md5.Sum(message)
			return joined(message, sum[:])
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			members, err := Deaggregate(data)
			require.ErrorIs(t, err, ErrNotAggregated)
			require.NotErrorIs(t, err, ErrMalformedAggregate)
			assert.Empty(t, members)
		})
	}
}

func TestDeaggregateMalformed(t *testing.T) {
	key, data := bytesField(1, "key"), bytesField(3, "data")
	good := record(varintField(1, 0), data)
	const broken = "" // the protobuf package chooses the words of these errors
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"partition key index missing": {framed(key, record(data)), "member 0: no partition key index"},
		"data missing":                {framed(key, good, record(varintField(1, 0))), "member 1: no data"},
		"empty record":                {framed(key, record()), "member 0: no partition key index"},
		"index as bytes":              {framed(key, record(bytesField(1, "\x00"), data)), "member 0: no partition key index"},
		"data as varint":              {framed(key, record(varintField(1, 0), varintField(3, 1))), "member 0: no data"},
		"length past the end":         {framed(key, []byte{3<<3 | 2, 200}), broken},
		"length of 2^63":              {framed(key, binary.AppendUvarint([]byte{3<<3 | 2}, 1<<63)), broken},
		"record cut inside":           {framed(key, record(varintField(1, 0), []byte{3<<3 | 2, 5, 'd'})), "member 0: "},
		"varint without end":          {framed(key, record([]byte{1 << 3, 0x80})), "member 0: "},
		"varint over 64 bits": {
			framed(key, record([]byte{1 << 3}, []byte(strings.Repeat("\xff", 10)), []byte{1}, data)), "member 0: ",
		},
		"field number 0":            {framed(key, []byte{0x02, 0x00}), broken},
		"wire type 7":               {framed(key, []byte{1<<3 | 7}), broken},
		"group that nothing opened": {framed(key, good, []byte{1<<3 | 4}), broken},
		"group that nothing closes": {framed(key, good, []byte{9<<3 | 3}), broken},
		"groups without end":        {framed([]byte(strings.Repeat("\x4b", 20_000))), broken},
		"no protobuf at all":        {framed([]byte("a log line that somebody framed")), broken},
	} {
		t.Run(name, func(t *testing.T) {
			members, err := Deaggregate(test.data)
			require.ErrorIs(t, err, ErrMalformedAggregate)
			require.NotErrorIs(t, err, ErrNotAggregated)
			require.ErrorContains(t, err, test.want)
			assert.Empty(t, members)
		})
	}
}

func TestDeaggregateStopsAtMembersWithoutKeys(t *testing.T) {
	key, data := bytesField(1, "key"), bytesField(3, "data")
	good := record(varintField(1, 0), data)
	hashed := record(varintField(1, 0), varintField(2, 0), data)
	for name, test := range map[string]struct {
		data   []byte
		want   string
		before int // members
	}{
		"no table": {framed(good), "member 0: keys that cannot be read: index 0 of 0 partition keys", 0},
		"partition key index past its end": {
			framed(key, good, good, record(varintField(1, 1), data)),
			"member 2: keys that cannot be read: index 1 of 1 partition keys", 2,
		},
		"largest index": {
			framed(key, record(varintField(1, 1<<64-1), data)),
			"member 0: keys that cannot be read: index -1 of 1 partition keys", 0,
		},
		"explicit hash key index past its end": {
			framed(key, bytesField(2, "1"), good, record(varintField(1, 0), varintField(2, 1), data)),
			"member 1: keys that cannot be read: index 1 of 1 explicit hash keys", 1,
		},
		"explicit hash key empty": {
			framed(key, bytesField(2, ""), good, hashed), "member 1: keys that cannot be read: explicit hash key 0 is no number", 1,
		},
		"explicit hash key in hex": {
			framed(key, bytesField(2, "0x1"), good, hashed),
			"member 1: keys that cannot be read: explicit hash key 0 is no number", 1,
		},
		"explicit hash key too large": {
			framed(key, bytesField(2, "340282366920938463463374607431768211456"), good, hashed),
			"member 1: hash key of no shard: explicit hash key 0 is not from 0 to 2^128-1", 0,
		},
		"explicit hash key negative": {
			framed(key, bytesField(2, "-1"), good, hashed),
			"member 1: hash key of no shard: explicit hash key 0 is not from 0 to 2^128-1", 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			members, err := Deaggregate(test.data)
			require.ErrorIs(t, err, ErrMembersLost)
			require.NotErrorIs(t, err, ErrMalformedAggregate)
			require.ErrorContains(t, err, test.want)
			assert.Len(t, members, test.before)
			assert.NotNil(t, members)
		})
	}
}

// A reader gets user records from every kind of record. Streams with AUTO have records without a partition key.
func TestDeaggregateRecordCannotFail(t *testing.T) {
	members := []Member{{PartitionKey: "a", Data: []byte("1")}, {PartitionKey: "b", Data: []byte("2")}}
	malformed := framed(bytesField(1, "key"), record()) // a member without a key
	for name, tt := range map[string]struct {
		record types.Record
		want   []Member
	}{
		"aggregate":             {types.Record{PartitionKey: aws.String("a"), Data: encodeMembers(members)}, members},
		"aggregate without key": {types.Record{Data: encodeMembers(members)}, members},
		"plain": {
			types.Record{PartitionKey: aws.String("key"), Data: []byte("data")},
			[]Member{{PartitionKey: "key", Data: []byte("data")}},
		},
		"plain without key": {types.Record{Data: []byte("data")}, []Member{{Data: []byte("data")}}},
		"malformed": {
			types.Record{PartitionKey: aws.String("key"), Data: malformed}, []Member{{PartitionKey: "key", Data: malformed}},
		},
		"empty": {types.Record{}, []Member{{}}},
	} {
		assert.Equal(t, tt.want, DeaggregateRecord(&tt.record), name)
	}
}

func TestDeaggregateAliasesItsInput(t *testing.T) {
	data := encodeMembers([]Member{
		{PartitionKey: "k", Data: []byte("first")},
		{PartitionKey: "k", Data: []byte("second")},
	})
	members, err := Deaggregate(data)
	require.NoError(t, err)
	require.Len(t, members, 2)

	first := bytes.Index(data, []byte("first"))
	assert.Same(t, &data[first], &members[0].Data[0])

	_ = append(members[0].Data, "overflow"...)
	assert.Equal(t, "second", string(members[1].Data), "appending to one member must not reach the next")
}

func TestInHashKeyRange(t *testing.T) {
	// The hash key of pk2 is 122875064651314509700510597659732835739.
	pk1, pk2 := Member{PartitionKey: "pk1"}, Member{PartitionKey: "pk2"}
	explicit := Member{PartitionKey: "pk1", ExplicitHashKey: "7"}
	const hashOfPk1 = "329398341438914906102347661116985167824"

	for name, test := range map[string]struct {
		members     []Member
		first, last string
		want        bool
	}{
		"whole key space":             {[]Member{pk1, pk2, explicit}, "0", maxDecimalHashKey, true},
		"both ends belong to it":      {[]Member{pk1}, hashOfPk1, hashOfPk1, true},
		"one before the first":        {[]Member{pk1}, "329398341438914906102347661116985167825", maxDecimalHashKey, false},
		"one after the last":          {[]Member{pk1}, "0", "329398341438914906102347661116985167823", false},
		"the last member decides too": {[]Member{pk1, pk1, explicit}, hashOfPk1, hashOfPk1, false},
		"an explicit hash key wins":   {[]Member{explicit}, "7", "7", true},
		"no members":                  {nil, "5", "6", true},
	} {
		t.Run(name, func(t *testing.T) {
			keys := types.HashKeyRange{StartingHashKey: aws.String(test.first), EndingHashKey: aws.String(test.last)}
			inside, err := InHashKeyRange(test.members, keys)
			require.NoError(t, err)
			assert.Equal(t, test.want, inside)
		})
	}

	whole := types.HashKeyRange{StartingHashKey: aws.String("0"), EndingHashKey: aws.String(maxDecimalHashKey)}
	for name, test := range map[string]struct {
		members []Member
		keys    types.HashKeyRange
		want    string
	}{
		"no range":                    {nil, types.HashKeyRange{}, "starting hash key"},
		"half a range":                {nil, types.HashKeyRange{StartingHashKey: aws.String("0")}, "ending hash key"},
		"explicit hash key no number": {[]Member{pk1, {ExplicitHashKey: "x"}}, whole, "explicit hash key of member 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := InHashKeyRange(test.members, test.keys)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func FuzzDeaggregate(f *testing.F) {
	for _, vector := range []string{goldenSharedKeys, goldenExplicitHashKey} {
		data, err := hex.DecodeString(vector)
		require.NoError(f, err)
		f.Add(data, false)
		f.Add(data[4:len(data)-16], true)
	}
	f.Add([]byte("plain"), false)
	f.Add(joined(bytesField(1, "k"), record(varintField(1, 0), bytesField(3, "")), []byte{9<<3 | 3, 9<<3 | 4}), true)

	// The frame is put around most inputs here, because no fuzzer guesses a checksum.
	f.Fuzz(func(t *testing.T, data []byte, frame bool) {
		if frame {
			data = framed(data)
		}
		members, err := Deaggregate(data)
		if err != nil && !errors.Is(err, ErrMembersLost) {
			require.Nil(t, members)
			return
		}
		require.NotNil(t, members)
		for _, m := range members {
			require.LessOrEqual(t, len(m.Data), len(data))
		}
		again, err := Deaggregate(encodeMembers(members))
		if len(members) == 0 {
			require.ErrorIs(t, err, ErrNotAggregated, "a message without fields has no frame")
			return
		}
		require.NoError(t, err)
		require.Equal(t, members, again)
	})
}

func BenchmarkDeaggregate(b *testing.B) {
	members := make([]Member, 150)
	for i := range members {
		members[i] = Member{PartitionKey: strconv.Itoa(i), Data: make([]byte, 300)}
	}
	data := encodeMembers(members)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Deaggregate(data); err != nil {
			b.Fatal(err)
		}
	}
}
