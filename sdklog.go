// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"fmt"

	"github.com/aws/smithy-go/logging"
	"go.uber.org/zap"
)

// sdkLogger writes what the AWS SDK has to say to the log of the Collector. By itself, the SDK writes to the standard error.
type sdkLogger struct{ log *zap.Logger }

// Logf implements [logging.Logger].
func (l sdkLogger) Logf(level logging.Classification, format string, values ...any) {
	text := zap.String("text", fmt.Sprintf(format, values...))
	if level == logging.Debug {
		l.log.Debug("The AWS SDK says", text)
	} else {
		l.log.Warn("The AWS SDK warns", text)
	}
}
