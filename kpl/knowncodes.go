// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

// WellKnownCodes returns the error codes that are worth a time series of their own: the Code constants, and the codes that
// the service documents. Metrics should count all other codes under one name. Otherwise an endpoint could create any number
// of time series.
func WellKnownCodes() []string {
	return []string{
		CodeWrongShard,
		CodeCountMismatch,
		CodeTimeout,
		CodeConnection,
		CodeCertificate,
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
		"HTTP200",
		"HTTP400",
		"HTTP403",
		"HTTP404",
		"HTTP429",
		"HTTP500",
		"HTTP502",
		"HTTP503",
		"HTTP504",
	}
}
