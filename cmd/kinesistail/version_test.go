// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVersionText(t *testing.T) {
	build := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: version}, Settings: settings}
	}
	for want, got := range map[string]string{
		"kinesistail devel (" + runtime.Version() + ")": versionText(nil, false),
		"kinesistail v0.2.0 (go1.26.0)":                 versionText(build("v0.2.0"), true),
		"kinesistail devel (go1.26.0)":                  versionText(build("(devel)"), true),
		"kinesistail devel (commit abc, go1.26.0, with changes)": versionText(build("",
			debug.BuildSetting{Key: "vcs.revision", Value: "abc"}, debug.BuildSetting{Key: "vcs.modified", Value: "true"}), true),
	} {
		assert.Equal(t, want, got)
	}
}

func TestRunPrintsItsVersion(t *testing.T) {
	var stdout, stderr bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-version"}, &stdout, &stderr))
	assert.Regexp(t, `^kinesistail .*go1\..*\n$`, stdout.String())
	assert.Empty(t, stderr.String())
}
