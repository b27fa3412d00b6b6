// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"context"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Config configures a [Kinesis]. The zero Config has no shard limits.
type Config struct {
	// Account and Region are the account and the region in ARNs. Empty means 000000000000 and us-east-1.
	Account, Region string
	// Seed is the seed of everything random: the records and calls that faults choose, and the shards that the service
	// chooses. Every value is valid.
	Seed uint64
	// ShardLimits limits each shard to 1,000 records/s and 1 MiB/s of data and partition keys. A shard that was idle takes one
	// second's worth at once. Records above a limit are throttled.
	ShardLimits bool
	// MaxRequestSize is the largest number of bytes of data and partition keys in one PutRecords call. A larger call is
	// rejected. Zero means 10 MiB.
	MaxRequestSize int
	// MaxShardsPerPage is the largest number of shards in one answer of ListShards or DescribeStream, even if the caller asks
	// for more. Zero means 1,000.
	MaxShardsPerPage int
	// JSONOnly makes [Kinesis.Handler] answer calls in CBOR like an endpoint that does not support CBOR.
	JSONOnly bool
}

// Kinesis stands in for the service in tests. All methods are safe for concurrent use, and none starts a goroutine.
type Kinesis struct {
	config Config

	mu       sync.Mutex // held while state is read or changed, never while waiting
	streams  map[string]*stream
	sequence sequence               // the last that was given
	rand     *rand.Rand             // chooses shards for streams that choose them
	faults   []*Fault               // in the order in which they were injected
	calls    []CallInfo             // in the order in which they arrived
	counters map[Operation]*counter // by operation
	numbers  map[callKey]int        // of the last call of each kind, see [Call.Number]
	waiters  []waiter
}

// callKey says which calls are numbered together.
type callKey struct {
	operation Operation
	stream    string
}

// New returns a Kinesis with streams. It panics if [Kinesis.CreateStream] returns an error for one of them.
func New(config Config, streams ...Stream) *Kinesis {
	setDefault(&config.Account, "000000000000")
	setDefault(&config.Region, "us-east-1")
	setDefault(&config.MaxRequestSize, 10<<20)
	setDefault(&config.MaxShardsPerPage, 1000)
	k := &Kinesis{
		config:   config,
		streams:  map[string]*stream{},
		rand:     rand.New(rand.NewPCG(config.Seed, 0)),
		counters: map[Operation]*counter{},
		numbers:  map[callKey]int{},
	}
	for _, s := range streams {
		if err := k.CreateStream(s); err != nil {
			panic(err)
		}
	}
	return k
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Inject adds a fault for all calls that arrive until remove is called. Several faults are combined as [All] does, in the order
// in which they were injected.
func (k *Kinesis) Inject(f Fault) (remove func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.faults = append(k.faults, &f)
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.faults = slices.DeleteFunc(k.faults, func(other *Fault) bool { return other == &f })
	}
}

// reference is how a call names its stream: by name, by ARN, or by both. What is empty was not given.
type reference struct{ name, arn string }

// referenceOf returns the reference of an input. Nil means that it was not given.
func referenceOf(name, arn *string) reference {
	var r reference
	if name != nil {
		r.name = *name
	}
	if arn != nil {
		r.arn = *arn
	}
	return r
}

// parseReference reads a name or an ARN.
func parseReference(nameOrARN string) reference {
	if strings.HasPrefix(nameOrARN, "arn:") {
		return reference{arn: nameOrARN}
	}
	return reference{name: nameOrARN}
}

// streamName returns the name of the stream, even if there is no such stream.
func (r reference) streamName() string {
	if r.name != "" {
		return r.name
	}
	_, name, _ := strings.Cut(r.arn, ":stream/")
	return name
}

// lookup returns the stream that a call names. The caller holds the mutex.
func (k *Kinesis) lookup(r reference) (*stream, error) {
	if r.name == "" && r.arn == "" {
		return nil, newError(CodeInvalidArgument, "Either StreamName or StreamARN must be given.")
	}
	s := k.streams[r.streamName()]
	if s == nil || r.arn != "" && r.arn != s.arn {
		return nil, newError(CodeResourceNotFound, "Stream %s under account %s not found.", r.streamName(), k.config.Account)
	}
	return s, nil
}

// call runs one API call from its arrival to its answer. act handles the call. recordCodes is [Action.RecordCodes].
func call[T any](ctx context.Context, k *Kinesis, c *Call, act func(recordCodes []string) (T, error)) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	index, action := k.begin(c)
	out, err := perform(ctx, action, act)
	k.end(index, c.failed, err)
	if err != nil {
		return none, err
	}
	return out, nil
}

