// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"cmp"
	"math"
	"os"
	"strings"
	"time"
)

// Limits of the service, as its API reference states them.
const (
	MaxRecordsPerRequest  = 500      // Kinesis records in a request, which is one PutRecords call
	MaxRequestSize        = 10 << 20 // bytes of data and partition keys in a request
	MaxServiceRecordSize  = 10 << 20 // bytes of data and partition key that a stream can be configured to take
	MaxPartitionKeyLength = 256      // Unicode characters

	shardRecordsPerSecond = 1000
	shardBytesPerSecond   = 1 << 20 // partition keys count
)

// MaxPlainSize is how many bytes a user record may have before [Config.Compress] compresses it, with its partition key.
const MaxPlainSize = 32 << 20

// PutUnit is the size in bytes of a PUT payload unit, in which the service bills: a record costs its size in units,
// rounded up.
const PutUnit = 25_600

// Config has the settings of a [Producer]. A field that is zero has its default, so the zero Config is ready for use; see
// [Config.WithDefaults].
type Config struct {
	// AggregationFormat is how user records for one shard share a Kinesis record. Limits and retries are the same with each
	// format. The empty format means [AggregationKPL].
	AggregationFormat AggregationFormat
	// AggregationMaxCount is the most user records in an aggregated record, at least 1. Zero means 1,048,576.
	AggregationMaxCount int
	// AggregationMaxSize is the most bytes of an aggregated record with its partition key, from 64 to MaxRecordSize.
	// A larger user record is sent by itself. Sizes just below a multiple of [PutUnit] cost least. Zero means two such units,
	// or MaxRecordSize if that is less. With Compress it is the size that records should have after compression. Then a record
	// may be larger, if its data compresses worse than the data before it.
	AggregationMaxSize int
	// Compress appends data, compressed as one complete frame, to dst, and returns the result. It is called for the data of each
	// Kinesis record, with one member or several, from several goroutines at a time, and must not keep either slice. Nil means
	// no compression. It is only allowed with [AggregationConcatenated]. If it appends nothing, the data is sent as it is.
	//
	// How well the records before were compressed tells how many user records fill a Kinesis record. It has up to 4 MiB before
	// compression, or AggregationMaxSize if that is more. A record that is too large after compression is taken apart. A single
	// user record is sent as it is if compression alone makes it too large. So readers have to look at the first bytes of a
	// record. Bounds in bytes, such as MaxOutstandingBytes, are about the data before compression.
	Compress func(dst, data []byte) []byte

	// CollectionMaxCount is the most Kinesis records in a request, from 1 to [MaxRecordsPerRequest]. Zero means that many.
	CollectionMaxCount int
	// CollectionMaxSize is the most bytes of data and partition keys in a request, from MaxRecordSize to
	// [MaxRequestSize]. Zero means 5 MiB, or MaxRecordSize if that is more.
	CollectionMaxSize int

	// MaxRecordSize is the most bytes of data and partition key in a Kinesis record, from 1 KiB to
	// [MaxServiceRecordSize]. Zero means 1 MiB. The service takes larger records only for a stream that allows them. With
	// Compress, a user record may have up to [MaxPlainSize] bytes. It is rejected if compression does not make it small enough.
	MaxRecordSize int

	// RecordMaxBufferedTime is how long a record may wait at most for others that share an aggregated record and a request
	// with it. Records go earlier if no request is in flight, nothing waits for a shard, nobody is putting a [Batch], and the price
	// is low: less than 12 [PutUnit]s a second are wasted by this, for each stream. Zero means 100 ms. With a negative
	// value, such as [NoBuffering], a record is sent at once if no request is in flight. If one is, records wait until it is
	// answered, but not longer than 50 ms. They do not wait for a request that was full.
	RecordMaxBufferedTime time.Duration
	// RecordTTL is how long after Put the producer gives up on a record. It must be more than RecordMaxBufferedTime. Zero
	// means 30 s.
	RecordTTL time.Duration
	// RequestTimeout bounds each call of the service. It must be positive. Zero means 6 s.
	RequestTimeout time.Duration

	// MaxConnections is the most requests in flight for one stream, from 1 to 10,000. Zero means 24.
	MaxConnections int
	// RateLimit is the share of a shard's 1,000 records/s and 1 MiB/s that this producer uses at most, in percent, from 1
	// to 1,000,000. Zero means 100. With more than 100 the producer is throttled, unless the service allows more than that.
	RateLimit int
	// FailIfThrottled ends a throttled record at once with [OutcomeThrottled]. By default the producer sends it again.
	FailIfThrottled bool
	// FailIfTooLarge ends a record at once, with [OutcomeUnavailable] and [CodeRequestTooLarge], if something in front of the
	// service does not let it through for its size. The caller may then cut it into smaller ones. By default the producer
	// sends it again. Records of up to 4 KiB are always sent again.
	FailIfTooLarge bool
	// FixedRate always uses all of RateLimit, whatever is throttled. By default the producer lowers its rate for some seconds when
	// a shard throttles it, unless its oldest record has lived for a third of RecordTTL. Beside a writer that never backs off
	// (such as the KPL), records are then some seconds late; FixedRate prevents that.
	FixedRate bool
	// WireProtocol is how requests are written. The zero value means [WireAuto]. It has no effect on a Client that is not
	// the SDK's, or that has a protocol of its own.
	WireProtocol WireProtocol

	// MaxOutstandingRecords is the most records, over all streams, that Put has accepted and that have no Result yet. Put
	// blocks at this bound. At least 1; zero means 100,000, and [Unbounded] that there is no bound.
	MaxOutstandingRecords int
	// MaxOutstandingBytes bounds the same records in bytes of data and partition keys. At least MaxRecordSize; zero means
	// 64 MiB, and [Unbounded] that there is no bound.
	MaxOutstandingBytes int

	// Observer is told what happens inside the producer. The zero value means nobody is told.
	Observer Observer
}

