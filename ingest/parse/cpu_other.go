//go:build !unix

package parse

import "time"

// cpuTime is not known here; the parent's limit on time remains.
func cpuTime() time.Duration { return 0 }
