package parse

import (
	"os"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// watchdog ends this process when a file takes too much of it. It works on every system; the limits that the
// system itself can set stop what is too quick for it.
type watchdog struct {
	running bool
	cpu     atomic.Int64 // processor time of the process at which it ends, in nanoseconds
}

// begin sets the limits for the next file; those of memory and files stay as they are from the first on.
func (w *watchdog) begin(r request) {
	w.allow(r.CPUTime)
	if w.running {
		return
	}
	w.running = true
	limitMemory(r.MemoryBytes)
	limitFiles(r.FileBytes)
	go w.watch(r.MemoryBytes)
}

// allow lets the process use that much more processor time.
func (w *watchdog) allow(more time.Duration) {
	w.cpu.Store(int64(cpuTime() + more))
	limitCPU(cpuTime() + more)
}

// watch looks at the Go heap and stacks, which hold pdfium's memory too, and at the processor time.
func (w *watchdog) watch(memory int64) {
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	told := exceedsCPU()
	tick := time.Tick(20 * time.Millisecond)
	for {
		select {
		case <-told:
			os.Exit(exitCPU)
		case <-tick:
		}
		metrics.Read(sample)
		if held := sample[0].Value.Uint64() - sample[1].Value.Uint64(); held > uint64(memory) {
			os.Exit(exitMemory)
		}
		if cpuTime() > time.Duration(w.cpu.Load()) {
			os.Exit(exitCPU)
		}
	}
}
