//go:build linux || darwin || freebsd || netbsd || openbsd

package ingest

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFile waits until no other process holds the file. The lock ends with the process.
func lockFile(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX) }

// tryLockFile reports whether no other process holds the file; then this one does.
func tryLockFile(f *os.File) bool { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil }
