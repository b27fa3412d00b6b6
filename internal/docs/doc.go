// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package docs holds the checks that keep the house in order: documents that are true (links, file map, tables of README.md and
// of docs/faults.md), the layers of package kpl, the words of comments and names, and license headers.
package docs
