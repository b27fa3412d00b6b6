// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"errors"
	"time"
)

// listingTrust notices that ListShards and PutRecords name different shards, as a proxy or an emulator may do. Without
// that, each aggregate would count as misplaced and be sent again until it expires.
type listingTrust struct {
	// stranger is when the last record was stored on a shard that the listing lacks, and on which; zero if there is none.
	stranger Attempt
	// contradictions counts the later listings in a row that lacked such a shard too.
	contradictions int
	// lost is when the trust was lost, or when the listing was last tried again; zero if the listing is trusted.
	lost time.Time
}

const (
	// maxContradictions is how often in a row a listing may lack a shard on which a record was stored before. Once or twice can
	// happen: a shard that was opened and closed between two listings.
	maxContradictions = 3
	// distrustTime is how long a listing that is not trusted is left alone before it is tried again.
	distrustTime = time.Minute
)

// errListingNotTrusted is reported once when the listing is not trusted any more.
var errListingNotTrusted = errors.New("kpl: ListShards names other shards than PutRecords does, so its answers are not used")

// stored takes in that a record was stored on a shard, and what the listing knows of that shard.
func (l *listingTrust) stored(a *Attempt, known, open bool) {
	switch {
	case !known:
		l.stranger = *a
	case open:
		l.contradictions = 0
	}
}

// check reports whether a new listing is trusted. The shards in answered have stored records since the trust was lost.
func (l *listingTrust) check(shards *shardMap, answered map[ShardID]struct{}) bool {
	if !l.lost.IsZero() {
		for id := range answered {
			if s, ok := shards.byID[id]; ok && s.open {
				*l = listingTrust{}
				return true
			}
		}
		return false
	}
	if l.stranger.ShardID == "" || !shards.listed.After(l.stranger.End) {
		return true
	}
	_, ok := shards.byID[l.stranger.ShardID]
	l.stranger = Attempt{}
	if ok {
		l.contradictions = 0
		return true
	}
	l.contradictions++
	if l.contradictions < maxContradictions {
		return true
	}
	l.lost = shards.listed
	return false
}

// retry reports whether it is time to try a listing again that is not trusted.
func (l *listingTrust) retry(now time.Time) bool {
	if l.lost.IsZero() || now.Sub(l.lost) < distrustTime {
		return false
	}
	l.lost = now
	return true
}
