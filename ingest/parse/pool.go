package parse

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"grounded/corpus"
	"grounded/ingest/parse/ocr"
)

// Config of a Pool. Zero values are the defaults.
type Config struct {
	Workers     int           // files parsed at once, each in a process of its own; default: one a processor
	Timeout     time.Duration // for one file, and again for each of its scanned pages; default 2 minutes
	CPUTime     time.Duration // of a processor, for the same; default Timeout
	MemoryBytes int64         // of one child; default 1 GiB
	FileBytes   int64         // size of the largest file that is read; default 512 MiB
	OutputBytes int64         // of one document as JSON; default 256 MiB
	OCR         ocr.Engine    // reads scans; the zero value reads none
	// Pictures says that scans which OCR does not read are wanted as Document.Scans.
	Pictures bool
	// Command that runs ServeChild; default: this program with ChildArgument.
	Command []string
}

// Pool parses files in child processes, which are kept for the next file and replaced when something went wrong
// in them. Its methods may be called from many goroutines.
type Pool struct {
	config Config
	free   chan *child // nil: not started yet; its capacity is the number of workers
	done   chan struct{}
	close  sync.Once
}

// New returns a pool; children start when they are first needed. Close it to end them.
func New(c Config) (*Pool, error) {
	if c.Workers < 0 || c.Timeout < 0 || c.CPUTime < 0 || c.MemoryBytes < 0 || c.FileBytes < 0 || c.OutputBytes < 0 {
		return nil, corpus.Errorf(corpus.ErrInvalid, "start parser: a limit is negative")
	}
	c.Workers = defaultTo(c.Workers, runtime.NumCPU())
	c.Timeout = defaultTo(c.Timeout, 2*time.Minute)
	c.CPUTime = defaultTo(c.CPUTime, c.Timeout)
	c.MemoryBytes = defaultTo(c.MemoryBytes, 1<<30)
	c.FileBytes = defaultTo(c.FileBytes, 512<<20)
	c.OutputBytes = defaultTo(c.OutputBytes, 256<<20)
	if len(c.Command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("start parser: find this program: %w", err)
		}
		c.Command = []string{self, ChildArgument}
	}
	p := &Pool{config: c, free: make(chan *child, c.Workers), done: make(chan struct{})}
	for range c.Workers {
		p.free <- nil
	}
	return p, nil
}

func defaultTo[T int | int64 | time.Duration](v, d T) T {
	if v == 0 {
		return d
	}
	return v
}

// Parse reads one file. It waits for a free worker. The error is an *Error where the file is to blame, the
// context's where that ended, and another where a child can't be started; the caller is never harmed by a file.
func (p *Pool) Parse(ctx context.Context, in Input) (Document, error) {
	if in.Path != "" {
		path, err := filepath.Abs(in.Path)
		if err != nil {
			return Document{}, fmt.Errorf("parse %s: %w", in.Path, err)
		}
		in.Path = path
	} else if int64(len(in.Data)) > p.config.FileBytes {
		return Document{}, tooLarge(int64(len(in.Data)), p.config.FileBytes)
	}
	var c *child
	select {
	case c = <-p.free:
	case <-ctx.Done():
		return Document{}, ctx.Err()
	case <-p.done:
		return Document{}, errors.New("parse: the pool is closed")
	}
	defer func() { p.free <- c }()

	used := c != nil
	deadline := time.Now().Add(p.config.Timeout)
	doc, err := p.parseIn(ctx, &c, in, deadline)
	// What a child has left from earlier files may have been too much: the file gets a child of its own.
	if used && c == nil && failedHard(err) {
		doc, err = p.parseIn(ctx, &c, in, deadline)
	}
	// What one way of reading fails on may be no trouble for another.
	if failedHard(err) {
		in.careful = true
		if again, second := p.parseIn(ctx, &c, in, deadline); second == nil || !failedHard(second) && CodeOf(second) != Timeout {
			doc, err = again, second
		}
	}
	return doc, err
}

// failedHard reports whether the file was too much for the parser.
func failedHard(err error) bool {
	code := CodeOf(err)
	return code == Crashed || code == Memory
}

// parseIn parses in the child *c, which it starts if there is none and sets to nil when it is lost.
func (p *Pool) parseIn(ctx context.Context, c **child, in Input, deadline time.Time) (Document, error) {
	if *c == nil {
		started, err := startChild(p.config)
		if err != nil {
			return Document{}, corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "start parsing child: %w", err),
				"the program runs itself to parse files; it must be readable and executable where it lies")
		}
		*c = started
	}
	doc, alive, err := (*c).parse(ctx, in, p.config, deadline)
	if !alive {
		*c = nil
	}
	return doc, err
}

// Close ends the children; files that are being parsed are finished first. It is safe to call it twice.
func (p *Pool) Close() error {
	p.close.Do(func() {
		close(p.done)
		for range p.config.Workers {
			if c := <-p.free; c != nil {
				c.stop()
			}
		}
	})
	return nil
}
