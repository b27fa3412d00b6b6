// Package peers lets tests talk to other programs: kinesis-mock, a stand-in for Kinesis that is not this project's,
// AWS's own deaggregator for Node.js, and the programs that this repository builds.
//
// The programs of others come from npm; `make peers` installs them, and needs Node.js.
package peers
