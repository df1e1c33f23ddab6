//go:build unix

package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"grounded/corpus"
	"grounded/store"
)

// The test's program runs again as another process when these name what it should do.
const (
	childTask = "GROUNDED_TEST_TASK"
	childPath = "GROUNDED_TEST_PATH"
	childName = "GROUNDED_TEST_NAME"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childTask) {
	case "":
		os.Exit(m.Run())
	case "ingest":
		exit(childIngest(os.Getenv(childPath), os.Getenv(childName)))
	case "read only":
		exit(childReadOnly(os.Getenv(childPath)))
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// childIngest writes documents from several goroutines, a line on standard output for each that is in. Every third
// is written again with other text. It ends with its standard input.
func childIngest(path, name string) error {
	s, err := Open(context.Background(), Config{Path: path})
	if err != nil {
		return err
	}
	defer s.Close()
	ended := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	var failed error
	var mu sync.Mutex
	var writing sync.WaitGroup
	for w := range 4 {
		writing.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-ended:
					return
				default:
				}
				file := fmt.Sprintf("%s-%d-%d", name, w, i)
				err := replaceTest(s, file, childTexts(file, "first", i%5)...)
				if err == nil && i%3 == 0 {
					err = replaceTest(s, file, childTexts(file, "second", i%5)...)
				}
				mu.Lock()
				if err != nil {
					failed = err
					mu.Unlock()
					return
				}
				fmt.Printf("%s %d %d\n", file, i%3, i%5)
				mu.Unlock()
			}
		})
	}
	writing.Wait()
	return failed
}

func childTexts(file, version string, n int) []string {
	texts := []string{file}
	for i := range n {
		texts = append(texts, fmt.Sprintf("%s %s %d %s", file, version, i, strings.Repeat("filler ", 50)))
	}
	return texts
}

// child starts another process. Its standard input stays open until stop; wait returns its error.
func child(t *testing.T, task, path, name string) (cmd *exec.Cmd, lines *bufio.Scanner, stop func()) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childTask+"="+task, childPath+"="+path, childName+"="+name)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd, bufio.NewScanner(out), func() { in.Close() }
}

// wantAcknowledged fails unless the document of a child's line is wholly there.
func wantAcknowledged(t *testing.T, s *Store, line string) {
	t.Helper()
	var file string
	var rewritten, n int
	if _, err := fmt.Sscan(line, &file, &rewritten, &n); err != nil {
		t.Fatalf("line %q: %v", line, err)
	}
	version := "first"
	if rewritten == 0 {
		version = "second"
	}
	want := childTexts(file, version, n)
	chunks, err := s.DocumentChunks(t.Context(), anyone, corpus.NewDocumentID("c", "s", file), 0, -1)
	if err != nil {
		t.Errorf("%s was acknowledged: %v", file, err)
		return
	}
	got := make([]string, len(chunks))
	for i, c := range chunks {
		got[i] = c.Text
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("%s: got %d chunks of %q, want %d of version %s", file, len(got), got, len(want), version)
	}
}

func TestAKillAtAnyMomentLosesNothingThatWasAcknowledged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grounded.db")
	s := open(t, path)
	createTest(t, s)
	random := rand.New(rand.NewPCG(3, 4))
	for round := range 8 {
		cmd, lines, _ := child(t, "ingest", path, fmt.Sprint("round", round))
		var acknowledged []string
		for until := 1 + random.IntN(150); len(acknowledged) < until && lines.Scan(); {
			acknowledged = append(acknowledged, lines.Text())
		}
		if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it said before it died
			if line := lines.Text(); len(strings.Fields(line)) == 3 {
				acknowledged = append(acknowledged, line)
			}
		}
		cmd.Wait()
		if len(acknowledged) == 0 {
			t.Fatal("the child wrote nothing")
		}
		for _, line := range acknowledged {
			wantAcknowledged(t, s, line)
		}
		fresh := open(t, path)
		if err := fresh.Check(t.Context()); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		c, err := fresh.Collection(t.Context(), "c")
		if err != nil {
			t.Fatal(err)
		}
		for what, s := range map[string]*Store{"kept up": s, "built anew": fresh} {
			hits, err := s.Search(t.Context(), store.Query{Scope: anyone, Vector: []float32{1, 0, 0, 0}, Limit: 1 << 20})
			if err != nil || len(hits) != c.Chunks {
				t.Errorf("round %d: the index that was %s finds %d chunks of %d, error %v", round, what, len(hits), c.Chunks, err)
			}
		}
	}
}

