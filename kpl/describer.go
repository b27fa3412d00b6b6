// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// These limits keep the calls few, because the service takes only 20 of them a second, for all streams of an account
// together. A describer makes describeBurst calls at once, and then one in describeInterval. If calls fail, the pause
// between them doubles from describeInterval to lastDescribePause.
const (
	describeBurst     = 3
	lastDescribePause = 5 * time.Minute
)

// describeTries is how often a call is made at once that fails for a reason that may pass. describeRounds is how often in a
// row this may happen before the describer takes it for granted that the call never works.
const describeTries, describeRounds = 3, 3

// leastMaxRecordKiB is the smallest size limit that a stream can have.
const leastMaxRecordKiB = 1 << 10

// errNoDescription is an answer without a description.
var errNoDescription = errors.New("kpl: the answer has no description")

// describer asks the service what kind of stream it is: at once, and then on request.
type describer struct {
	client  Client
	name    string
	timeout time.Duration
	random  *rand.Rand
	publish func(streamNews)

	restedAt time.Time // when describeBurst calls may be made at once again
	failed   int       // rounds in a row
}

// run serves requests until ctx ends. It publishes how each request ended.
func (d *describer) run(ctx context.Context, requests <-chan struct{}) {
	pause := describeInterval
	for {
		result, ok := d.describe(ctx)
		if !ok {
			return
		}
		d.countFailures(&result)
		d.publish(streamNews{description: &result})
		earliest := result.asked
		if result.outcome == describeDone {
			pause = describeInterval
		} else {
			earliest = result.asked.Add(pause)
			pause = min(2*pause, lastDescribePause)
		}
		select {
		case <-requests:
		case <-ctx.Done():
			return
		}
		if !sleepUntil(ctx, earliest) {
			return
		}
	}
}

// countFailures takes a description for denied that has failed describeRounds times in a row.
func (d *describer) countFailures(result *description) {
	if result.outcome != describeFailed {
		d.failed = 0
		return
	}
	d.failed++
	if d.failed >= describeRounds {
		result.outcome = describeDenied
	}
}

// describe makes one call, and makes it again if it fails for a reason that may pass. It reports false if ctx has ended.
func (d *describer) describe(ctx context.Context) (description, bool) {
	for try := 1; ; try++ {
		if !sleepUntil(ctx, d.restedAt.Add(-(describeBurst-1)*describeInterval)) {
			return description{}, false
		}
		asked := time.Now()
		if d.restedAt.Before(asked) {
			d.restedAt = asked
		}
		d.restedAt = d.restedAt.Add(describeInterval)
		result, err := d.ask(ctx)
		if ctx.Err() != nil {
			return description{}, false
		}
		if err == nil {
			result.asked, result.outcome = asked, describeDone
			return result, true
		}
		switch f := faultOfCall(err); {
		case f.code == codeNotFound:
			return description{asked: asked, outcome: describeNoStream}, true
		case f.class == classRejected || f.code == "UnknownOperationException" || strings.HasPrefix(f.code, "AccessDenied"):
			return description{asked: asked, outcome: describeDenied}, true
		case try == describeTries || f.class == classUnavailable:
			return description{asked: asked, outcome: describeFailed}, true
		}
		if !sleepUntil(ctx, asked.Add(time.Duration((1+d.random.Float64())*float64(time.Second)))) {
			return description{}, false
		}
	}
}

// ask makes one call. It returns what the answer says.
func (d *describer) ask(ctx context.Context) (description, error) {
	input := &kinesis.DescribeStreamSummaryInput{}
	input.StreamName, input.StreamARN = streamAddress(d.name)
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	output, err := d.client.DescribeStreamSummary(ctx, input, callOptions)
	if err != nil {
		return description{}, err
	}
	summary := output.StreamDescriptionSummary
	if summary == nil {
		return description{}, errNoDescription
	}
	kind := streamKind{
		described: true,
		automatic: summary.RecordDistributionStrategy == types.RecordDistributionStrategyAuto,
		created:   aws.ToTime(summary.StreamCreationTimestamp),
	}
	if kib := aws.ToInt32(summary.MaxRecordSizeInKiB); kib >= leastMaxRecordKiB {
		kind.maxRecordSize = int(kib) << 10
	}
	return description{kind: kind, channels: int(aws.ToInt32(summary.ChannelCount))}, nil
}
