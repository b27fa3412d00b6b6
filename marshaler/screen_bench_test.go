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
