//go:build linux || darwin || freebsd || netbsd || openbsd

package eval

import (
	"os"

	"golang.org/x/sys/unix"
)

// tryLock reports whether no other process holds the file; then this one does, until it ends or closes it.
func tryLock(f *os.File) bool { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil }
