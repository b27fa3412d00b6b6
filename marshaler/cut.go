// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

// cut finds all containers and items in the data.
func (t *tree) cut() error {
	if t.framed {
		return t.cutProto(extent{0, len(t.data)}, 0, 0, 0)
	}
	return t.cutJSON()
}
