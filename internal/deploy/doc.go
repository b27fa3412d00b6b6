// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package deploy tests what is in the folder deploy. Each configuration is one that the exporter and the built collector take.
// The numbers of each file fit each other. Validators of others accept the files.
package deploy
