package parse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// hostileArgument makes the test binary a child whose only format does what the file says.
const hostileArgument = "__parse_hostile"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case ChildArgument:
			os.Exit(ServeChild(context.Background(), os.Stdin, os.Stdout))
		case hostileArgument:
			os.Exit(serve(context.Background(), registry{hostileFormat(os.Stdout)}, os.Stdin, os.Stdout))
		}
	}
	os.Exit(m.Run())
}

// hostileFormat reads files with a command in them, and does it.
func hostileFormat(stdout *os.File) Format {
	leak := make([][]byte, 0)
	return Format{Name: "hostile", MediaType: "text/hostile", Sniff: func([]byte) bool { return true },
		Parse: func(_ context.Context, in Input) (Document, error) {
			command, argument, _ := strings.Cut(strings.TrimSpace(string(in.Data)), " ")
			text := "ok"
			switch command {
			case "pid":
				text = strconv.Itoa(os.Getpid())
			case "hang":
				//lint:ignore SA5002 a parser that hangs is what is tested
				for {
				}
			case "allocate":
				for {
					leak = append(leak, bytes.Repeat([]byte{1}, 8<<20))
				}
			case "allocate-at-once":
				n, _ := strconv.Atoi(argument)
				b := make([]byte, n)
				for i := 0; i < n; i += 4096 {
					b[i] = 1
				}
				text = fmt.Sprint(len(b))
			case "leak":
				if len(leak) > 1 {
					os.Exit(3)
				}
				leak = append(leak, nil)
			case "spin":
				d, _ := time.ParseDuration(argument)
				for until := cpuTime() + d; cpuTime() < until; {
				}
			case "careful":
				if !in.careful {
					os.Exit(0)
				}
				text = "read carefully"
			case "panic-unless-careful":
				if !in.careful {
					panic("boom")
				}
			case "write-file":
				n, _ := strconv.Atoi(argument)
				err := os.WriteFile(filepath.Join(in.Scratch, "file"), make([]byte, n), 0o600)
				text = fmt.Sprint(err)
			case "nonsense":
				_ = writeFrame(stdout, []byte("{{{"))
				select {}
			case "exit":
				os.Exit(0)
			case "panic":
				panic("boom")
			case "panic-elsewhere":
				go panic("boom")
				select {}
			case "deep":
				return Document{}, recurse(in)
			case "big":
				text = strings.Repeat("x", 3<<20)
			case "flood":
				for {
					_, _ = stdout.WriteString(strings.Repeat("\x7f", 1<<16))
				}
			case "print":
				fmt.Println("a library that prints")
			case "environment":
				text = strings.Join(os.Environ(), " ")
			case "fault":
				return Document{}, errors.New("no disk")
			}
			return Document{Pages: []Page{{Blocks: []Block{{Kind: Paragraph, Text: text}}}}}, nil
		}}
}

//lint:ignore SA5007 a parser that overflows its stack is what is tested
func recurse(in Input) error { return errors.Join(recurse(in), errors.New(in.Name)) }

func newPool(t *testing.T, c Config) *Pool {
	t.Helper()
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// hostilePool has one worker that runs the hostile format.
func hostilePool(t *testing.T) *Pool {
	return newPool(t, Config{Workers: 1, Timeout: 3 * time.Second, MemoryBytes: 128 << 20, OutputBytes: 1 << 20,
		Command: []string{os.Args[0], hostileArgument}})
}

func do(t *testing.T, p *Pool, command string) (string, error) {
	t.Helper()
	doc, err := p.Parse(context.Background(), Input{Name: "file", Data: []byte(command)})
	if err != nil {
		return "", err
	}
	return doc.Pages[0].Blocks[0].Text, nil
}

func TestHostileFilesCostOnlyThemselves(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		command string
		want    ErrorCode
	}{
		{"hang", Timeout},
		{"allocate", Memory},
		{"allocate-at-once 100000000000", Memory},
		{"exit", Crashed},
		{"nonsense", Crashed},
		{"panic", Crashed},
		{"panic-elsewhere", Crashed},
		{"big", TooLarge},
		{"flood", TooLarge},
	} {
		t.Run(tt.command, func(t *testing.T) {
			t.Parallel()
			p := hostilePool(t)
			_, err := do(t, p, tt.command)
			if got := CodeOf(err); got != tt.want {
				t.Fatalf("got code %q (%v), want %q", got, err, tt.want)
			}
			if text, err := do(t, p, "fine"); err != nil || text != "ok" {
				t.Fatalf("the next file gave %q, %v", text, err)
			}
		})
	}
}

