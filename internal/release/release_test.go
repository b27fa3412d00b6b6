// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// root is the repository as seen from this package's directory, where its tests run.
const root = "../.."

// write makes a directory with files, by name, and returns its path.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	directory := t.TempDir()
	for name, content := range files {
		path := filepath.Join(directory, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	return directory
}

// user returns a module of somebody else's that imports a package.
func user(t *testing.T, module, version, main string) string {
	t.Helper()
	return write(t, map[string]string{
		"go.mod":  "module example.com/user\n\ngo 1.26.0\n\nrequire " + module + " " + version + "\n",
		"main.go": main,
	})
}

// What is in the working tree works for strangers once both modules have their tags: nothing is replaced there.
func TestFromTags(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git, as the Go command does")
	}
	version, err := requiredVersion(t.Context(), root)
	require.NoError(t, err)
	at, err := tag(t.Context(), root, version, t.TempDir())
	require.NoError(t, err)
	run := func(t *testing.T, directory string, args ...string) string {
		t.Helper()
		printed, err := at.goCommand(t.Context(), directory, args...)
		require.NoError(t, err)
		return printed
	}

	t.Run("a command is installed", func(t *testing.T) {
		bin := t.TempDir()
		at := &tagged{environment: append(at.environment, "GOBIN="+bin)}
		_, err := at.goCommand(t.Context(), bin, "install", rootModule+"/cmd/kinesistail@"+version)
		require.NoError(t, err)
		assert.FileExists(t, filepath.Join(bin, "kinesistail"))
	})

	t.Run("a collector has the exporter", func(t *testing.T) {
		directory := user(t, rootModule, version, `package main

import exporter "`+rootModule+`"

func main() { print(exporter.NewFactory().Type().String()) }
`)
		run(t, directory, "build", "-mod=mod", "-o", "collector", ".")
		printed := run(t, directory, "list", "-m", kplModule)
		assert.Equal(t, kplModule+" "+version+"\n", printed)
	})

	t.Run("ocb builds a distribution that replaces nothing", func(t *testing.T) {
		directory := write(t, map[string]string{"manifest.yaml": manifestOfAUser(t, version)})
		run(t, directory, "run", toolVersion(t, "go.opentelemetry.io/collector/cmd/builder"), "--config", "manifest.yaml")
		text, err := os.ReadFile(filepath.Join(directory, "collector", "go.mod"))
		require.NoError(t, err)
		assert.NotContains(t, string(text), "replace")
		printed, err := output(t.Context(), directory, nil, filepath.Join(directory, "collector", "collector"), "components")
		require.NoError(t, err)
		assert.Regexp(t, `name: kinesis_kpl\n +module: `+regexp.QuoteMeta(rootModule+" "+version), printed)
	})

	t.Run("a command has the same bytes wherever it is built", func(t *testing.T) {
		other, err := tag(t.Context(), root, version, t.TempDir())
		require.NoError(t, err)
		var built [][]byte
		for _, at := range []*tagged{at, other} {
			bin := t.TempDir()
			at := &tagged{environment: append(slices.Clone(at.environment), "GOBIN="+bin)}
			_, err := at.goCommand(t.Context(), bin, "install", "-buildvcs=false", "-ldflags", "-s -w",
				rootModule+"/cmd/kinesistail@"+version)
			require.NoError(t, err)
			program, err := os.ReadFile(filepath.Join(bin, "kinesistail"))
			require.NoError(t, err)
			built = append(built, program)
		}
		assert.True(t, bytes.Equal(built[0], built[1]))
	})

	t.Run("a user of kpl gets nothing of the Collector", func(t *testing.T) {
		directory := user(t, kplModule, version, `package main

import "`+kplModule+`"

func main() { print(kpl.ErrClosed.Error()) }
`)
		run(t, directory, "build", "-mod=mod", "-o", "user", ".")
		modules := run(t, directory, "list", "-m", "all")
		assert.Contains(t, modules, kplModule+" "+version+"\n")
		for _, foreign := range []string{rootModule + " ", "go.opentelemetry.io/collector", "google.golang.org/grpc"} {
			assert.NotContains(t, modules, foreign)
		}
	})
}

