//go:build linux || darwin || freebsd || netbsd || openbsd

package model

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFile waits until no other has the file locked; then this one has, until it is closed.
func lockFile(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX) }
