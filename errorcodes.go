package kinesiskplexporter

import "github.com/otel-kinesis/kinesiskplexporter/kpl"

// otherCode stands for all codes that are not well known, so that no service can make time series without end.
const otherCode = "other"

// wellKnownCodes returns the error codes that have a time series of their own.
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
