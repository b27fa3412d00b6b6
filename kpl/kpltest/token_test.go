// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzDecodeToken(f *testing.F) {
	f.Add(encodeToken(iterator{ARN: "arn", Position: 7}))
	f.Add(encodeToken(pageToken{After: "shardId-000000000001"}))
	f.Add("e30=")
	f.Fuzz(func(t *testing.T, token string) {
		var it iterator
		if decodeToken(token, &it) {
			require.Equal(t, token, encodeToken(it), "only what encodeToken writes is read")
		}
	})
}
