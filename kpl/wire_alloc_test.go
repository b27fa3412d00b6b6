//go:build unix && !race

package kpl

import (
	"io"
	"runtime"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWritingARequestAllocatesNothing(t *testing.T) {
	in := wireRequest{records: 500, bytes: 1000}.input()
	var body requestBody
	for name, set := range map[string]func(*kinesis.PutRecordsInput){"JSON": body.setJSON, "CBOR": body.setCBOR} {
		assert.Zero(t, testing.AllocsPerRun(10, func() {
			set(in)
			_, err := body.WriteTo(io.Discard)
			require.NoError(t, err)
		}), name)
	}
}

// The hash keys of a request are one string; the input itself is another object, and its stream a third.
func TestEncodingRecordsAllocatesThreeTimes(t *testing.T) {
	config := benchmarkConfig()
	p, err := New(newSink(1), config)
	require.NoError(t, err)
	w := newWorker(p.newSender(t.Context(), testStream, nil))
	r := &request{}
	for range MaxRecordsPerRequest {
		r.records = append(r.records, aggregate(t, 51_200, sized("key", 100), sized("key", 100))...)
	}
	assert.LessOrEqual(t, testing.AllocsPerRun(10, func() { w.input(r) }), 3.0)
	require.NoError(t, p.Close(t.Context()))
}

func TestReadingAnAnswerAllocatesForAllRecordsTogether(t *testing.T) {
	text := usualAnswer(500)
	inCBOR, _ := asCBOR(text, true)
	w := cborWire()
	for name, answer := range map[string][]byte{"JSON": []byte(text), "CBOR": inCBOR} {
		perAnswer := testing.AllocsPerRun(10, func() {
			require.True(t, w.reads(name == "CBOR", answer, 500))
		})
		assert.LessOrEqual(t, perAnswer, 9.0, name) // one is the output's
	}
}

// What a call allocates does not depend on the bytes it sends, and hardly on the number of records. The server's part,
// about 40 objects, is counted too.
func TestACallAllocatesLittle(t *testing.T) {
	for _, size := range wireRequests() {
		for name, w := range map[string]*wireProtocol{"JSON": jsonWire(), "CBOR": cborWire()} {
			t.Run(size.String()+" "+name, func(t *testing.T) {
				client, in := loopback(t, size), size.input()
				call := func() {
					_, err := client.PutRecords(t.Context(), in, callOptions, w.speak)
					require.NoError(t, err)
				}
				call() // it opens the connection
				const calls = 10
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				for range calls {
					call()
				}
				runtime.ReadMemStats(&after)
				assert.LessOrEqual(t, int(after.TotalAlloc-before.TotalAlloc)/calls, 200_000)
				assert.LessOrEqual(t, int(after.Mallocs-before.Mallocs)/calls, 450)
			})
		}
	}
}
