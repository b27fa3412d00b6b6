// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package peers lets tests use other programs: kinesis-mock, which is a stand-in for Kinesis from another project, AWS's own
// deaggregator for Node.js, Python's protobuf, and the programs that this repository builds.
//
// kinesis-mock and the deaggregator are npm packages. `make peers` installs them and Python's protobuf, with
// Node.js and Python. Tests of what Python reads are skipped where there is no Python.
package peers
