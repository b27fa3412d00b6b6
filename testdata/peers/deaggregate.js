'use strict'

// Deaggregates Kinesis records with AWS's aws-kinesis-agg. Each line of standard input is a record as JSON:
//
//   {"partitionKey": "...", "explicitPartitionKey": "...", "sequenceNumber": "...", "data": "<base64>"}
//
// For each it prints a line: {"userRecords": [...]} with records of the same form, or {"error": "..."}. Both
// explicitPartitionKey, which is what the package calls an explicit hash key, and sequenceNumber may be missing.

const readline = require('readline')
const { deaggregateSync } = require('aws-kinesis-agg')

function deaggregate (record) {
  let answer
  deaggregateSync(record, true, (err, userRecords) => {
    // The package calls back once more after an error of a single record.
    if (!answer || !answer.error) answer = err ? { error: String(err) } : { userRecords }
  })
  return answer
}

async function main () {
  for await (const line of readline.createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    const answer = JSON.stringify(deaggregate(JSON.parse(line)))
    if (!process.stdout.write(answer + '\n')) await new Promise((resolve) => process.stdout.once('drain', resolve))
  }
}

main()
