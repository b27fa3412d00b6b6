package kpl

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Limits of the service, as its API reference states them.
const (
	MaxRecordsPerRequest  = 500      // records in a PutRecords call
	MaxRequestSize        = 10 << 20 // bytes of data and partition keys in a PutRecords call
	MaxServiceRecordSize  = 10 << 20 // bytes of data and partition key that a stream can be configured to take
	MaxPartitionKeyLength = 256      // Unicode characters

	shardRecordsPerSecond = 1000
	shardBytesPerSecond   = 1 << 20 // partition keys count
)

// PutUnit is the size in bytes of a PUT payload unit, in which the service bills: a record costs its size in units,
// rounded up.
const PutUnit = 25_600

// Config tunes a [Producer]. Start from [NewDefaultConfig]; every field must have a value in its range.
type Config struct {
	// AggregationEnabled packs user records for one shard into aggregated records of the KPL format. Off, each user
	// record is a Kinesis record of its own; limits and retries work the same.
	AggregationEnabled bool
	// AggregationMaxCount is the most user records in an aggregated record, at least 1.
	AggregationMaxCount int
	// AggregationMaxSize is the most bytes an aggregated record has with its partition key, from 64 to MaxRecordSize.
	// A user record that is larger travels alone. Sizes just below a multiple of [PutUnit] waste least.
	AggregationMaxSize int

	// CollectionMaxCount is the most Kinesis records in a PutRecords call, 1 to [MaxRecordsPerRequest].
	CollectionMaxCount int
	// CollectionMaxSize is the most bytes of data and partition keys in a PutRecords call, from MaxRecordSize to
	// [MaxRequestSize].
	CollectionMaxSize int

	// MaxRecordSize is the most bytes of data and partition key in a Kinesis record, from 1 KiB to
	// [MaxServiceRecordSize]. More than 1 MiB needs a stream that is configured for it.
	MaxRecordSize int

	// RecordMaxBufferedTime is how long a record may wait for others to share an aggregate and a request with. It is a
	// ceiling: nothing waits once no further record can arrive (see [Callers]). Zero sends at once, and gathers
	// only while a request is in flight that was not full.
	RecordMaxBufferedTime time.Duration
	// RecordTTL is how long after Put the producer gives up on a record. More than RecordMaxBufferedTime.
	RecordTTL time.Duration
	// RequestTimeout bounds one PutRecords or ListShards call. Positive.
	RequestTimeout time.Duration

	// MaxConnections is the most PutRecords calls in flight for one stream, from 1 to 10,000.
	MaxConnections int
	// RateLimit is the share of a shard's 1,000 records/s and 1 MiB/s that this producer uses at most, in percent, from 1
	// to 1,000,000. Over 100 it is sure to be throttled, which only pays where the limits are not the service's.
	RateLimit int
	// FailIfThrottled ends a throttled record at once with [OutcomeThrottled] rather than retrying it.
	FailIfThrottled bool
	// FixedRate keeps to RateLimit whatever shards refuse. The default is to learn from that how much of a shard others leave,
	// which is polite, and next to nothing beside a writer who never steps back, such as the KPL with more than a shard takes.
	FixedRate bool
	// WireProtocol is how PutRecords calls are written: WireAuto, WireJSON or WireSDK. It means nothing for a Client that is
	// not the SDK's, or that was given a protocol of its own.
	WireProtocol WireProtocol

	// MaxOutstandingRecords and MaxOutstandingBytes (data and keys) bound what Put has accepted and not yet ended with
	// a Result, over all streams. Put blocks at either bound. MaxOutstandingBytes is at least MaxRecordSize.
	MaxOutstandingRecords int
	MaxOutstandingBytes   int

	// Observer is told what happens inside; nil means nobody.
	Observer Observer
}

