// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// eachObject calls visit for each of several JSON objects that stand one after the other, as the lines of a record do. Only white
// space may stand between them. It returns false if visit has returned false, or if there is anything else.
func (s jsonScanner) eachObject(visit func(object jsonScanner) bool) bool {
	for pos := s.skipSpace(0); pos < len(s); pos = s.skipSpace(pos) {
		if s[pos] != '{' {
			return false
		}
		end, ok := s.skipBrackets(pos)
		if !ok || !visit(s[pos:end]) {
			return false
		}
		pos = end
	}
	return true
}

// decodeLines decodes each of several JSON objects with a decoder of pdata, which by itself reads only the first. It appends them
// to one with the function move.
func decodeLines[T any](data []byte, decode func([]byte) (T, error), move func(from, to T) error) (T, error) {
	var all T
	var err error
	lines := 0
	ok := jsonScanner(data).eachObject(func(object jsonScanner) bool {
		var line T
		if line, err = decode(object); err != nil {
			return false
		}
		if lines == 0 {
			all = line
		} else {
			err = move(line, all)
		}
		lines++
		return err == nil
	})
	if ok && lines > 0 || err != nil {
		return all, err
	}
	if all, err = decode(data); err == nil { // as a rule, it has an error that says more
		err = ErrMalformed
	}
	return all, err
}

type logsJSON struct{ plog.JSONUnmarshaler }

func (u *logsJSON) UnmarshalLogs(data []byte) (plog.Logs, error) {
	return decodeLines(data, u.JSONUnmarshaler.UnmarshalLogs, func(from, to plog.Logs) error {
		from.ResourceLogs().MoveAndAppendTo(to.ResourceLogs())
		return nil
	})
}

type tracesJSON struct{ ptrace.JSONUnmarshaler }

func (u *tracesJSON) UnmarshalTraces(data []byte) (ptrace.Traces, error) {
	return decodeLines(data, u.JSONUnmarshaler.UnmarshalTraces, func(from, to ptrace.Traces) error {
		from.ResourceSpans().MoveAndAppendTo(to.ResourceSpans())
		return nil
	})
}

type metricsJSON struct{ pmetric.JSONUnmarshaler }

func (u *metricsJSON) UnmarshalMetrics(data []byte) (pmetric.Metrics, error) {
	return decodeLines(data, u.JSONUnmarshaler.UnmarshalMetrics, func(from, to pmetric.Metrics) error {
		from.ResourceMetrics().MoveAndAppendTo(to.ResourceMetrics())
		return nil
	})
}

type profilesJSON struct{ pprofile.JSONUnmarshaler }

// UnmarshalProfiles makes one dictionary of those of all lines.
func (u *profilesJSON) UnmarshalProfiles(data []byte) (pprofile.Profiles, error) {
	return decodeLines(data, u.JSONUnmarshaler.UnmarshalProfiles, pprofile.Profiles.MergeTo)
}
