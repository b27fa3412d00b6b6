// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package sink

import (
	"crypto/md5" //nolint:gosec // the service hashes partition keys so
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"
)

// shards divides the hash keys evenly. The upper 64 bits of a hash key are enough to find its shard.
type shards struct {
	ids  []string
	step uint64 // how many values of the upper 64 bits a shard has; the last shard may have a few less
	list string // as the API lists them
}

func newShards(count int) shards {
	s := shards{step: ^uint64(0)/uint64(count) + 1} //nolint:gosec // it is positive
	var list strings.Builder
	for i := range count {
		first, last := uint64(i)*s.step, uint64(i+1)*s.step-1
		if i == count-1 {
			last = ^uint64(0)
		}
		s.ids = append(s.ids, fmt.Sprintf("shardId-%012d", i))
		fmt.Fprintf(&list, `,{"ShardId":%q,"HashKeyRange":{"StartingHashKey":"%v","EndingHashKey":"%v"},`+
			`"SequenceNumberRange":{"StartingSequenceNumber":"4954698668313554428650745793632162567570019247115678%04d"}}`,
			s.ids[i], hashKey(first, 0), hashKey(last, ^uint64(0)), i)
	}
	s.list = "[" + list.String()[1:] + "]"
	return s
}

func hashKey(high, low uint64) *big.Int {
	key := new(big.Int).SetUint64(high)
	return key.Lsh(key, 64).Or(key, new(big.Int).SetUint64(low))
}

// of returns the id of the shard that a record goes to.
func (s *shards) of(e entry) (string, error) {
	if len(s.ids) == 1 {
		return s.ids[0], nil
	}
	var high uint64
	if len(e.explicitHashKey) > 0 {
		key, ok := new(big.Int).SetString(string(e.explicitHashKey), 10)
		if !ok || key.BitLen() > 128 {
			return "", errRequest
		}
		high = key.Rsh(key, 64).Uint64()
	} else {
		sum := md5.Sum(e.partitionKey) //nolint:gosec // see above
		high = binary.BigEndian.Uint64(sum[:])
	}
	return s.ids[high/s.step], nil
}