func TestBottomlessRecursionIsACrash(t *testing.T) {
	t.Parallel()
	p := newPool(t, Config{Workers: 1, Command: []string{os.Args[0], hostileArgument}})
	if _, err := do(t, p, "deep"); CodeOf(err) != Crashed {
		t.Fatalf("got %v", err)
	}
}

func TestProcessorTimeIsLimitedForEachFile(t *testing.T) {
	t.Parallel()
	p := newPool(t, Config{Workers: 1, CPUTime: 300 * time.Millisecond, Command: []string{os.Args[0], hostileArgument}})
	for range 3 { // together they take more than one may
		if text, err := do(t, p, "spin 150ms"); err != nil || text != "ok" {
			t.Fatalf("got %q, %v", text, err)
		}
	}
	began := time.Now()
	_, err := do(t, p, "hang")
	if CodeOf(err) != Timeout || !strings.Contains(err.Error(), "processor") || time.Since(began) > time.Minute {
		t.Fatalf("got %v after %s", err, time.Since(began))
	}
}

func TestWhatCrashesIsReadAgainWithCare(t *testing.T) {
	t.Parallel()
	p := hostilePool(t)
	if text, err := do(t, p, "careful"); err != nil || text != "read carefully" {
		t.Errorf("got %q, %v", text, err)
	}
	if text, err := do(t, p, "panic-unless-careful"); err != nil || text != "ok" {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestFilesThatAChildWritesAreLimited(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux limits them")
	}
	t.Parallel()
	p := newPool(t, Config{Workers: 1, FileBytes: 1 << 20, Command: []string{os.Args[0], hostileArgument}})
	for size, want := range map[int]string{1 << 20: "<nil>", 1<<20 + 1: "file too large"} {
		doc, err := p.Parse(t.Context(), Input{Name: "file", Data: fmt.Appendf(nil, "write-file %d", size), Scratch: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if text := doc.Pages[0].Blocks[0].Text; !strings.Contains(text, want) {
			t.Errorf("%d bytes: got %q, want %q", size, text, want)
		}
	}
}

func TestAChildServesManyFiles(t *testing.T) {
	t.Parallel()
	p := hostilePool(t)
	first, err := do(t, p, "pid")
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"panic", "big", "print", "fault"} { // none of these need cost the child
		_, _ = do(t, p, command)
	}
	second, err := do(t, p, "pid")
	if err != nil || first != second {
		t.Fatalf("child %s was replaced by %s (%v)", first, second, err)
	}
}

func TestAWornOutChildIsNotHeldAgainstTheFile(t *testing.T) {
	t.Parallel()
	p := hostilePool(t)
	for i := range 7 { // each third one exits in a child that has served before
		if _, err := do(t, p, "leak"); err != nil {
			t.Fatalf("file %d: %v", i, err)
		}
	}
}

func TestFaultsOfTheProgramAreNotTheFiles(t *testing.T) {
	t.Parallel()
	_, err := do(t, hostilePool(t), "fault")
	if err == nil || CodeOf(err) != "" || !strings.Contains(err.Error(), "no disk") {
		t.Fatalf("got %v", err)
	}
}

func TestChildSeesNoSecrets(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "sk-secret")
	got, err := do(t, hostilePool(t), "environment")
	if err != nil || strings.Contains(got, "secret") || strings.Contains(got, "PATH=") {
		t.Fatalf("environment %q, %v", got, err)
	}
}

func TestCancelEndsTheChildsWork(t *testing.T) {
	t.Parallel()
	p := hostilePool(t)
	pid, err := do(t, p, "pid")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	began := time.Now()
	_, err = p.Parse(ctx, Input{Name: "file", Data: []byte("hang")})
	if !errors.Is(err, context.Canceled) || time.Since(began) > 2*time.Second {
		t.Fatalf("got %v after %s", err, time.Since(began))
	}
	n, _ := strconv.Atoi(pid)
	if err := syscall.Kill(n, 0); !errors.Is(err, syscall.ESRCH) {
		t.Fatalf("child %d is still there: %v", n, err)
	}
}

func TestChildEndsWithItsParent(t *testing.T) {
	t.Parallel()
	config := hostilePool(t).config
	c, err := startChild(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ask(Input{Name: "file", Data: []byte("hang")}, config); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		c.wait() // closes the child's input first, as the end of the parent does
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		kill(c.cmd)
		t.Fatal("the child goes on without its parent")
	}
}

func TestWaitingForAWorkerEndsWithTheContext(t *testing.T) {
	t.Parallel()
	p := hostilePool(t)
	go func() { _, _ = p.Parse(context.Background(), Input{Name: "file", Data: []byte("hang")}) }()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	for {
		if _, err := p.Parse(ctx, Input{Name: "file", Data: []byte("fine")}); err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			return
		}
	}
}