// NewDefaultConfig returns the defaults of every field.
func NewDefaultConfig() Config {
	return Config{
		AggregationEnabled:    true,
		AggregationMaxCount:   1 << 20,
		AggregationMaxSize:    2 * PutUnit,
		CollectionMaxCount:    MaxRecordsPerRequest,
		CollectionMaxSize:     5 << 20,
		MaxRecordSize:         1 << 20,
		RecordMaxBufferedTime: 100 * time.Millisecond,
		RecordTTL:             30 * time.Second,
		RequestTimeout:        6 * time.Second,
		MaxConnections:        24,
		RateLimit:             100,
		WireProtocol:          WireAuto,
		MaxOutstandingRecords: 100_000,
		MaxOutstandingBytes:   64 << 20,
	}
}

// Validate returns an error that joins one for each field out of its range, each naming the field, or nil.
func (c *Config) Validate() error {
	var errs []error
	within := func(field string, value, low, high int) {
		if value < low || value > high {
			errs = append(errs, fmt.Errorf("kpl: %s must be from %d to %d, found %d", field, low, high, value))
		}
	}
	within("MaxRecordSize", c.MaxRecordSize, 1<<10, MaxServiceRecordSize)
	within("AggregationMaxCount", c.AggregationMaxCount, 1, math.MaxInt)
	within("AggregationMaxSize", c.AggregationMaxSize, 64, max(64, c.MaxRecordSize))
	within("CollectionMaxCount", c.CollectionMaxCount, 1, MaxRecordsPerRequest)
	within("CollectionMaxSize", c.CollectionMaxSize, c.MaxRecordSize, MaxRequestSize)
	within("MaxConnections", c.MaxConnections, 1, 10_000)
	within("RateLimit", c.RateLimit, 1, 1_000_000)
	within("MaxOutstandingRecords", c.MaxOutstandingRecords, 1, math.MaxInt)
	within("MaxOutstandingBytes", c.MaxOutstandingBytes, c.MaxRecordSize, math.MaxInt)
	if c.RecordMaxBufferedTime < 0 {
		errs = append(errs, fmt.Errorf("kpl: RecordMaxBufferedTime must not be negative, found %v", c.RecordMaxBufferedTime))
	}
	if c.RecordTTL <= c.RecordMaxBufferedTime {
		errs = append(errs, fmt.Errorf("kpl: RecordTTL must be more than RecordMaxBufferedTime (%v), found %v",
			c.RecordMaxBufferedTime, c.RecordTTL))
	}
	if c.WireProtocol != WireAuto && c.WireProtocol != WireJSON && c.WireProtocol != WireSDK {
		errs = append(errs, fmt.Errorf("kpl: WireProtocol must be %s, %s or %s, found %q",
			WireAuto, WireJSON, WireSDK, c.WireProtocol))
	}
	if c.RequestTimeout <= 0 {
		errs = append(errs, fmt.Errorf("kpl: RequestTimeout must be positive, found %v", c.RequestTimeout))
	}
	return errors.Join(errs...)
}

// gatherTime is the most a record waits for a request in flight when RecordMaxBufferedTime is zero: about the longest
// that a healthy request takes, so that one that hangs does not hold up the others.
const gatherTime = 50 * time.Millisecond

// linger is how long a record may wait for others.
func (c *Config) linger() time.Duration {
	if c.RecordMaxBufferedTime == 0 {
		return gatherTime
	}
	return c.RecordMaxBufferedTime
}

// WireProtocol is how PutRecords calls are written and their answers read.
type WireProtocol string

// The protocols.
const (
	// WireAuto is CBOR, in which AWS's own SDK for Java calls the service: data as it is, a quarter fewer bytes than in JSON.
	// An endpoint that does not take it, as some emulators do not, refuses the first call; that and all later ones are then
	// made in JSON.
	WireAuto WireProtocol = "auto"
	// WireJSON is the documented JSON, byte for byte as the SDK writes it, for a fraction of the CPU time and memory.
	WireJSON WireProtocol = "json"
	// WireSDK lets the SDK write and read. It is the way back should the producer's own ways ever be wrong.
	WireSDK WireProtocol = "sdk"
)
