// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"runtime"
	"runtime/debug"
	"strings"
)

// versionText says which build of the program this is: its version, or devel; the commit, if the build has it; Go's version.
func versionText(build *debug.BuildInfo, known bool) string {
	if !known {
		return "kinesistail devel (" + runtime.Version() + ")"
	}
	details := []string{build.GoVersion}
	for _, s := range build.Settings {
		switch {
		case s.Key == "vcs.revision":
			details = append([]string{"commit " + s.Value}, details...)
		case s.Key == "vcs.modified" && s.Value == "true":
			details = append(details, "with changes")
		}
	}
	version := cmp.Or(strings.Trim(build.Main.Version, "()"), "devel")
	return "kinesistail " + version + " (" + strings.Join(details, ", ") + ")"
}
