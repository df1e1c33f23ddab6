//go:build !linux

package parse

import (
	"os"
	"os/exec"
	"time"
)

func isolate(*exec.Cmd) {}

// kill ends the child.
func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

// limitMemory does nothing here, as the others: the watchdog sees to it.
func limitMemory(int64) {}

func limitFiles(int64) {}

func limitCPU(time.Duration) {}

func exceedsCPU() <-chan os.Signal { return nil }
