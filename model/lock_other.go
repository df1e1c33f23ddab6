//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package model

import "os"

// lockFile lets all in: of two that register at once, one may be lost.
func lockFile(*os.File) error { return nil }
