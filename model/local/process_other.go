//go:build !unix

package local

import (
	"os"
	"os/exec"
)

func setGroup(*exec.Cmd) {}

func stopGroup(p *os.Process, _ <-chan struct{}) { p.Kill() }
