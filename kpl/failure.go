// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

// failureStep is what becomes of a Kinesis record that was not stored.
type failureStep uint8

const (
	// stepRetry: the record was not stored, or nobody knows. All members go again after a pause.
	stepRetry failureStep = iota
	// stepRetryLater: the same, but the pause is longer.
	stepRetryLater
	// stepThrottled: the shard took no more, and Config.FailIfThrottled ends the members.
	stepThrottled
	// stepSplit: several user records were not accepted together. Each half of them goes again by itself.
	stepSplit
	// stepRejected: the service rejected this one user record.
	stepRejected
	// stepTooLarge: the endpoint does not let this one user record through, and Config.FailIfTooLarge ends it.
	stepTooLarge
	// stepUnavailable: the stream accepts no records. The members go back to their owners.
	stepUnavailable
)

// nextStep decides about a record that was not stored, as far as we know. Whole means that the request, which had the given
// number of records, failed as one.
func nextStep(k *kinesisRecord, class errorClass, whole bool, requestRecords int, config *Config) failureStep {
	if class.divides() && (k.joined() || whole && requestRecords > 1) {
		return stepSplit
	}
	switch class {
	case classThrottle:
		if config.FailIfThrottled {
			return stepThrottled
		}
	case classRejected:
		return stepRejected
	case classTooLarge:
		if config.FailIfTooLarge {
			return stepTooLarge
		}
		return stepRetryLater
	case classUnreadable, classLater:
		return stepRetryLater
	case classUnavailable:
		return stepUnavailable
	case classTransient:
	}
	return stepRetry
}
