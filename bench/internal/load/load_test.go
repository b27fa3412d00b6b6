// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package load_test

import (
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/load"
)

// Items have the sizes that the documents name. They are as compressible as real telemetry.
func TestRequests(t *testing.T) {
	sizes := map[string][2]int{ // bytes of OTLP for an item
		"logs-1x1000":    {270, 320},
		"logs-100x100":   {270, 320},
		"logs-10000x1":   {490, 560},
		"traces-10x100":  {280, 330},
		"metrics-10x100": {190, 240},
		"logs-1x10":      {280, 330},
	}
	for _, shape := range append(load.Shapes(), load.Lone()) {
		t.Run(shape.Name, func(t *testing.T) {
			found, err := load.Find(shape.Name)
			require.NoError(t, err)
			assert.Equal(t, shape, found)
			requests := load.Requests(shape, 2, 7)
			first, err := requests[0].Marshal(shape)
			require.NoError(t, err)
			second, err := requests[1].Marshal(shape)
			require.NoError(t, err)
			assert.NotEqual(t, first, second)

			perItem := len(first) / shape.ItemsPerRequest()
			assert.GreaterOrEqual(t, perItem, sizes[shape.Name][0])
			assert.LessOrEqual(t, perItem, sizes[shape.Name][1])
			if shape != load.Lone() {
				ratio := float64(len(first)) / float64(len(s2.EncodeSnappy(nil, first)))
				assert.Greater(t, ratio, 2.0)
				assert.Less(t, ratio, 6.0)
			}

			again, err := load.Requests(shape, 1, 7)[0].Marshal(shape)
			require.NoError(t, err)
			assert.Equal(t, first, again)
			copied, err := requests[0].Clone(shape).Marshal(shape)
			require.NoError(t, err)
			assert.Equal(t, first, copied)
			appended, err := requests[0].AppendMarshal(shape, []byte("before"))
			require.NoError(t, err)
			assert.Equal(t, append([]byte("before"), first...), appended)
		})
	}
}

func TestFindUnknown(t *testing.T) {
	_, err := load.Find("logs")
	assert.EqualError(t, err, `there is no shape "logs"`)
}
