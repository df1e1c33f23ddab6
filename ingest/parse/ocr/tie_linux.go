package ocr

import (
	"os/exec"
	"syscall"
)

// tie ends the program when this process ends, however that does.
func tie(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
