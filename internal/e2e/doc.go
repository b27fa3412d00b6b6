// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e tests the collector that `make build` builds. The collector runs as a process of its own and gets telemetry
// from real OTLP clients. The tests have the build tag e2e.
package e2e
