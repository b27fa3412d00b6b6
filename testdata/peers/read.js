'use strict'

// Reads Kinesis records as programs in JavaScript do. Input and output are those of read.py. The reader "aws-kinesis-agg"
// deaggregates.

const readline = require('readline')
const zlib = require('zlib')
const fzstd = require('fzstd')
const snappy = require('snappyjs')
const { deaggregateSync } = require('aws-kinesis-agg')
const { opentelemetry } = require('@opentelemetry/otlp-transformer/build/src/generated/root')

const collector = opentelemetry.proto.collector
const signals = {
  logs: { request: collector.logs.v1.ExportLogsServiceRequest, lists: ['resourceLogs', 'scopeLogs', 'logRecords'] },
  traces: { request: collector.trace.v1.ExportTraceServiceRequest, lists: ['resourceSpans', 'scopeSpans', 'spans'] },
  metrics: { request: collector.metrics.v1.ExportMetricsServiceRequest, lists: ['resourceMetrics', 'scopeMetrics', 'metrics'] }
}

function deaggregate (record) {
  let failure, members
  deaggregateSync({ partitionKey: record.partition_key, data: record.data }, true, (err, userRecords) => {
    // The package calls back once more after an error of a single record.
    if (err) failure = err
    else members = userRecords
  })
  if (failure) throw new Error(String(failure))
  return members.map((member) => Buffer.from(member.data, 'base64'))
}

// unframe decompresses snappy's framing format, which no npm package does. snappyjs decompresses the blocks in it.
function unframe (data) {
  if (data.toString('latin1', 0, 10) !== '\xff\x06\x00\x00sNaPpY') throw new Error('no snappy frame')
  const parts = []
  for (let at = 0; at < data.length;) {
    const kind = data[at]
    const length = data.readUIntLE(at + 1, 3)
    const block = data.subarray(at + 8, at + 4 + length) // behind a checksum of 4 bytes
    if (kind === 0) parts.push(Buffer.from(snappy.uncompress(block)))
    else if (kind === 1) parts.push(block)
    else if (kind < 0x80) throw new Error(`snappy chunk ${kind}`)
    at += 4 + length
  }
  return Buffer.concat(parts)
}

function decompress (data, compression) {
  switch (compression) {
    case 'snappy': return unframe(data)
    case 'zstd': return Buffer.from(fzstd.decompress(data))
    case 'gzip': return zlib.gunzipSync(data)
    default: return data
  }
}

const hex = (id) => typeof id === 'string' ? id : Buffer.from(id || []).toString('hex')

function itemsOf (signal, root) {
  const [first, second, third] = signals[signal].lists
  const items = []
  for (const resource of root[first] || []) {
    for (const scope of resource[second] || []) {
      for (const item of scope[third] || []) {
        if (signal === 'logs') items.push(`${item.body.stringValue}|${hex(item.traceId)}`)
        else if (signal === 'traces') items.push(`${item.name}|${hex(item.traceId)}`)
        else {
          for (const data of [item.gauge, item.sum, item.histogram, item.exponentialHistogram, item.summary]) {
            for (let i = 0; data && i < data.dataPoints.length; i++) items.push(`${item.name}|`)
          }
        }
      }
    }
  }
  return items
}

function decode (signal, decoder, data) {
  const { request } = signals[signal]
  switch (decoder) {
    case 'otlp_proto': return itemsOf(signal, request.decode(data))
    case 'lines': return data.toString().trimEnd().split('\n').flatMap((line) => itemsOf(signal, JSON.parse(line)))
    case 'document': return itemsOf(signal, JSON.parse(data.toString()))
    case 'protobuf_json': return itemsOf(signal, request.fromObject(JSON.parse(data.toString())))
  }
  throw new Error(decoder)
}

function read (record) {
  const messages = record.reader === 'aws-kinesis-agg' ? deaggregate(record) : [Buffer.from(record.data, 'base64')]
  return messages.flatMap((message) => decode(record.signal, record.decoder, decompress(message, record.compression)))
}

async function main () {
  for await (const line of readline.createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    let answer
    try {
      answer = { items: read(JSON.parse(line)) }
    } catch (error) {
      answer = { error: String(error) }
    }
    if (!process.stdout.write(JSON.stringify(answer) + '\n')) await new Promise((resolve) => process.stdout.once('drain', resolve))
  }
}

main()
