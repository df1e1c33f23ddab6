//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package eval

import "os"

// tryLock lets every process in: two at once would ask twice.
func tryLock(*os.File) bool { return true }
