// Package qdranttest starts real Qdrant servers for tests.
package qdranttest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a program `qdrant` that a test has started.
type Server struct {
	Address string // of its gRPC
	t       testing.TB
	env     []string
	args    []string
	http    string
	command *exec.Cmd
	ended   chan struct{}
	log     lockedBuffer
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// Address is that of a server for tests that leave it as it is: QDRANT_ADDR, or one that ends with the test. Without
// either the test is skipped.
func Address(t testing.TB) string {
	t.Helper()
	if address := os.Getenv("QDRANT_ADDR"); address != "" {
		return address
	}
	return Start(t).Address
}

// Start starts a server with an empty folder of its own, and skips the test if there is no such program on PATH. env
// is added to its environment. It ends with the test.
func Start(t testing.TB, env ...string) *Server {
	t.Helper()
	return start(t, nil, env...)
}

// StartCluster starts nodes that are a cluster.
func StartCluster(t testing.TB, nodes int) []*Server {
	t.Helper()
	var servers []*Server
	first := ""
	for range nodes {
		port := freePort(t)
		uri := fmt.Sprintf("http://127.0.0.1:%d", port)
		args := []string{"--uri", uri}
		if first == "" {
			first = uri
		} else {
			args = append(args, "--bootstrap", first)
		}
		servers = append(servers, start(t, args, "QDRANT__CLUSTER__ENABLED=true", fmt.Sprint("QDRANT__CLUSTER__P2P__PORT=", port)))
	}
	return servers
}

func start(t testing.TB, args []string, env ...string) *Server {
	t.Helper()
	program, err := exec.LookPath("qdrant")
	if err != nil {
		t.Skip("skipped: no `qdrant` on PATH, and no QDRANT_ADDR")
	}
	folder, err := os.MkdirTemp("", "qdrant-")
	if err != nil {
		t.Fatal(err)
	}
	grpc, http := freePort(t), freePort(t)
	s := &Server{
		Address: fmt.Sprintf("127.0.0.1:%d", grpc), t: t, args: args, http: fmt.Sprintf("http://127.0.0.1:%d", http),
		env: append([]string{
			"QDRANT__SERVICE__HOST=127.0.0.1", fmt.Sprint("QDRANT__SERVICE__HTTP_PORT=", http), fmt.Sprint("QDRANT__SERVICE__GRPC_PORT=", grpc),
			"QDRANT__STORAGE__STORAGE_PATH=" + filepath.Join(folder, "storage"), "QDRANT__STORAGE__SNAPSHOTS_PATH=" + filepath.Join(folder, "snapshots"),
			"QDRANT__TELEMETRY_DISABLED=true", "QDRANT__LOG_LEVEL=WARN", "QDRANT_PROGRAM=" + program, "QDRANT_FOLDER=" + folder,
		}, env...),
	}
	t.Cleanup(func() {
		s.Stop()
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("what the server said:\n%s", s.log.String())
		}
	})
	s.Restart()
	return s
}

func (s *Server) variable(name string) string {
	value := ""
	for _, v := range s.env {
		if v, ok := strings.CutPrefix(v, name+"="); ok {
			value = v
		}
	}
	return value
}

// Restart starts the server again on the same folder and ports, and waits until it is ready.
func (s *Server) Restart() {
	s.t.Helper()
	s.command = exec.Command(s.variable("QDRANT_PROGRAM"), s.args...)
	s.command.Dir = s.variable("QDRANT_FOLDER")
	s.command.Env = append(os.Environ(), s.env...)
	s.command.Stdout, s.command.Stderr = &s.log, &s.log
	if err := s.command.Start(); err != nil {
		s.t.Fatalf("start qdrant: %v", err)
	}
	ended := make(chan struct{})
	s.ended = ended
	go func(command *exec.Cmd) {
		command.Wait()
		close(ended)
	}(s.command)
	deadline := time.Now().Add(60 * time.Second)
	for {
		if reply, err := http.Get(s.http + "/readyz"); err == nil {
			reply.Body.Close()
			connection, err := net.Dial("tcp", s.Address) // which is listened to a moment later
			if reply.StatusCode == http.StatusOK && err == nil {
				connection.Close()
				return
			}
		}
		select {
		case <-ended:
			s.t.Fatalf("qdrant ended at its start:\n%s", s.log.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("qdrant was not ready in a minute:\n%s", s.log.String())
		}
	}
}

// Memory reads how much of the server is in memory, in bytes: what it has allocated, and what it has mapped of files.
func (s *Server) Memory() (anonymous, mapped int64) {
	s.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.command.Process.Pid))
	if err != nil {
		s.t.Skipf("skipped: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		var n int64
		if _, err := fmt.Sscanf(line, "RssAnon: %d kB", &n); err == nil {
			anonymous = n << 10
		}
		if _, err := fmt.Sscanf(line, "RssFile: %d kB", &n); err == nil {
			mapped = n << 10
		}
	}
	return anonymous, mapped
}

// Stop ends the server in good order. It may be stopped twice.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

// Kill ends it at once, as a crash would.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

func (s *Server) end(signal syscall.Signal) {
	s.signal(signal)
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		s.signal(syscall.SIGKILL)
		<-s.ended
	}
}

// Pause stops the server where it is, until Resume.
func (s *Server) Pause() {
	s.t.Helper()
	s.signal(syscall.SIGSTOP)
	status := fmt.Sprintf("/proc/%d/stat", s.command.Process.Pid)
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if text, err := os.ReadFile(status); err != nil || bytes.Contains(text, []byte(") T ")) {
			return
		}
	}
	s.t.Fatal("qdrant does not stop")
}

// Resume ends a pause.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal syscall.Signal) {
	if err := s.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Errorf("signal qdrant: %v", err)
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