func TestAnotherProcessIsSeenByTheNextQuery(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grounded.db")
	s := open(t, path)
	createTest(t, s)
	cmd, lines, stop := child(t, "ingest", path, "other")
	for range 60 {
		if !lines.Scan() {
			t.Fatal("the child ended")
		}
		file, _, _ := strings.Cut(lines.Text(), " ")
		hits, err := s.Search(t.Context(), store.Query{Scope: anyone, Terms: []corpus.Term{{Text: file, Count: 1}}})
		if err != nil || len(hits) == 0 || hits[0].Path != file {
			t.Fatalf("%s was acknowledged; the next query finds %d chunks, error %v", file, len(hits), err)
		}
	}
	stop()
	for lines.Scan() {
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestTwoProcessesIngestAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grounded.db")
	s := open(t, path)
	createTest(t, s)
	var mu sync.Mutex
	var acknowledged []string
	var reading sync.WaitGroup
	for _, name := range []string{"left", "right"} {
		cmd, lines, stop := child(t, "ingest", path, name)
		reading.Go(func() {
			for n := 0; lines.Scan(); n++ {
				mu.Lock()
				acknowledged = append(acknowledged, lines.Text())
				mu.Unlock()
				if n == 200 {
					stop()
				}
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	reading.Wait()
	for _, line := range acknowledged {
		wantAcknowledged(t, s, line)
	}
	if c, err := s.Collection(t.Context(), "c"); err != nil || c.Documents != len(acknowledged) {
		t.Errorf("got %d documents of %d, error %v", c.Documents, len(acknowledged), err)
	}
	hits, err := s.Search(t.Context(), store.Query{Scope: anyone, Terms: []corpus.Term{{Text: "filler", Count: 1}}, Limit: 1})
	if err != nil || len(hits) != 1 {
		t.Errorf("found %d chunks of a word that both wrote, error %v", len(hits), err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// childReadOnly reads a store that it may not write.
func childReadOnly(path string) error {
	s, err := Open(context.Background(), Config{Path: path})
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer s.Close()
	hits, err := s.Search(context.Background(), store.Query{Scope: anyone, Terms: []corpus.Term{{Text: "number1", Count: 1}}})
	if err != nil || len(hits) != 1 {
		return fmt.Errorf("search: %d hits, error %w", len(hits), err)
	}
	err = replaceTest(s, "new", "text")
	if !errors.Is(err, corpus.ErrForbidden) || !strings.Contains(corpus.HintOf(err), path) {
		return fmt.Errorf("a write gives %w with hint %q", err, corpus.HintOf(err))
	}
	return nil
}

// TestAFileThatMayOnlyBeReadIsReadAndSaysWhyItIsNotWritten runs as another user where the rights of files mean nothing
// to this one.
func TestAFileThatMayOnlyBeReadIsReadAndSaysWhyItIsNotWritten(t *testing.T) {
	for _, log := range []bool{false, true} {
		t.Run(fmt.Sprintf("beside a process that writes: %v", log), func(t *testing.T) {
			folder, err := os.MkdirTemp("", "grounded")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				os.Chmod(folder, 0o700)
				os.RemoveAll(folder)
			})
			path, program := filepath.Join(folder, "grounded.db"), filepath.Join(folder, "program")
			for to, from := range map[string]string{path: filled(t, 2), program: os.Args[0]} {
				if err := os.WriteFile(to, contents(t, from), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if log {
				s := open(t, path)
				if err := replaceTest(s, "3", "only in the log so far"); err != nil {
					t.Fatal(err)
				}
			}
			names, err := filepath.Glob(path + "*")
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				if err := os.Chmod(name, 0o444); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(folder, 0o555); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, program)
			cmd.Env = append(os.Environ(), childTask+"=read only", childPath+"="+path)
			if os.Getuid() == 0 {
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
