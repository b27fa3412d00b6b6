// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kinesiskplexporter

import (
	"cmp"
	"runtime/debug"
	"strings"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"github.com/otel-kinesis/kinesiskplexporter/internal/metadata"
)

// userAgent adds the name and the version of the exporter to the User-Agent of calls, so that CloudTrail and AWS's support
// see who called.
func userAgent(stack *middleware.Stack) error {
	build, _ := debug.ReadBuildInfo()
	return awsmiddleware.AddUserAgentKeyValue(metadata.Type.String(), versionIn(build))(stack)
}

// versionIn returns the version of the exporter in a program, such as v0.1.0. It is "devel" if the program does not say, for
// example because it was built from a folder.
func versionIn(build *debug.BuildInfo) string {
	const unknown = "devel"
	if build == nil {
		return unknown
	}
	for _, module := range append([]*debug.Module{&build.Main}, build.Deps...) {
		if module.Path == metadata.ScopeName {
			if module.Replace != nil {
				module = module.Replace
			}
			return cmp.Or(strings.Trim(module.Version, "()"), unknown)
		}
	}
	return unknown
}
