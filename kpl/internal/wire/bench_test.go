// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"crypto/sha256"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/otel-kinesis/kinesiskplexporter/kpl/internal/wire/wiretest"
)

// BenchmarkBody measures only the body of a request, which is read twice: to be hashed and to be sent.
func BenchmarkBody(b *testing.B) {
	var body requestBody
	for _, size := range wiretest.Sizes() {
		in := size.Input()
		for name, set := range map[string]func(*kinesis.PutRecordsInput){"json": body.setJSON, "cbor": body.setCBOR} {
			b.Run(size.String()+"/"+name, func(b *testing.B) {
				hash, piece := sha256.New(), make([]byte, 32<<10)
				b.SetBytes(int64(size.Records * size.Bytes))
				b.ReportAllocs()
				for b.Loop() {
					set(in)
					if _, err := body.WriteTo(hash); err != nil {
						b.Fatal(err)
					}
					body.rewind()
					for body.left > 0 {
						body.fill(piece)
					}
				}
			})
		}
	}
}

// BenchmarkAnswer measures only reading the answer about 500 records.
func BenchmarkAnswer(b *testing.B) {
	text := wiretest.UsualAnswer(500)
	inCBOR, _ := wiretest.AsCBOR(text, true)
	for name, answer := range map[string][]byte{"json": []byte(text), "cbor": inCBOR} {
		b.Run(name, func(b *testing.B) {
			w := cborProtocol()
			b.SetBytes(int64(len(answer)))
			b.ReportAllocs()
			for b.Loop() {
				if !w.reads(name == "cbor", answer, 500) {
					b.Fatal("not the usual answer")
				}
			}
		})
	}
}
