// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// version is what may be released: no pseudo-version, and no v2, which would need other module paths.
var version = regexp.MustCompile(`^v[01]\.\d+\.\d+(-[0-9a-z.]+)?$`)

// prepare writes the version of kpl wherever the repository at root names it, and the hashes of kpl into go.sum. The
// hashes depend on the files in kpl and on the license alone, so that one commit can hold them and carry both tags.
// Directory must be empty.
func prepare(ctx context.Context, root, next, directory string) error {
	if !version.MatchString(next) {
		return fmt.Errorf("%s is no version like v0.2.0", next)
	}
	required, err := requiredVersion(ctx, root)
	if err != nil {
		return err
	}
	for _, file := range []string{"go.mod", "bench/go.mod"} {
		if _, err := output(ctx, root, nil, "go", "mod", "edit", "-require", kplModule+"@"+next, file); err != nil {
			return err
		}
	}
	if _, err := output(ctx, root, nil, "go", "work", "edit", "-dropreplace", kplModule+"@"+required,
		"-replace", kplModule+"@"+next+"=./kpl"); err != nil {
		return err
	}
	at, err := tag(ctx, root, next, directory)
	if err != nil {
		return err
	}
	downloaded, err := at.goCommand(ctx, directory, "mod", "download", "-json", kplModule+"@"+next)
	if err != nil {
		return err
	}
	var hashes struct{ Sum, GoModSum string }
	if err := json.Unmarshal([]byte(downloaded), &hashes); err != nil {
		return err
	}
	file := filepath.Join(root, "go.sum")
	sums, err := os.ReadFile(file) //nolint:gosec // the repository's
	if err != nil {
		return err
	}
	//nolint:gosec // A file of the repository is for everybody.
	return os.WriteFile(file, []byte(withHashes(string(sums), next, hashes.Sum, hashes.GoModSum)), 0o644)
}

// requiredVersion returns the version of kpl that go.mod of the module at root requires.
func requiredVersion(ctx context.Context, root string) (string, error) {
	printed, err := output(ctx, root, nil, "go", "mod", "edit", "-json")
	if err != nil {
		return "", err
	}
	var file struct {
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal([]byte(printed), &file); err != nil {
		return "", err
	}
	for _, required := range file.Require {
		if required.Path == kplModule {
			return required.Version, nil
		}
	}
	return "", fmt.Errorf("go.mod does not require %s", kplModule)
}

// withHashes returns the content of a go.sum with the hashes of one version of kpl in place of all others, in the order
// that the Go command keeps.
func withHashes(sums, version, zip, mod string) string {
	added := kplModule + " " + version + " " + zip + "\n" + kplModule + " " + version + "/go.mod " + mod + "\n"
	var s strings.Builder
	for line := range strings.Lines(sums) {
		if strings.HasPrefix(line, kplModule+" ") {
			continue
		}
		if added != "" && line > added {
			s.WriteString(added)
			added = ""
		}
		s.WriteString(line)
	}
	return s.String() + added
}
