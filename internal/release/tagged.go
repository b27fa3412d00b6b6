// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// The modules of the repository that are released. Their tags are VERSION and kpl/VERSION.
const (
	rootModule = "github.com/otel-kinesis/kinesiskplexporter"
	kplModule  = rootModule + "/kpl"
)

// tagged is a repository in which the working tree is one commit that both tags point to. The Go command takes the modules
// from there instead of GitHub, and packs them as it does everywhere.
type tagged struct {
	environment []string // of commands that use it
}

// tag makes a repository of the files below root that git does not ignore, in a directory that must be empty. It does not
// touch the repository that root is part of.
func tag(ctx context.Context, root, version, directory string) (*tagged, error) {
	repository, modules := filepath.Join(directory, "repository"), filepath.Join(directory, "modules")
	known, err := output(ctx, root, nil, "go", "env", "GOMODCACHE", "GOPROXY")
	if err != nil {
		return nil, err
	}
	cache, proxies, _ := strings.Cut(strings.TrimSpace(known), "\n")
	git := []string{"-c", "user.name=release", "-c", "user.email=release@localhost", "--git-dir", repository, "--work-tree", "."}
	plain := []string{"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1"}
	for _, args := range [][]string{
		{"init", "--quiet"},
		{"add", "--all", "."},
		{"commit", "--quiet", "--message", version},
		{"tag", version},
		{"tag", "kpl/" + version},
	} {
		if _, err := output(ctx, root, plain, "git", slices.Concat(git, args)...); err != nil {
			return nil, err
		}
	}
	return &tagged{environment: []string{
		"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=url.file://" + filepath.ToSlash(repository) + ".insteadOf", "GIT_CONFIG_VALUE_0=https://" + rootModule,
		// The cache is new, because the tags are not those of GitHub. Modules of others are copied from the usual cache.
		"GOMODCACHE=" + modules, "GOPROXY=file://" + filepath.ToSlash(cache) + "/cache/download," + proxies,
		"GOPRIVATE=" + rootModule, "GOSUMDB=off",
		"GOWORK=off", "GOFLAGS=-modcacherw -trimpath", "CGO_ENABLED=0", // with -trimpath, what `make build` compiled serves here too
	}}, nil
}

// goCommand runs the Go command in a directory, with the modules as tagged, and returns what it prints.
func (t *tagged) goCommand(ctx context.Context, directory string, args ...string) (string, error) {
	return output(ctx, directory, t.environment, "go", args...)
}

// output runs a program in a directory and returns what it prints. What git leaves to its hooks would lead to another repository.
func output(ctx context.Context, directory string, environment []string, program string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, program, args...) //nolint:gosec // git or go, with the arguments above and in prepare
	command.Dir = directory
	command.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(variable, "GIT_") })
	command.Env = append(command.Env, environment...)
	var printed, told strings.Builder
	command.Stdout, command.Stderr = &printed, &told
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", program, strings.Join(args, " "), err, told.String())
	}
	return printed.String(), nil
}
