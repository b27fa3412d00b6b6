// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package encodings

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

var errNoBody = errors.New("it has no body")

// Raw returns the body of the first log record, without anything around it: text and bytes as they are, other values as JSON.
// It fails for a record without a body.
func Raw(logs plog.Logs) ([]byte, error) {
	body := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body()
	switch body.Type() { //nolint:exhaustive // all others are JSON
	case pcommon.ValueTypeEmpty:
		return nil, errNoBody
	case pcommon.ValueTypeStr:
		return []byte(body.Str()), nil
	case pcommon.ValueTypeBytes:
		return body.Bytes().AsRaw(), nil
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false) // the JSON is for no web page
	if err := e.Encode(jsonOf(body.AsRaw())); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// jsonOf returns a value that can be encoded as JSON. Numbers that JSON lacks become text, as in OTLP's JSON.
func jsonOf(value any) any {
	switch value := value.(type) {
	case float64:
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return strconv.FormatFloat(value, 'f', -1, 64)
		}
	case map[string]any:
		for key, inner := range value {
			value[key] = jsonOf(inner)
		}
	case []any:
		for i, inner := range value {
			value[i] = jsonOf(inner)
		}
	}
	return value
}