// perform calls act, and does before and after it what the action says.
func perform[T any](ctx context.Context, action Action, act func(recordCodes []string) (T, error)) (out T, err error) {
	if err := pause(ctx, action.Delay); err != nil {
		return out, err
	}
	switch {
	case action.Connection == ConnectionReset:
		return out, errReset
	case action.Connection == ConnectionHangs:
		<-ctx.Done()
		return out, ctx.Err()
	case action.Code != "":
		return out, &apiError{action.Code, messageOf(action.Code)}
	}
	if out, err = act(action.RecordCodes); err != nil {
		return out, err
	}
	switch action.Connection {
	case ConnectionCut:
		return out, errCut
	case ConnectionHangsStored:
		<-ctx.Done()
		return out, ctx.Err()
	case ConnectionFine, ConnectionReset, ConnectionHangs:
	}
	return out, nil
}

// pause waits for d. If ctx ends first, it returns the error of ctx.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin logs the arrival of a call and asks the faults what to do.
func (k *Kinesis) begin(c *Call) (index int, action Action) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := callKey{c.Operation, c.Stream}
	k.numbers[key]++
	c.Number = k.numbers[key]
	index = k.logStart(c)
	if len(k.faults) > 0 {
		c.Rand = k.randFor(c)
		for _, fault := range k.faults {
			action = action.and((*fault)(c))
		}
	}
	return index, action
}

// randFor returns the source of random numbers of a call.
func (k *Kinesis) randFor(c *Call) *rand.Rand {
	h := fnv.New64a()
	for _, part := range []string{string(c.Operation), c.Stream, strconv.Itoa(c.Number)} {
		_, _ = io.WriteString(h, part+"\x00") // A hash never fails.
	}
	return rand.New(rand.NewPCG(k.config.Seed, h.Sum64()))
}

// end logs the end of a call.
func (k *Kinesis) end(index, failed int, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.logEnd(index, codeOf(err), failed)
	k.wake()
}

// nextSequence returns the next sequence. The caller holds the mutex.
func (k *Kinesis) nextSequence() sequence {
	k.sequence++
	return k.sequence
}

// CreateStream creates a stream, which accepts records at once. It returns an error if a field of s is out of range, or if there
// is a stream of that name.
func (k *Kinesis) CreateStream(s Stream) error {
	setDefault(&s.MaxRecordSize, 1<<20)
	setDefault(&s.Distribution, types.RecordDistributionStrategyUserPartitionKey)
	if !regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,128}$`).MatchString(s.Name) {
		return newError(CodeValidation, "%q is no stream name.", s.Name)
	}
	if s.Shards < 1 {
		return newError(CodeValidation, "Stream %s needs 1 shard at least, not %d.", s.Name, s.Shards)
	}
	if s.MaxRecordSize < 1<<20 || s.MaxRecordSize > 10<<20 || s.MaxRecordSize%1024 != 0 {
		return newError(CodeValidation, "Stream %s can't have a MaxRecordSize of %d bytes.", s.Name, s.MaxRecordSize)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.streams[s.Name] != nil {
		return newError(CodeResourceInUse, "Stream %s under account %s already exists.", s.Name, k.config.Account)
	}
	now := time.Now()
	created := &stream{
		Stream:  s,
		arn:     "arn:aws:kinesis:" + k.config.Region + ":" + k.config.Account + ":stream/" + s.Name,
		created: now,
	}
	starts := evenStarts(s.Shards)
	for i, start := range starts {
		end := maxHashKey
		if i+1 < len(starts) {
			end = starts[i+1].previous()
		}
		created.addShard(start, end, now, k.nextSequence())
	}
	k.streams[s.Name] = created
	return nil
}

// DeleteStream deletes a stream, given by name or ARN, and its records. It returns an error if there is no such stream.
func (k *Kinesis) DeleteStream(stream string) error {
	_, err := k.TakeStream(stream)
	return err
}

// TakeStream deletes a stream, given by name or ARN, and returns the records that it stored. It returns an error if there is no
// such stream. Another stream of the same name may be created later; its shards have the same ids.
func (k *Kinesis) TakeStream(stream string) (*Remains, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.remove(parseReference(stream))
}

// remove does what TakeStream does. The caller holds the mutex.
func (k *Kinesis) remove(ref reference) (*Remains, error) {
	s, err := k.lookup(ref)
	if err != nil {
		return nil, err
	}
	delete(k.streams, s.Name)
	return &Remains{s}, nil
}
