// Package peers lets tests use other programs: kinesis-mock, which is a stand-in for Kinesis from another project, AWS's own
// deaggregator for Node.js, and the programs that this repository builds.
//
// kinesis-mock and the deaggregator are npm packages. `make peers` installs them and needs Node.js.
package peers
