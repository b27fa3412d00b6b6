// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Limits of the service.
const (
	maxRecordsPerRequest  = 500
	maxPartitionKeyLength = 256 // characters
)

// PutRecords stores records as the service does. Its errors are those of the SDK's client. It ignores options.
func (k *Kinesis) PutRecords(
	ctx context.Context, in *kinesis.PutRecordsInput, _ ...func(*kinesis.Options),
) (*kinesis.PutRecordsOutput, error) {
	out, err := k.putRecords(ctx, in)
	return out, sdkError(OpPutRecords, err)
}

func (k *Kinesis) putRecords(ctx context.Context, in *kinesis.PutRecordsInput) (*kinesis.PutRecordsOutput, error) {
	ref := referenceOf(in.StreamName, in.StreamARN)
	c := &Call{Operation: OpPutRecords, Stream: ref.streamName(), Records: in.Records}
	return call(ctx, k, c, func(codes []string) (*kinesis.PutRecordsOutput, error) {
		results, failed, err := k.store(ref, in.Records, codes)
		if err != nil {
			return nil, err
		}
		c.failed = failed
		return &kinesis.PutRecordsOutput{Records: results, FailedRecordCount: aws.Int32(int32(failed))}, nil
	})
}

// putRecord stores a single record. If the record gets an error code, the whole call fails.
func (k *Kinesis) putRecord(ctx context.Context, in *kinesis.PutRecordInput) (*kinesis.PutRecordOutput, error) {
	ref := referenceOf(in.StreamName, in.StreamARN)
	records := []types.PutRecordsRequestEntry{
		{Data: in.Data, PartitionKey: in.PartitionKey, ExplicitHashKey: in.ExplicitHashKey},
	}
	c := &Call{Operation: OpPutRecord, Stream: ref.streamName(), Records: records}
	return call(ctx, k, c, func(codes []string) (*kinesis.PutRecordOutput, error) {
		results, _, err := k.store(ref, records, codes)
		if err != nil {
			return nil, err
		}
		if result := results[0]; result.ErrorCode != nil {
			return nil, &apiError{*result.ErrorCode, *result.ErrorMessage}
		}
		return &kinesis.PutRecordOutput{ShardId: results[0].ShardId, SequenceNumber: results[0].SequenceNumber}, nil
	})
}

// store validates a request and stores its records, but not those with an error code. codes is [Action.RecordCodes].
func (k *Kinesis) store(
	ref reference, records []types.PutRecordsRequestEntry, codes []string,
) (results []types.PutRecordsResultEntry, failed int, err error) {
	hashKeys, bytes, err := k.validate(records, k.ignoresKeys(ref))
	if err != nil {
		return nil, 0, err
	}
	data := make([]byte, 0, bytes) // All data is copied, because callers may use their buffers again.
	stored := make([]Record, 0, len(records))
	results = make([]types.PutRecordsResultEntry, len(records))

	k.mu.Lock()
	defer k.mu.Unlock()
	s, err := k.lookup(ref)
	if err != nil {
		return nil, 0, err
	}
	if err := s.validate(records); err != nil {
		return nil, 0, err
	}
	now := time.Now()
	for i := range records {
		sh := k.choose(s, hashKeys[i])
		code := ""
		if codes != nil {
			code = codes[i]
		}
		if code == "" && k.config.ShardLimits && !sh.limit.admit(now, sizeOf(&records[i])) {
			code = CodeThrottled
		}
		if code != "" {
			failed++
			results[i] = k.failedResult(s, sh, code)
			continue
		}
		at := len(data)
		data = append(data, records[i].Data...)
		number := k.nextSequence().String()
		stored = append(stored, Record{
			ShardID:         sh.id,
			SequenceNumber:  number,
			PartitionKey:    deref(records[i].PartitionKey),
			ExplicitHashKey: deref(records[i].ExplicitHashKey),
			Data:            data[at:len(data):len(data)],
			Arrived:         now,
		})
		s.append(sh, &stored[len(stored)-1])
		results[i] = types.PutRecordsResultEntry{ShardId: &sh.id, SequenceNumber: &number}
	}
	k.wake()
	return results, failed, nil
}

// ignoresKeys reports whether a stream chooses the shard of each record itself.
func (k *Kinesis) ignoresKeys(ref reference) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, err := k.lookup(ref)
	return err == nil && s.Distribution == types.RecordDistributionStrategyAuto
}

