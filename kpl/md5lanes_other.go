//go:build !amd64 || purego

package kpl

// md5SideBySide reports whether md5Blocks works here.
func md5SideBySide() bool { return false }

func md5Blocks(*md5State, *[md5Width]*byte, int) { panic("kpl: there are no lanes") }
