// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	"go.uber.org/zap"

	"github.com/otel-kinesis/kinesiskplexporter/kpl"
)

// startCheck asks each stream of the configuration at the start whether it would take a record. It delays nothing and fails
// nothing.
type startCheck struct {
	cancel context.CancelFunc
	ended  chan struct{}
}

// newStartCheck makes the calls in a goroutine of its own, which stop ends.
func newStartCheck(client kpl.Client, streams []string, timeout time.Duration, t *telemetry) *startCheck {
	ctx, cancel := context.WithCancel(context.Background())
	c := &startCheck{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		defer cancel()
		for _, stream := range streams {
			err := dryRun(ctx, client, stream, timeout)
			if ctx.Err() != nil {
				return
			}
			tellCheck(t.streams.of(stream).log, err)
		}
	}()
	return c
}

// stop ends the check. A nil check has ended.
func (c *startCheck) stop() {
	if c != nil {
		c.cancel()
		<-c.ended
	}
}

// dryRun asks whether the stream would take a record. The answer is always an error, DryRunOperationException if it would. The
// record is empty, because an endpoint that does not know dry runs stores it.
func dryRun(ctx context.Context, client kpl.Client, stream string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	in := &kinesis.PutRecordsInput{
		DryRun:  aws.Bool(true),
		Records: []types.PutRecordsRequestEntry{{Data: []byte{}, PartitionKey: aws.String("check")}},
	}
	if strings.HasPrefix(stream, "arn:") {
		in.StreamARN = aws.String(stream)
	} else {
		in.StreamName = aws.String(stream)
	}
	_, err := client.PutRecords(ctx, in)
	return err
}

// tellCheck logs what the check found, in one line.
func tellCheck(log *zap.Logger, err error) {
	api, isAPI := errors.AsType[smithy.APIError](err)
	switch {
	case err == nil:
		log.Warn("The endpoint does not know dry runs; the check at the start has stored an empty record",
			zap.String("do", "set aws::check_at_start to false for this endpoint"))
	case isAPI && api.ErrorCode() == "DryRunOperationException":
		log.Info("The check at the start succeeded: the stream would take records")
	default:
		log.Warn("The check at the start failed; the exporter runs, and tries again when there is data",
			zap.String("cause", checkCause(err)), zap.String("do", adviceFor(err)))
	}
}

// checkCause returns the code of the service, or the innermost error. The texts of services are left out: they may repeat what
// was sent to them, credentials included.
func checkCause(err error) string {
	if api, is := errors.AsType[smithy.APIError](err); is {
		return api.ErrorCode()
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}

// adviceFor returns what somebody can do about an error of the check.
func adviceFor(err error) string {
	api, isAPI := errors.AsType[smithy.APIError](err)
	forCredentials := strings.Contains(err.Error(), "get identity: ") // the words of the SDK
	switch {
	case isAPI && forCredentials:
		return "see that the role of aws::role_arn, of the profile or of the token exists, and that its trust policy lets the " +
			"exporter assume it"
	case forCredentials:
		return "give credentials by the environment, a profile, or a role of the pod or the machine, and see that their source " +
			"can be reached"
	case credentialsUnknown(err):
		return "renew the credentials, and see that the clock is right"
	case !isAPI && strings.Contains(err.Error(), "tls: "):
		return "see that aws::tls has the authority of the endpoint or of the proxy, and the client certificate if one is wanted"
	case !isAPI:
		return "see that aws::region and aws::endpoint are right, and that proxy, firewall and DNS let the exporter through"
	}
	switch code := api.ErrorCode(); {
	case strings.HasPrefix(code, "AccessDenied"):
		return "allow kinesis:PutRecords on the stream for these credentials"
	case code == "ResourceNotFoundException":
		return "create the stream, or see that aws::stream_name or aws::stream_arn, aws::region and the account are right"
	case strings.HasPrefix(code, "KMS"):
		return "allow kms:GenerateDataKey on the key of the stream for these credentials, and see that the key is enabled"
	default:
		return "look the code up in the API reference of PutRecords"
	}
}
