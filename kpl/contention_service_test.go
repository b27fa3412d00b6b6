// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"strconv"
	"time"
)

// contendedShard is a shard as the service sees it.
type contendedShard struct {
	id             ShardID
	records, bytes meter
}

func (c *contention) addShard() {
	number := len(c.service)
	c.service = append(c.service, contendedShard{
		id:      ShardID(strconv.Itoa(number)),
		records: meter{perSecond: shardRecordsPerSecond},
		bytes:   meter{perSecond: shardBytesPerSecond},
	})
	if c.foreign > 0 && number < c.shards && number%2 == 0 {
		c.schedule(c.now, func() { c.writeForeign(number, c.foreign, false) })
	}
	if c.greedy > 0 {
		c.schedule(c.now, func() { c.writeForeign(number, c.greedy, true) })
	}
}

// writeForeign lets another writer put a record, and come back.
func (c *contention) writeForeign(shard int, part float64, throttled bool) {
	size := foreignRecord
	if throttled {
		size = c.recordSize
	}
	if s := &c.service[shard]; !throttled || s.has(size, c.now) {
		s.records.take(1, c.now)
		s.bytes.take(size, c.now)
	}
	pause := float64(time.Second) / part * max(float64(size)/shardBytesPerSecond, 1.0/shardRecordsPerSecond)
	c.schedule(c.now.Add(time.Duration(pause*(0.5+c.dice.Float64()))), func() { c.writeForeign(shard, part, throttled) })
}

// perSecond is how many records a shard takes.
func (c *contention) perSecond() float64 {
	return min(shardRecordsPerSecond, shardBytesPerSecond/float64(c.recordSize))
}

// serve puts a record to its shard's test, as the service does. It arrives when it is sent: everything is under way for the
// same time.
func (c *contention) serve(k *kinesisRecord) bool {
	s, stored := &c.service[shardOf(k)], true
	switch {
	case c.stormAt > 0 && !c.now.Before(at(c.stormAt)) && c.now.Before(at(c.stormAt+stormTime)):
		stored = false
	case c.random > 0 && c.dice.Float64() < c.random, !s.has(k.size(), c.now):
		stored = false
	default:
		s.records.take(1, c.now)
		s.bytes.take(k.size(), c.now)
	}
	c.tally.attempt(c.now, stored)
	return stored
}

func (s *contendedShard) has(size int, now time.Time) bool {
	return !s.records.readyAt(1).After(now) && !s.bytes.readyAt(size).After(now)
}

// successor is the shard itself, or one of its children.
func (c *contention) successor(shard int) int {
	if shard >= c.shards || len(c.service) == c.shards {
		return shard
	}
	return c.shards + 2*shard + c.dice.IntN(2)
}

// split gives each shard two children, and what waits goes to them.
func (c *contention) split() {
	for range 2 * c.shards {
		c.addShard()
	}
	for _, m := range c.members {
		for shard := range c.shards {
			for child := range 2 {
				m.limiter.childLane(c.service[c.shards+2*shard+child].id, m.limiter.lane(c.service[shard].id))
			}
		}
		for _, k := range m.limiter.takeAll() {
			from := shardOf(k)
			to := c.successor(from)
			m.has[from]--
			m.has[to]++
			k.lane = m.limiter.lane(c.service[to].id)
			m.limiter.push(k)
		}
		c.wakeAt(m, c.now)
	}
}