// Unbounded is a value of [Config.MaxOutstandingRecords] and [Config.MaxOutstandingBytes] for callers who bound what they put
// themselves. Put then never blocks for this reason, and the memory of the producer has no bound of its own.
const Unbounded = math.MaxInt

// NoBuffering is a value of [Config.RecordMaxBufferedTime]: records do not wait for others.
const NoBuffering time.Duration = -1

// WithDefaults returns c with the default in place of every field that is zero.
func (c Config) WithDefaults() Config {
	c.MaxRecordSize = cmp.Or(c.MaxRecordSize, 1<<20)
	c.AggregationFormat = cmp.Or(c.AggregationFormat, AggregationKPL)
	c.AggregationMaxCount = cmp.Or(c.AggregationMaxCount, 1<<20)
	c.AggregationMaxSize = cmp.Or(c.AggregationMaxSize, min(2*PutUnit, c.largestRecord()))
	c.CollectionMaxCount = cmp.Or(c.CollectionMaxCount, MaxRecordsPerRequest)
	c.CollectionMaxSize = cmp.Or(c.CollectionMaxSize, max(5<<20, c.largestRecord()))
	c.RecordMaxBufferedTime = cmp.Or(c.RecordMaxBufferedTime, 100*time.Millisecond)
	c.RecordTTL = cmp.Or(c.RecordTTL, 30*time.Second)
	c.RequestTimeout = cmp.Or(c.RequestTimeout, 6*time.Second)
	c.MaxConnections = cmp.Or(c.MaxConnections, 24)
	c.RateLimit = cmp.Or(c.RateLimit, 100)
	c.WireProtocol = cmp.Or(c.WireProtocol, WireAuto)
	c.MaxOutstandingRecords = cmp.Or(c.MaxOutstandingRecords, 100_000)
	c.MaxOutstandingBytes = cmp.Or(c.MaxOutstandingBytes, 64<<20)
	return c
}

// largestRecord returns MaxRecordSize, brought into its range. A value out of range must not make the fields wrong that
// MaxRecordSize limits.
func (c *Config) largestRecord() int {
	return min(max(c.MaxRecordSize, minRecordSize), MaxServiceRecordSize)
}

// largestUserRecord returns how many bytes a user record may have, with its partition key. All of them must find room.
func (c *Config) largestUserRecord() int {
	if c.Compress == nil {
		return c.MaxRecordSize
	}
	return max(c.MaxRecordSize, min(MaxPlainSize, c.MaxOutstandingBytes))
}

// minRecordSize is the least value of MaxRecordSize.
const minRecordSize = 1 << 10

// minAggregationSize is the smallest bound of an aggregated record, in bytes: room for a key and a few bytes of data.
const minAggregationSize = 64

// gatherTime is how long a record waits at most for a request in flight with [NoBuffering]. It is about the longest time that
// a request usually takes. So a request that hangs does not hold up later records.
const gatherTime = 50 * time.Millisecond

// buffers reports whether records wait for others though no request is in flight.
func (c *Config) buffers() bool { return c.RecordMaxBufferedTime >= 0 }

// linger is how long a record may wait for others.
func (c *Config) linger() time.Duration {
	if !c.buffers() {
		return gatherTime
	}
	return c.RecordMaxBufferedTime
}

// WireProtocol is how PutRecords calls are written and their answers read.
type WireProtocol string

// The protocols.
const (
	// WireAuto is CBOR, which AWS's SDK for Java uses too. Data stays as it is, which takes a quarter fewer bytes than JSON.
	// Some emulators do not support CBOR. The first call shows that; it is then made again in JSON, and so are later calls. After
	// 1, 2, 4, then up to every 30 minutes, one call tries CBOR again. If the environment variable AWS_CBOR_DISABLE is set,
	// WireAuto is JSON, as in AWS's SDK for Java; "false" counts as not set.
	WireAuto WireProtocol = "auto"
	// WireJSON is the documented JSON, byte for byte as the SDK writes it, for a fraction of the CPU time and memory.
	WireJSON WireProtocol = "json"
	// WireSDK lets the SDK write and read. Use it if the producer's own encodings should ever be wrong.
	WireSDK WireProtocol = "sdk"
)

// cborDisabled reports whether the environment says that CBOR is not to be used. It is read as AWS's SDK for Java reads it: any
// value but "false" says so.
func cborDisabled() bool {
	value := os.Getenv("AWS_CBOR_DISABLE")
	return value != "" && !strings.EqualFold(value, "false")
}
