package parse

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

// ChildArgument as the program's first argument makes it a parsing child: main then calls ServeChild and exits
// with what it returns.
const ChildArgument = "__parse"

// Exit codes of a child. The parent does not look at the first.
const (
	exitProtocol = 70
	exitMemory   = 71
	exitCPU      = 72
)

// maxStack bounds a stack, in bytes, so that recursion without end is told from memory that is used up.
const maxStack = 128 << 20

// ServeChild parses the files that are asked for on stdin and answers on stdout, until stdin ends, which it
// also does when the parent dies. It returns the exit code.
func ServeChild(ctx context.Context, stdin io.Reader, stdout io.Writer) int {
	return serve(ctx, formats(), stdin, stdout)
}

func serve(ctx context.Context, formats registry, stdin io.Reader, stdout io.Writer) int {
	debug.SetMaxStack(maxStack)
	os.Stdout = os.Stderr // what a library prints must not end up among the frames
	jobs := make(chan job)
	// Reading goes on while a file is parsed, so that the end of the parent is noticed and ends the work.
	go func() {
		err := readRequests(bufio.NewReader(stdin), jobs)
		if err != nil {
			fmt.Fprintln(os.Stderr, "parsing child:", err)
			os.Exit(exitProtocol)
		}
		os.Exit(0)
	}()
	var guard watchdog
	for {
		select {
		case <-ctx.Done():
			return 0
		case j := <-jobs:
			guard.begin(j.request)
			j.in.progress = func() {
				guard.allow(j.CPUTime)
				_ = writeFrame(stdout, nil) // if the parent is gone, the end of stdin ends this
			}
			if err := j.answer(ctx, formats, stdout); err != nil {
				fmt.Fprintln(os.Stderr, "parsing child:", err)
				return exitProtocol
			}
		}
	}
}

// job is a request with its file.
type job struct {
	request
	in Input
}

// readRequests hands on requests until there are no more.
func readRequests(stdin *bufio.Reader, jobs chan<- job) error {
	for {
		body, err := readFrame(stdin, 1<<20)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var r request
		if err := json.Unmarshal(body, &r); err != nil {
			return err
		}
		in := Input{Path: r.Path, Name: r.Name, SHA256: r.SHA256, Scratch: r.Scratch, Limits: r.Limits, Passwords: r.Passwords, ocr: r.OCR, pictures: r.Pictures, careful: r.Careful}
		if r.Inline {
			if in.Data, err = readFrame(stdin, r.FileBytes); err != nil {
				return err
			}
		}
		jobs <- job{r, in}
	}
}

// answer parses the file and writes the response. The error is that of writing it.
func (j job) answer(ctx context.Context, formats registry, stdout io.Writer) error {
	doc, err := formats.parse(ctx, j.in, j.FileBytes)
	r := response{Document: &doc}
	if err != nil {
		r.Document = nil
		if !errors.As(err, &r.Error) {
			r.Fault = err.Error()
		}
	}
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if int64(len(body)) > j.OutputBytes {
		return writeJSON(stdout, response{Error: outputTooLarge(j.OutputBytes)})
	}
	return writeFrame(stdout, body)
}

func outputTooLarge(limit int64) *Error {
	return errorf(TooLarge, "It unpacks to more than %d MB of text, which no ordinary document does.", limit>>20)
}
