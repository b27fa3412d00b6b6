// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !amd64 || purego

package md5x8

// sideBySide reports whether addBlocks works on this processor.
func sideBySide() bool { return false }

func addBlocks(*state, *[Width]*byte, int) { panic("md5x8: there is no kernel for this processor") }