func TestClosedPoolParsesNothing(t *testing.T) {
	t.Parallel()
	p := hostilePool(t)
	pid, err := do(t, p, "pid")
	if err != nil {
		t.Fatal(err)
	}
	_ = p.Close()
	_ = p.Close()
	if _, err := do(t, p, "fine"); err == nil {
		t.Fatal("a closed pool parsed")
	}
	n, _ := strconv.Atoi(pid)
	if err := syscall.Kill(n, 0); !errors.Is(err, syscall.ESRCH) {
		t.Fatalf("child %d outlived its pool: %v", n, err)
	}
}

func TestFilesAreParsedAtOnce(t *testing.T) {
	t.Parallel()
	p := newPool(t, Config{Workers: 3, Command: []string{os.Args[0], hostileArgument}})
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			if text, err := do(t, p, "fine"); err != nil || text != "ok" {
				t.Errorf("got %q, %v", text, err)
			}
		})
	}
	wg.Wait()
}

func TestUnreadableFilesSayWhy(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pipe := filepath.Join(folder, "pipe.txt")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	p := newPool(t, Config{Workers: 1, FileBytes: 1 << 20})
	for _, tt := range []struct {
		name string
		in   Input
		want ErrorCode
	}{
		{"missing", Input{Path: filepath.Join(folder, "missing.txt")}, Unreadable},
		{"folder", Input{Path: folder}, Unreadable},
		{"pipe", Input{Path: pipe}, Unreadable},
		{"no bytes", Input{Path: write("zero.pdf", "")}, Empty},
		{"white space", Input{Path: write("blank.txt", " \n\n\t ")}, Empty},
		{"junk called pdf", Input{Path: write("junk.pdf", "\x01\x9c\x8f junk \x00\x03")}, Damaged},
		{"text called pdf", Input{Path: write("text.pdf", "just text")}, Damaged},
		{"database called txt", Input{Path: write("database.txt", "SQLite format 3\x00\x10\x00\x01\x01")}, UnsupportedFormat},
		{"text of another format", Input{Path: write("main.xyz", "model 7")}, UnsupportedFormat},
		{"too large", Input{Path: write("large.txt", strings.Repeat("large ", 1<<18))}, TooLarge},
		{"too large in memory", Input{Name: "large.txt", Data: bytes.Repeat([]byte("large "), 1<<18)}, TooLarge},
		{"changed", Input{Path: write("changed.txt", "new text"), SHA256: strings.Repeat("0", 64)}, Changed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := p.Parse(context.Background(), tt.in)
			if got := CodeOf(err); got != tt.want {
				t.Fatalf("got %q (%v), want %q", got, err, tt.want)
			}
			if strings.Contains(err.Error(), folder) || !strings.HasSuffix(err.Error(), ".") {
				t.Errorf("%q is not a sentence, or tells where the file lies", err)
			}
		})
	}
}
