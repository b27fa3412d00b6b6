// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/kpltest"
)

// compress lets the records of a schedule be compressed.
func (s *simulation) compress() {
	compressing(&s.config)
	s.config.AggregationMaxCount *= 20 // more members than that fit
	if s.raised.IsZero() && s.changes(0.7) {
		s.config.MaxRecordSize = max(minRecordSize, s.config.AggregationMaxSize) + s.extra.IntN(20_000)
	}
	if s.changes(0.3) {
		begin := time.Now().Add(time.Duration(s.extra.IntN(3_000)) * time.Millisecond)
		s.narrow = &narrowClient{
			Kinesis: s.kinesis, most: 5_000 + s.extra.IntN(200_000),
			begin: begin, end: begin.Add(time.Duration(s.extra.IntN(20_000)) * time.Millisecond),
		}
	}
}

// narrowClient lets no request through from begin to end that has more than a number of bytes.
type narrowClient struct {
	*kpltest.Kinesis
	most       int
	begin, end time.Time
}

func (c *narrowClient) PutRecords(
	ctx context.Context, in *kinesis.PutRecordsInput, options ...func(*kinesis.Options),
) (*kinesis.PutRecordsOutput, error) {
	size := 0
	for i := range in.Records {
		size += len(in.Records[i].Data) + len(aws.ToString(in.Records[i].PartitionKey))
	}
	if now := time.Now(); size > c.most && !now.Before(c.begin) && now.Before(c.end) {
		response := &http.Response{StatusCode: http.StatusRequestEntityTooLarge}
		return nil, &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: response}, Err: errors.New("too large")}
	}
	return c.Kinesis.PutRecords(ctx, in, options...)
}

// tooLarge reports whether data is larger than the service takes, with and without compression.
func (s *simulation) tooLarge(data []byte) bool {
	return s.config.Compress != nil && min(len(data), len(compressRuns(nil, data))) > s.config.MaxRecordSize-KeylessKeySize
}

// noisy reports whether compression makes the data of a record larger. That is so for some hundred records in a row, and for a
// few others.
func noisy(number int) bool { return number/300%3 == 1 || number%50 == 0 }

// addNoise makes data noisy if the number of its record says so. Lines stay lines.
func addNoise(data []byte, number int) {
	if !noisy(number) {
		return
	}
	random := rand.New(rand.NewPCG(uint64(number), 7))
	for i := 1; i < len(data); i++ { // the first zero ends the digits
		data[i] = 'a' + byte(random.IntN(20))
	}
}
