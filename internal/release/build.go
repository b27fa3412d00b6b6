// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// allPlatforms are those that a release has programs for.
var allPlatforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64"}

// The programs of a release.
const (
	collectorName = "otelcol-kinesis"
	tailName      = "kinesistail"
)

// tools are programs of others.
type tools struct{ ocb, cyclonedx string }

// release builds what a release publishes, from tags on the working tree at root.
type release struct {
	root    string
	version string // v0.2.0
	tools   tools
	log     io.Writer
}

// publishable builds everything into out. With again it builds the programs of the first platform once more, without any cache
// and in other directories. It returns an error if the bytes differ.
func (r release) publishable(ctx context.Context, directory, out string, platforms []string, again bool) error {
	if len(platforms) == 0 {
		return errors.New("no platform to build for")
	}
	if err := errors.Join(os.RemoveAll(out), os.MkdirAll(out, 0o755)); err != nil { //nolint:gosec // for everybody
		return err
	}
	first, err := r.build(ctx, filepath.Join(directory, "first"), out, platforms, nil)
	if err != nil {
		return err
	}
	//nolint:gosec // A published file is for everybody.
	if err := os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(first.text()), 0o644); err != nil {
		return err
	}
	if !again {
		return nil
	}
	second := filepath.Join(directory, "second")
	files, err := r.build(ctx, second, second, platforms[:1], []string{"GOCACHE=" + filepath.Join(directory, "cache")})
	if err != nil {
		return err
	}
	for name, sum := range files {
		if first[name] != sum {
			return fmt.Errorf("%s is not reproducible: SHA-256 is %s, and %s without a cache", name, first[name], sum)
		}
	}
	_, err = fmt.Fprintf(r.log, "the %d files of %s have the same bytes when they are built without a cache\n",
		len(files), platforms[0])
	return err
}

// build tags the working tree and builds what a release has for each platform. It works below directory, which it makes.
func (r release) build(ctx context.Context, directory, out string, platforms, environment []string) (sums, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, err
	}
	at, err := tag(ctx, r.root, r.version, directory)
	if err != nil {
		return nil, err
	}
	at.environment = slices.Concat(at.environment, environment)
	source, err := r.generate(ctx, at, directory)
	if err != nil {
		return nil, err
	}
	all := sums{}
	for _, platform := range platforms {
		built, err := r.buildFor(ctx, at, source, directory, platform)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", platform, err)
		}
		packed, err := r.pack(ctx, built, out, platform)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", platform, err)
		}
		maps.Copy(all, packed)
		names := slices.Sorted(maps.Keys(packed))
		if _, err := fmt.Fprintf(r.log, "built for %s: %s\n", platform, strings.Join(names, ", ")); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// generate lets ocb write the sources of the collector in an empty directory, from a manifest that replaces nothing.
func (r release) generate(ctx context.Context, at *tagged, directory string) (source string, err error) {
	text, err := os.ReadFile(filepath.Join(r.root, "builder-config.yaml"))
	if err != nil {
		return "", err
	}
	manifest, err := taggedManifest(string(text), r.version)
	if err != nil {
		return "", err
	}
	file := filepath.Join(directory, "manifest.yaml")
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil { //nolint:gosec // in a directory of its own
		return "", err
	}
	_, err = output(ctx, directory, at.environment, r.tools.ocb, "--config", file, "--skip-compilation")
	return filepath.Join(directory, "collector"), err
}

// taggedManifest returns builder-config.yaml as a user writes it: with a version of the exporter, and without replacements.
func taggedManifest(text, version string) (string, error) {
	manifest, _, replaces := strings.Cut(text, "\nreplaces:\n")
	for _, change := range [][2]string{
		{"gomod: " + rootModule + " v0.0.0\n", "gomod: " + rootModule + " " + version + "\n"},
		{"output_path: ./dist\n", "output_path: ./collector\n"},
	} {
		if !replaces || strings.Count(manifest, change[0]) != 1 {
			return "", fmt.Errorf("builder-config.yaml must have %q and end with replaces", strings.TrimSpace(change[0]))
		}
		manifest = strings.Replace(manifest, change[0], change[1], 1)
	}
	if want := "version: " + strings.TrimPrefix(version, "v") + "\n"; !strings.Contains(manifest, want) {
		return "", fmt.Errorf("builder-config.yaml must have %q", strings.TrimSpace(want))
	}
	return manifest, nil
}

// buildFor builds the programs for a platform and returns their paths, the collector first.
func (r release) buildFor(ctx context.Context, at *tagged, source, directory, platform string) ([]string, error) {
	system, processor, is := strings.Cut(platform, "/")
	if !is {
		return nil, errors.New("a platform is written like linux/amd64")
	}
	suffix := map[bool]string{true: ".exe"}[system == "windows"]
	gopath := filepath.Join(directory, "gopath", system+"_"+processor)
	target := &tagged{environment: append(slices.Clone(at.environment), "GOOS="+system, "GOARCH="+processor, "GOPATH="+gopath)}
	collector := filepath.Join(gopath, collectorName+suffix)
	flags := []string{"-buildvcs=false", "-ldflags", "-s -w"}
	build := slices.Concat([]string{"build", "-o", collector}, flags, []string{"."})
	if _, err := target.goCommand(ctx, source, build...); err != nil {
		return nil, err
	}
	install := slices.Concat([]string{"install"}, flags, []string{rootModule + "/cmd/" + tailName + "@" + r.version})
	if _, err := target.goCommand(ctx, directory, install...); err != nil {
		return nil, err
	}
	for _, tail := range []string{ // the Go command has a directory of its own for other platforms
		filepath.Join(gopath, "bin", tailName+suffix),
		filepath.Join(gopath, "bin", system+"_"+processor, tailName+suffix),
	} {
		if _, err := os.Stat(tail); err == nil {
			return []string{collector, tail}, nil
		}
	}
	return nil, fmt.Errorf("the Go command did not install %s", tailName)
}

// pack writes an archive with the programs and a bill of materials for each, and returns their checksums.
func (r release) pack(ctx context.Context, programs []string, out, platform string) (sums, error) {
	version := strings.TrimPrefix(r.version, "v")
	prefix := func(name string) string {
		return filepath.Join(out, name+"_"+version+"_"+strings.ReplaceAll(platform, "/", "_"))
	}
	files := []string{prefix(collectorName) + ".tar.gz"}
	if err := writeArchive(files[0], append(slices.Clone(programs), filepath.Join(r.root, "LICENSE"))); err != nil {
		return nil, err
	}
	for _, program := range programs {
		name := strings.TrimSuffix(filepath.Base(program), ".exe")
		bill, err := filepath.Abs(prefix(name) + ".cdx.json")
		if err != nil {
			return nil, err
		}
		if _, err := output(ctx, out, nil, r.tools.cyclonedx, "bin", "-json", "-std", "-noserial", "-notimestamp",
			"-version", r.version, "-output", bill, program); err != nil {
			return nil, err
		}
		files = append(files, bill)
	}
	return sumsOf(files)
}
