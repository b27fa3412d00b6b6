// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package migration checks the migration guides in docs/migration against the exporters that users come from. It is a module of
// its own, so that nothing else needs these exporters.
package migration
