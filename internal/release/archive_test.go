// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The manifest of a release is that of the repository without what is for a clone.
func TestTaggedManifest(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "builder-config.yaml"))
	require.NoError(t, err)
	version, err := requiredVersion(t.Context(), root)
	require.NoError(t, err)
	manifest, err := taggedManifest(string(text), version)
	require.NoError(t, err)
	assert.Contains(t, manifest, "  - gomod: "+rootModule+" "+version+"\n")
	assert.NotContains(t, manifest, "../")
	assert.NotContains(t, manifest, "\nreplaces")

	_, err = taggedManifest(string(text), "v0.99.0")
	require.ErrorContains(t, err, `must have "version: 0.99.0"`)
	_, err = taggedManifest(manifest, version)
	require.ErrorContains(t, err, "end with replaces")
}

// Equal files make equal archives, whenever and wherever they were made.
func TestArchivesAreReproducible(t *testing.T) {
	files := map[string]string{"program": "code", "LICENSE": "free"}
	var archives [][]byte
	for _, made := range []time.Time{time.Unix(1, 0), time.Unix(2, 0)} {
		directory := write(t, files)
		paths := []string{filepath.Join(directory, "program"), filepath.Join(directory, "LICENSE")}
		for _, path := range paths {
			require.NoError(t, os.Chtimes(path, made, made))
			require.NoError(t, os.Chmod(path, 0o600+os.FileMode(made.Unix())))
		}
		name := filepath.Join(directory, "a.tar.gz")
		require.NoError(t, writeArchive(name, paths))
		archive, err := os.ReadFile(name)
		require.NoError(t, err)
		archives = append(archives, archive)
	}
	assert.Equal(t, archives[0], archives[1])
	name := filepath.Join(t.TempDir(), "a.tar.gz")
	require.NoError(t, os.WriteFile(name, archives[0], 0o600))
	assert.Equal(t, []string{"program -rwxr-xr-x code", "LICENSE -rw-r--r-- free"}, listing(t, name))
}

// listing returns names, modes and contents of the files in an archive.
func listing(t *testing.T, name string) (found []string) {
	t.Helper()
	file, err := os.Open(name)
	require.NoError(t, err)
	defer file.Close()
	plain, err := gzip.NewReader(file)
	require.NoError(t, err)
	archive := tar.NewReader(plain)
	for {
		header, err := archive.Next()
		if err == io.EOF { //nolint:errorlint // as the documentation says
			return found
		}
		require.NoError(t, err)
		content, err := io.ReadAll(archive)
		require.NoError(t, err)
		found = append(found, header.Name+" "+header.FileInfo().Mode().String()+" "+string(content))
	}
}

func TestSums(t *testing.T) {
	directory := write(t, map[string]string{"b": "", "a": "abc"})
	all, err := sumsOf([]string{filepath.Join(directory, "b"), filepath.Join(directory, "a")})
	require.NoError(t, err)
	assert.Equal(t, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n"+
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b\n", all.text())
	_, err = sumsOf([]string{filepath.Join(directory, "c")})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestRunRejects(t *testing.T) {
	for _, args := range [][]string{{}, {"-build", "out", "v0.2.0"}, {"v0.2.0", "v0.3.0"}} {
		assert.ErrorContains(t, run(t.Context(), args), "usage: ", args)
	}
	require.ErrorContains(t, release{root: root}.publishable(t.Context(), t.TempDir(), t.TempDir(), nil, false), "no platform")
}
