// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build race

package kinesiskplexporter

// raceDetector says whether the tests run with the race detector.
const raceDetector = true