// append adds a record to a shard.
func (s *stream) append(sh *shard, record *Record) {
	sh.records = append(sh.records, record)
	s.records = append(s.records, record)
}

// choose returns the shard for a record with a hash key. The caller holds the mutex.
func (k *Kinesis) choose(s *stream, key hashKey) *shard {
	if s.Distribution == types.RecordDistributionStrategyAuto {
		return s.open[k.rand.IntN(len(s.open))]
	}
	return s.route(key)
}

// failedResult returns the result of a record that is not stored.
func (k *Kinesis) failedResult(s *stream, sh *shard, code string) types.PutRecordsResultEntry {
	message := messageOf(code)
	if code == CodeThrottled {
		message = "Rate exceeded for shard " + sh.id + " in stream " + s.Name + " under account " + k.config.Account + "."
	}
	return types.PutRecordsResultEntry{ErrorCode: &code, ErrorMessage: &message}
}

// validate checks the limits that are the same for all streams. It returns the hash key of each record and the number of bytes
// of all data.
func (k *Kinesis) validate(
	records []types.PutRecordsRequestEntry, ignoresKeys bool,
) (hashKeys []hashKey, bytes int, err error) {
	if len(records) < 1 || len(records) > maxRecordsPerRequest {
		return nil, 0, newError(CodeValidation, "1 validation error detected: Value at 'records' failed to satisfy "+
			"constraint: Member must have length from 1 to %d, found %d", maxRecordsPerRequest, len(records))
	}
	hashKeys = make([]hashKey, len(records))
	size := 0
	for i := range records {
		if hashKeys[i], err = hashKeyOfRecord(i, &records[i], ignoresKeys); err != nil {
			return nil, 0, err
		}
		bytes += len(records[i].Data)
		size += sizeOf(&records[i])
	}
	if size > k.config.MaxRequestSize {
		return nil, 0, newError(CodeInvalidArgument, "Records size of %d bytes exceeds the limit of %d",
			size, k.config.MaxRequestSize)
	}
	return hashKeys, bytes, nil
}

// hashKeyOfRecord checks the record at index i and returns its hash key.
func hashKeyOfRecord(i int, record *types.PutRecordsRequestEntry, ignoresKeys bool) (hashKey, error) {
	partitionKey := deref(record.PartitionKey)
	keyless := ignoresKeys && record.PartitionKey == nil // as the KPL 1.1.1 sends records to such streams
	if n := utf8.RuneCountInString(partitionKey); n < 1 && !keyless || n > maxPartitionKeyLength {
		return hashKey{}, newError(CodeValidation, "1 validation error detected: Value at 'records.%d.member.partitionKey' "+
			"failed to satisfy constraint: Member must have length from 1 to %d, found %d", i+1, maxPartitionKeyLength, n)
	}
	if record.Data == nil {
		return hashKey{}, newError(CodeValidation, "1 validation error detected: Value null at 'records.%d.member.data' "+
			"failed to satisfy constraint: Member must not be null", i+1)
	}
	if record.ExplicitHashKey == nil {
		return hashOf(partitionKey), nil
	}
	key, wellFormed, inRange := parseHashKey(*record.ExplicitHashKey)
	if !wellFormed {
		return hashKey{}, newError(CodeValidation, "1 validation error detected: Value at "+
			"'records.%d.member.explicitHashKey' failed to satisfy constraint: Member must satisfy regular expression "+
			`pattern: 0|([1-9]\d{0,38})`, i+1)
	}
	if !inRange {
		return hashKey{}, newError(CodeInvalidArgument,
			"Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1].")
	}
	return key, nil
}

// validate checks the limits of the stream.
func (s *stream) validate(records []types.PutRecordsRequestEntry) error {
	for i := range records {
		if size := sizeOf(&records[i]); size > s.MaxRecordSize {
			return newError(CodeValidation, "1 validation error detected: Value at 'records.%d.member.data' failed to "+
				"satisfy constraint: Member must have length less than or equal to %d with its partition key, found %d",
				i+1, s.MaxRecordSize, size)
		}
	}
	return nil
}

// sizeOf returns the size of a record as limits count it, in bytes.
func sizeOf(record *types.PutRecordsRequestEntry) int {
	return len(record.Data) + len(deref(record.PartitionKey))
}
