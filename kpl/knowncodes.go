package kpl

// WellKnownCodes returns the error codes that are worth a time series of their own: the Code constants, and the codes that
// the service documents. Metrics should count all others under one name, so that no endpoint can make time series without
// end.
func WellKnownCodes() []string {
	return []string{
		CodeWrongShard,
		CodeCountMismatch,
		CodeTimeout,
		CodeConnection,
		CodeNotSent,
		CodeCanceled,
		CodeTooLarge,
		CodeRequestTooLarge,
		CodeUnknown,
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
