// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package wire

import (
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/wire/wiretest"
)

func TestWritingARequestAllocatesNothing(t *testing.T) {
	in := wiretest.Size{Records: 500, Bytes: 1000}.Input()
	var body requestBody
	for name, set := range map[string]func(*kinesis.PutRecordsInput){"JSON": body.setJSON, "CBOR": body.setCBOR} {
		assert.Zero(t, testing.AllocsPerRun(10, func() {
			set(in)
			_, err := body.WriteTo(io.Discard)
			require.NoError(t, err)
		}), name)
	}
}

func TestReadingAnAnswerAllocatesForAllRecordsTogether(t *testing.T) {
	text := wiretest.UsualAnswer(500)
	inCBOR, _ := wiretest.AsCBOR(text, true)
	w := cborProtocol()
	for name, answer := range map[string][]byte{"JSON": []byte(text), "CBOR": inCBOR} {
		perAnswer := testing.AllocsPerRun(10, func() {
			require.True(t, w.reads(name == "CBOR", answer, 500))
		})
		assert.LessOrEqual(t, perAnswer, 9.0, name) // one is the output's
	}
}
