package local

import (
	"os/exec"
	"runtime"
	"sync"
)

// startProcess starts a command in a process group of its own. On Linux it is killed when the thread that started it
// ends; so a goroutine keeps that thread until the process has ended, and then also a kill -9 of us leaves nothing behind.
func startProcess(cmd *exec.Cmd) (*run, error) {
	setGroup(cmd)
	started, exited := make(chan error), make(chan struct{})
	r := &run{exited: exited}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		r.err = cmd.Wait()
		close(exited)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	var once sync.Once
	r.stop = func() { once.Do(func() { stopGroup(cmd.Process, exited) }) }
	return r, nil
}
