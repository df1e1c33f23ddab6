package parse

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"time"
)

// child is a running process that parses one file at a time.
type child struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr *tail
}

// passedOn are the variables that a child sees: where temporary files and caches lie. None holds a secret.
var passedOn = []string{"HOME", "XDG_CACHE_HOME", "LOCALAPPDATA", "TMPDIR", "TEMP", "SYSTEMROOT"}

// startChild starts a child with an environment that holds no secrets.
func startChild(c Config) (*child, error) {
	cmd := exec.Command(c.Command[0], c.Command[1:]...)
	// The collector works harder before the limit is reached.
	cmd.Env = []string{fmt.Sprintf("GOMEMLIMIT=%d", c.MemoryBytes-c.MemoryBytes/8), "GOTRACEBACK=none", "GOGC=400"}
	for _, name := range passedOn {
		if v, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	isolate(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr := &tail{}
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &child{cmd, stdin, bufio.NewReaderSize(stdout, 1<<16), stderr}, nil
}

// parse has the child parse a file by the deadline. When the child is not alive any more, it must not be used
// again.
func (c *child) parse(ctx context.Context, in Input, config Config, deadline time.Time) (doc Document, alive bool, err error) {
	type reply struct {
		body []byte
		err  error
	}
	replies := make(chan reply, 1)
	timeout := time.NewTimer(time.Until(deadline))
	defer timeout.Stop()
	go func() {
		if err := c.ask(in, config); err != nil {
			replies <- reply{err: err}
			return
		}
		body, err := readFrame(c.stdout, config.OutputBytes)
		for n := 0; err == nil && len(body) == 0 && n < 2*maxScans; n++ {
			timeout.Reset(config.Timeout)
			body, err = readFrame(c.stdout, config.OutputBytes)
		}
		replies <- reply{body, err}
	}()
	var r reply
	select {
	case r = <-replies:
	case <-ctx.Done():
		kill(c.cmd)
		<-replies
		c.wait()
		return Document{}, false, ctx.Err()
	case <-timeout.C:
		kill(c.cmd)
		<-replies
		c.wait()
		return Document{}, false, errorf(Timeout, "Reading it took longer than %s; raise ingest.parse_timeout if it is only large.", config.Timeout)
	}
	if errors.Is(r.err, errFrameTooLarge) {
		kill(c.cmd)
		c.wait()
		return Document{}, false, outputTooLarge(config.OutputBytes)
	}
	if r.err != nil {
		return Document{}, false, c.postMortem(config)
	}
	var answer response
	if err := json.Unmarshal(r.body, &answer); err != nil {
		kill(c.cmd)
		c.wait()
		return Document{}, false, errorf(Crashed, "The parser answered with nonsense.")
	}
	switch {
	case answer.Error != nil:
		return Document{}, true, answer.Error
	case answer.Document == nil:
		return Document{}, true, fmt.Errorf("parse %s: %s", in.Name, answer.Fault)
	}
	return *answer.Document, true, nil
}

func (c *child) ask(in Input, config Config) error {
	r := request{Path: in.Path, Name: in.Name, SHA256: in.SHA256, Scratch: in.Scratch, Limits: in.Limits, Passwords: in.Passwords, OCR: config.OCR, Pictures: config.Pictures, Careful: in.careful,
		Inline: in.Path == "", FileBytes: config.FileBytes, OutputBytes: config.OutputBytes, MemoryBytes: config.MemoryBytes, CPUTime: config.CPUTime}
	if err := writeJSON(c.stdin, r); err != nil {
		return err
	}
	if r.Inline {
		return writeFrame(c.stdin, in.Data)
	}
	return nil
}

// postMortem says why the child ended by itself.
func (c *child) postMortem(config Config) *Error {
	// It may have closed its output and live on.
	stopped := time.AfterFunc(time.Second, func() { kill(c.cmd) })
	state := c.wait()
	stopped.Stop()
	said := c.stderr.String()
	if state.ExitCode() == exitCPU {
		return errorf(Timeout, "Reading it took more than %s of processor time; raise ingest.parse_timeout if it is only large.", config.CPUTime)
	}
	if state.ExitCode() == exitMemory || outOfMemory.MatchString(said) {
		return errorf(Memory, "Reading it took more than %d MB of memory; raise ingest.parse_memory_mb if it is only large.", config.MemoryBytes>>20)
	}
	return errorf(Crashed, "The parser ended while reading it (%s); the file is probably damaged.", state)
}

// outOfMemory is what a Go program says that the system refused memory; the last is the race detector's.
var outOfMemory = regexp.MustCompile(`out of memory|cannot allocate memory|failed to allocate`)

// wait reaps the process, which has ended or been killed.
func (c *child) wait() *os.ProcessState {
	_ = c.stdin.Close()
	_ = c.cmd.Wait()
	return c.cmd.ProcessState
}

// stop ends a child that is idle.
func (c *child) stop() {
	_ = c.stdin.Close()
	late := time.AfterFunc(time.Second, func() { kill(c.cmd) })
	defer late.Stop()
	c.wait()
}

// tail keeps the last 16 KiB that were written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if extra := len(t.text) - 16<<10; extra > 0 {
		t.text = t.text[extra:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
