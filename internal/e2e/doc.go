// Package e2e tests the collector that `make build` makes, as a process of its own, with real OTLP clients. Its tests
// have the build tag e2e.
package e2e
