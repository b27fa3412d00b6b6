// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package peers lets tests use other programs: kinesis-mock, which is a stand-in for Kinesis from another project, AWS's own
// deaggregators for Node.js, Python and Java, the protobuf of these languages, and the programs that this repository builds.
//
// `make peers` installs the packages, with npm, pip and Maven. Tests of what Python and Java read are skipped where there is no
// Python and no Java.
package peers
