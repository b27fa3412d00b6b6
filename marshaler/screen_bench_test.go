// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkScreen shows what it costs to find out that all text is valid.
func BenchmarkScreen(b *testing.B) {
	m := mustNew(b, usual(OTLPProto))
	for _, shape := range shapes {
		data := logsData{benchLogs(shape.resources, shape.records)}.whole(b, m)
		b.Run(fmt.Sprintf("%dx%d", shape.resources, shape.records), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				require.True(b, isClean(data, logsRequest, 0))
			}
		})
	}
}

// BenchmarkMarshalText shows what text that is not ASCII costs, valid or not. The text begins every body, or one in a thousand.
func BenchmarkMarshalText(b *testing.B) {
	for _, tt := range []struct {
		name, text string
		each       int
	}{
		{"ascii", "twelve boxers: ", 1},
		{"umlauts", "zwölf Boxkämpf", 1},
		{"japanese", "日本語のテキスト", 1},
		{"broken/one", "zw\xf6lf Boxk\xe4mpfe", 1000},
		{"broken/all", "zw\xf6lf Boxk\xe4mpfe", 1},
	} {
		logs := benchLogs(1, 1000)
		records := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		for i := 0; i < records.Len(); i += tt.each {
			body := records.At(i).Body()
			body.SetStr((tt.text + body.Str())[:len(body.Str())])
		}
		m := mustNew(b, usual(OTLPProto))
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				encoded, err := m.MarshalLogs(logs)
				require.NoError(b, err)
				encoded.Release()
			}
		})
	}
}
