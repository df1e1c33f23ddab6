package parse

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// isolate puts the child into a process group of its own and ties its life to ours.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// kill ends the child and whatever it has started.
func kill(cmd *exec.Cmd) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
}

// limitMemory makes the kernel refuse this process more than limit bytes of private writable memory beyond what
// it has now, and half as much again for what Go maps ahead of use. (RLIMIT_AS would count the address space
// that Go and wazero only reserve.)
func limitMemory(limit int64) {
	now, err := dataBytes()
	if err != nil {
		return // watchMemory remains
	}
	most := uint64(now + limit + limit/2)
	_ = unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: most, Max: most})
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
}

// limitFiles makes the kernel refuse to let a file grow beyond limit bytes.
func limitFiles(limit int64) {
	_ = unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: uint64(limit), Max: uint64(limit)})
}

// limitCPU has the kernel tell this process when it has used so much processor time in all, and whatever it
// starts when that has used as much. The hard limit stays: it could not be raised for the next file.
func limitCPU(most time.Duration) {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_CPU, &limit) != nil {
		return
	}
	limit.Cur = min(uint64(most/time.Second)+1, limit.Max)
	_ = unix.Setrlimit(unix.RLIMIT_CPU, &limit)
}

// exceedsCPU delivers what the kernel says then.
func exceedsCPU() <-chan os.Signal {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGXCPU)
	return told
}

// dataBytes is what RLIMIT_DATA counts of this process.
func dataBytes() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		var kilobytes int64
		if n, _ := fmt.Sscanf(lines.Text(), "VmData: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10, nil
		}
	}
	return 0, fmt.Errorf("/proc/self/status has no VmData")
}
