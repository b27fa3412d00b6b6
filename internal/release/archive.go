// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// writeArchive packs files, without their directories. Equal files make equal archives: no time, owner or mode of this machine is
// in them. Programs can be executed, other files cannot.
func writeArchive(name string, files []string) (err error) {
	archive, err := os.Create(name) //nolint:gosec // in the directory that the caller names
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, archive.Close()) }()
	compressed := gzip.NewWriter(archive)
	packed := tar.NewWriter(compressed)
	for _, file := range files {
		if err := addTo(packed, file); err != nil {
			return err
		}
	}
	return errors.Join(packed.Close(), compressed.Close())
}

func addTo(archive *tar.Writer, file string) error {
	content, err := os.ReadFile(file) //nolint:gosec // what was built
	if err != nil {
		return err
	}
	mode := int64(0o755)
	if filepath.Base(file) == "LICENSE" {
		mode = 0o644
	}
	if err := archive.WriteHeader(&tar.Header{
		Name: filepath.Base(file), Mode: mode, Size: int64(len(content)), Format: tar.FormatUSTAR,
	}); err != nil {
		return err
	}
	_, err = archive.Write(content)
	return err
}

// sums are the SHA-256 of files, in hexadecimal, by the names of the files.
type sums map[string]string

func sumsOf(files []string) (sums, error) {
	all := sums{}
	for _, name := range files {
		file, err := os.Open(name) //nolint:gosec // what was built
		if err != nil {
			return nil, err
		}
		hash := sha256.New()
		_, err = io.Copy(hash, file)
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
		all[filepath.Base(name)] = hex.EncodeToString(hash.Sum(nil))
	}
	return all, nil
}

// text is what `sha256sum -c` reads.
func (s sums) text() string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&text, "%s  %s\n", s[name], name)
	}
	return text.String()
}
