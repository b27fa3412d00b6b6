package kpl

// failureStep is what becomes of a Kinesis record that was not stored.
type failureStep uint8

const (
	// stepRetry: the record was not stored, or nobody knows. All members go again after a pause.
	stepRetry failureStep = iota
	// stepThrottled: the shard took no more, and Config.FailIfThrottled ends the members.
	stepThrottled
	// stepSplit: the service rejected several user records together. Each half of them goes again by itself.
	stepSplit
	// stepRejected: the service rejected this one user record.
	stepRejected
	// stepUnavailable: the stream accepts no records. The members go back to their owners.
	stepUnavailable
)

// nextStep decides about a record that was not stored, as far as we know. Whole means that the request, which had the given
// number of records, failed as one.
func nextStep(k *kinesisRecord, class errorClass, whole bool, requestRecords int, failIfThrottled bool) failureStep {
	switch class {
	case classThrottle:
		if failIfThrottled {
			return stepThrottled
		}
		return stepRetry
	case classRejected:
		if k.aggregated() || whole && requestRecords > 1 {
			return stepSplit
		}
		return stepRejected
	case classUnavailable:
		return stepUnavailable
	case classTransient:
	}
	return stepRetry
}
