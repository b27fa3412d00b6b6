// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/stretchr/testify/require"
)

// Root returns the directory of the repository.
func Root(t testing.TB) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	require.True(t, ok)
	if !filepath.IsAbs(file) { // with -trimpath
		return filepath.Join("..", "..")
	}
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// node returns a command that runs Node.js with args, in the directory of the npm packages. It fails the test if something
// is not installed, because a test that cannot run must not pass.
func node(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("node")
	require.NoError(t, err, "the end-to-end tests need Node.js")
	dir := filepath.Join(Root(t), "testdata", "peers")
	_, err = os.Stat(filepath.Join(dir, "node_modules"))
	require.NoError(t, err, "the npm packages are not installed: run `make peers`")
	cmd := exec.Command(path, args...) //nolint:gosec // The scripts are this repository's; Start ends them.
	cmd.Dir = dir
	return cmd
}

// UserRecord is a user record as AWS's deaggregator reads it.
type UserRecord struct {
	PartitionKey string
	// ExplicitHashKey is empty if the user record had none. It is also empty outside of aggregated records, because Kinesis
	// does not return it.
	ExplicitHashKey string
	Data            []byte
	// Aggregated says whether the user record was in an aggregated record.
	Aggregated bool
}

// Deaggregate returns the user records in each Kinesis record, as the npm package aws-kinesis-agg reads them. It fails the
// test if that package returns an error.
//
// The package has a bug: if one member of an aggregated record has an explicit hash key, all members without one get the first
// explicit hash key of the record.
func Deaggregate(t testing.TB, records []types.Record) [][]UserRecord {
	t.Helper()
	type record struct {
		PartitionKey         string `json:"partitionKey"`
		ExplicitPartitionKey string `json:"explicitPartitionKey,omitempty"`
		SubSequenceNumber    *int   `json:"subSequenceNumber,omitempty"`
		Data                 string `json:"data"`
	}
	var input bytes.Buffer
	lines := json.NewEncoder(&input)
	for _, r := range records {
		require.NoError(t, lines.Encode(record{
			PartitionKey: *r.PartitionKey, Data: base64.StdEncoding.EncodeToString(r.Data),
		}))
	}
	cmd := node(t, "deaggregate.js")
	var stdout, stderr strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &input, &stdout, &stderr
	require.NoError(t, cmd.Run(), "deaggregate.js wrote: %s", &stderr)

	all := make([][]UserRecord, 0, len(records))
	for line := range strings.Lines(stdout.String()) {
		var answer struct {
			Error       string
			UserRecords []record
		}
		require.NoError(t, json.Unmarshal([]byte(line), &answer))
		require.Empty(t, answer.Error, "of record %d", len(all))
		userRecords := make([]UserRecord, len(answer.UserRecords))
		for i, r := range answer.UserRecords {
			data, err := base64.StdEncoding.DecodeString(r.Data)
			require.NoError(t, err)
			userRecords[i] = UserRecord{r.PartitionKey, r.ExplicitPartitionKey, data, r.SubSequenceNumber != nil}
		}
		all = append(all, userRecords)
	}
	require.Len(t, all, len(records))
	return all
}
