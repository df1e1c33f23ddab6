//go:build !linux

package parse

import "os/exec"

func isolate(*exec.Cmd) {}

// kill ends the child.
func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

// limitMemory does nothing here; watchMemory does it.
func limitMemory(int64) {}
