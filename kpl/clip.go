// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import "strings"

// clip shortens a name that a service gives, such as a shard id or an error code. It copies what it keeps of a longer one, so
// that a Result does not keep a whole answer in memory.
func clip(name string) string {
	const most = 256
	if len(name) > most {
		name = strings.Clone(name[:most])
	}
	return strings.ToValidUTF8(name, "") // a service may send any bytes, and the cut may be inside a character
}
