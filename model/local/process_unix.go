//go:build unix

package local

import (
	"os"
	"syscall"
	"time"
)

// stopGroup asks the process and its children to end, and kills them if they don't within three seconds.
func stopGroup(p *os.Process, exited <-chan struct{}) {
	syscall.Kill(-p.Pid, syscall.SIGTERM)
	select {
	case <-exited:
	case <-time.After(3 * time.Second):
	}
	syscall.Kill(-p.Pid, syscall.SIGKILL)
}