// manifestOfAUser returns a manifest as the README says, with a receiver and what else ocb needs to build a small collector.
func manifestOfAUser(t *testing.T, version string) string {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	exporters := regexp.MustCompile("(?s)<!-- manifest -->\n```yaml\n(.*?)```").FindSubmatch(readme)
	require.NotNil(t, exporters)
	require.Contains(t, string(exporters[1]), rootModule+" "+version+"\n", "README.md names the version of the release")
	builder, err := os.ReadFile(filepath.Join(root, "builder-config.yaml"))
	require.NoError(t, err)
	receiver := regexp.MustCompile(`(?m)^receivers:\n.*otlpreceiver.*\n`).FindString(string(builder))
	_, providers, has := strings.Cut(string(builder), "\nproviders:\n")
	require.True(t, has && receiver != "")
	providers, _, _ = strings.Cut(providers, "\n\n")
	return "dist:\n  name: collector\n  output_path: ./collector\n" + receiver + string(exporters[1]) +
		"providers:\n" + providers + "\n"
}

// toolVersion returns a package of the Makefile's tools with its version.
func toolVersion(t *testing.T, path string) string {
	t.Helper()
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	tool := regexp.MustCompile(regexp.QuoteMeta(path) + `@v[0-9.]+`).Find(makefile)
	require.NotNil(t, tool, path)
	return string(tool)
}

// A copy of the repository gets the next version everywhere, with the hashes that a checkout without a workspace asks for.
func TestPrepare(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git, as the Go command does")
	}
	repository := write(t, map[string]string{
		"LICENSE": "free\n",
		"go.mod":  "module " + rootModule + "\n\ngo 1.26.0\n\nrequire " + kplModule + " v0.1.0\n",
		"go.sum":  kplModule + " v0.1.0 h1:old=\n" + kplModule + " v0.1.0/go.mod h1:old=\n",
		"go.work": "go 1.26.0\n\nuse (\n\t.\n\t./kpl\n)\n\nreplace " + kplModule + " v0.1.0 => ./kpl\n",
		"main.go": "package main\n\nimport _ \"" + kplModule + "\"\n\nfunc main() {}\n",

		"bench/go.mod": "module " + rootModule + "/bench\n\ngo 1.26.0\n\nrequire " + kplModule + " v0.1.0\n",

		"kpl/go.mod": "module " + kplModule + "\n\ngo 1.26.0\n",
		"kpl/kpl.go": "package kpl\n",
	})
	require.NoError(t, prepare(t.Context(), repository, "v0.2.0", t.TempDir()))
	_, err := output(t.Context(), repository, nil, "go", "build", "-o", os.DevNull, ".")
	require.NoError(t, err, "the workspace")
	bench, err := os.ReadFile(filepath.Join(repository, "bench", "go.mod")) // an older version there is an error
	require.NoError(t, err)
	assert.Contains(t, string(bench), kplModule+" v0.2.0\n")

	at, err := tag(t.Context(), repository, "v0.2.0", t.TempDir())
	require.NoError(t, err)
	_, err = at.goCommand(t.Context(), repository, "build", "-mod=readonly", "-o", os.DevNull, ".")
	require.NoError(t, err, "the hashes in go.sum are those of the tag")

	require.NoError(t, os.WriteFile(filepath.Join(repository, "kpl", "kpl.go"), []byte("package kpl // changed\n"), 0o600))
	at, err = tag(t.Context(), repository, "v0.2.0", t.TempDir())
	require.NoError(t, err)
	_, err = at.goCommand(t.Context(), repository, "build", "-mod=readonly", "-o", os.DevNull, ".")
	assert.ErrorContains(t, err, "checksum mismatch")
}

func TestPrepareRejects(t *testing.T) {
	for _, version := range []string{"", "0.2.0", "v0.2", "v2.0.0", "v0.2.0 "} {
		assert.ErrorContains(t, prepare(context.Background(), t.TempDir(), version, t.TempDir()), "is no version", version)
	}
}

func TestWithHashes(t *testing.T) {
	const (
		before = "github.com/json-iterator/go v1.1.12 h1:a=\n"
		after  = "github.com/stretchr/testify v1.9.0 h1:b=\n"
		want   = kplModule + " v0.2.0 h1:zip=\n" + kplModule + " v0.2.0/go.mod h1:mod=\n"
	)
	for name, test := range map[string]struct{ sums, want string }{
		"none yet":  {before + after, before + want + after},
		"older":     {before + strings.ReplaceAll(want, "0.2", "0.1") + after, before + want + after},
		"the last":  {before, before + want},
		"the first": {after, want + after},
		"again":     {before + want + after, before + want + after},
	} {
		assert.Equal(t, test.want, withHashes(test.sums, "v0.2.0", "h1:zip=", "h1:mod="), name)
	}
}
