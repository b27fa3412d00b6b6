package kinesiskplexporter

import "github.com/otel-kinesis/kinesiskplexporter/kpl"

// otherCode replaces all codes that are not well known. Otherwise a service could create any number of time series.
const otherCode = "other"

// wellKnownCodes returns the error codes that metrics show by name: those of the producer, and those of Kinesis.
func wellKnownCodes() []string {
	return []string{
		kpl.CodeWrongShard,
		kpl.CodeCountMismatch,
		kpl.CodeTimeout,
		kpl.CodeConnection,
		kpl.CodeNotSent,
		kpl.CodeCanceled,
		kpl.CodeTooLarge,
		kpl.CodeUnknown,
		"ProvisionedThroughputExceededException",
		"LimitExceededException",
		"ThrottlingException",
		"InternalFailure",
		"InternalServerError",
		"ServiceUnavailable",
		"ServiceUnavailableException",
		"InvalidArgumentException",
		"ValidationException",
		"SerializationException",
		"AccessDeniedException",
		"ResourceNotFoundException",
		"ResourceInUseException",
		"UnrecognizedClientException",
		"InvalidSignatureException",
		"IncompleteSignature",
		"MissingAuthenticationToken",
		"ExpiredTokenException",
		"OptInRequired",
		"KMSAccessDeniedException",
		"KMSDisabledException",
		"KMSInvalidStateException",
		"KMSNotFoundException",
		"KMSOptInRequired",
		"KMSThrottlingException",
	}
}
