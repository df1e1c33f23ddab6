package eval

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"time"

	"grounded/answer"
	"grounded/corpus"
	"grounded/model"
	"grounded/prompts"
)

// A run is a folder: run.json says what was asked of whom, items.jsonl has an item a line.
const (
	headerFile = "run.json"
	itemsFile  = "items.jsonl"
)

// Settings are what makes the items of a run comparable; a run is resumed only with the same.
type Settings struct {
	Dataset     string            `json:"dataset"` // name of its file
	DatasetHash string            `json:"dataset_hash"`
	Questions   int               `json:"questions"`
	Collection  string            `json:"collection"`
	Embedding   corpus.Embedding  `json:"embedding"`
	Fingerprint string            `json:"embedding_fingerprint"`
	Prompts     map[string]string `json:"prompts"` // version by name
	TopK        int               `json:"top_k"`
	Mode        string            `json:"mode"`
	MaxTokens   int               `json:"max_tokens"` // 0 is the default of each model
	Temperature *float64          `json:"temperature"`
	Seed        *int              `json:"seed"`
	Examples    []prompts.Example `json:"examples"`
}

// Header is what run.json holds.
type Header struct {
	Settings
	Models  []model.Card `json:"models"`
	Arms    []string     `json:"arms"`
	Created time.Time    `json:"created"`
	Merged  []MergedRun  `json:"merged,omitempty"` // what Merge made it of, the baseline first
}

// MergedRun is one of several runs beside each other.
type MergedRun struct {
	Name string `json:"name"`
	Header
}

// asks reports whether a model is to answer by an arm: of runs beside each other, not all need have the same arms.
func (h Header) asks(id, arm string) bool {
	for _, run := range h.Merged {
		if slices.ContainsFunc(run.Models, func(c model.Card) bool { return c.ID == id }) {
			return slices.Contains(run.Arms, arm)
		}
	}
	return true
}

// Folder is a run that is open for writing, by one process at a time.
type Folder struct {
	path   string
	Header Header
	items  *os.File
	lock   *os.File
	mu     sync.Mutex
	done   map[key]bool // true: with an answer
	spent  float64
}

// ErrBusy says that a run is written to by another process. It is a corpus.ErrConflict.
var ErrBusy = corpus.Errorf(corpus.ErrConflict, "another process is at work on it")

// OpenFolder makes the folder of a run, or opens one to go on with it: with more models and arms than it has, perhaps,
// but with the same settings, or it fails with corpus.ErrConflict. What a killed run left half written is cut off. Models
// and arms are written down when Run begins to ask them: a run that is refused leaves none.
func OpenFolder(path string, s Settings, cards []model.Card, arms []string) (*Folder, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "open run: %w", err)
	}
	f := &Folder{path: path, done: map[key]bool{}}
	var err error
	if f.lock, err = LockRun(path); err != nil {
		return nil, err
	}
	if err := f.open(s, cards, arms); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// LockRun keeps other processes from writing to a run, whose folder is there, until the file is closed. Where one writes
// to it, it fails with ErrBusy.
func LockRun(path string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "open run: %w", err)
	}
	if !tryLock(lock) {
		return nil, errors.Join(corpus.Hint(fmt.Errorf("open run %s: %w", path, ErrBusy),
			"wait until it is done"), lock.Close())
	}
	return lock, nil
}

func (f *Folder) open(s Settings, cards []model.Card, arms []string) error {
	h, err := readHeader(f.path)
	// Examples are the few-shot arm's affair.
	if !slices.Contains(arms, answer.ArmFewShot) {
		s.Examples = h.Examples
	} else if !slices.Contains(h.Arms, answer.ArmFewShot) {
		h.Examples = s.Examples
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		h = Header{Settings: s, Models: []model.Card{}, Arms: []string{}, Created: time.Now().UTC()}
		if err := WriteWhole(filepath.Join(f.path, headerFile), h); err != nil {
			return err
		}
	case err != nil:
		return err
	case !same(h.Settings, s):
		return corpus.Hint(corpus.Errorf(corpus.ErrConflict, "open run %s: it was begun with other questions or settings (%s)", f.path, difference(h.Settings, s)),
			"name another folder with --out, or use the settings in its "+headerFile)
	}
	for _, c := range cards {
		if !slices.ContainsFunc(h.Models, func(o model.Card) bool { return o.ID == c.ID }) {
			c.Headers, c.Env, c.Command = nil, nil, nil
			h.Models = append(h.Models, c)
		}
	}
	for _, a := range arms {
		if !slices.Contains(h.Arms, a) {
			h.Arms = append(h.Arms, a)
		}
	}
	f.Header = h
	return f.openItems()
}

// begin writes down who is asked.
func (f *Folder) begin() error { return WriteWhole(filepath.Join(f.path, headerFile), f.Header) }

// openItems reads which items are there and leaves the file open behind the last whole line.
func (f *Folder) openItems() (err error) {
	f.items, err = openRecords(filepath.Join(f.path, itemsFile), f.note)
	return err
}

// openRecords opens a file of lines, or makes it, calls note for each, and leaves it open behind the last whole one.
func openRecords[T any](path string, note func(T)) (f *os.File, err error) {
	if f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "open run: %w", err)
	}
	end, err := eachRecord(f, path, func(record T) error {
		note(record)
		return nil
	})
	if err == nil {
		if err = f.Truncate(end); err == nil {
			_, err = f.Seek(end, io.SeekStart)
		}
		if err != nil {
			err = corpus.Errorf(corpus.ErrUnavailable, "open run: %w", err)
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// appendRecord writes a line for good, or takes back what was written of it: the next line must not begin behind half a one.
func appendRecord(f *os.File, record any) error {
	line, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("write item: %w", err)
	}
	end, err := f.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = f.Write(append(line, '\n'))
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		return nil
	}
	undone := f.Truncate(end)
	if undone == nil {
		_, undone = f.Seek(end, io.SeekStart)
	}
	return errors.Join(corpus.Hint(corpus.Errorf(corpus.ErrFull, "write item: %w", err), "make space, and give the same command again"), undone)
}

func (f *Folder) note(i Item) {
	f.done[i.key()] = i.Answer != nil
	if i.SpentUSD != nil {
		f.spent += *i.SpentUSD
		return
	}
	// An item of an earlier version.
	if i.Answer != nil && i.Answer.CostUSD != nil && (len(i.Calls) == 0 || paid(i.Calls)) {
		f.spent += *i.Answer.CostUSD
	}
}

// add writes an item for good.
func (f *Folder) add(i Item) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := appendRecord(f.items, i); err != nil {
		return err
	}
	f.note(i)
	return nil
}

// Close lets another process have the run.
func (f *Folder) Close() error {
	var err error
	if f.items != nil {
		err = f.items.Close()
	}
	return errors.Join(err, f.lock.Close())
}

// Load reads a run's header and items, the last of each key.
func Load(path string) (Header, []Item, error) {
	h, err := readHeader(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = corpus.Hint(corpus.Errorf(corpus.ErrNotFound, "read run %s: there is no %s in it", path, headerFile), "name the folder of a run that `grounded eval run` made")
		}
		return h, nil, err
	}
	name := filepath.Join(path, itemsFile)
	file, err := os.Open(name)
	if err != nil {
		return h, nil, corpus.Errorf(corpus.ErrNotFound, "read run: %w", err)
	}
	defer file.Close()
	var items []Item
	at := map[key]int{}
	_, err = eachRecord(file, name, func(i Item) error {
		if old, again := at[i.key()]; again {
			items[old] = i
			return nil
		}
		at[i.key()] = len(items)
		items = append(items, i)
		return nil
	})
	return h, items, err
}

// Lines calls use with each item of a run as it was written, a line of JSON with its end. Of two with the same model,
// arm and question the later one counts. A run without items is corpus.ErrNotFound.
func Lines(path string, use func(line []byte) error) error {
	return eachLine(filepath.Join(path, itemsFile), use)
}

// JudgementLines is Lines for what judges said of a run.
func JudgementLines(path string, use func(line []byte) error) error {
	return eachLine(filepath.Join(path, judgementsFile), use)
}

func eachLine(name string, use func(line []byte) error) error {
	file, err := os.Open(name)
	if err != nil {
		return corpus.Errorf(corpus.ErrNotFound, "read run: %w", err)
	}
	defer file.Close()
	lines := bufio.NewReaderSize(file, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // what is behind the last whole line is being written
		}
		if err != nil {
			return corpus.Errorf(corpus.ErrUnavailable, "read run: %w", err)
		}
		if err := use(line); err != nil {
			return err
		}
	}
}

// eachRecord calls use for each whole line and returns where the last one ends. A last line without its end is what a
// killed process left and is passed over.
func eachRecord[T any](r io.Reader, name string, use func(T) error) (end int64, err error) {
	lines := bufio.NewReaderSize(r, 1<<20)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return end, nil
		}
		if err != nil {
			return end, corpus.Errorf(corpus.ErrUnavailable, "read %s: %w", name, err)
		}
		var record T
		err = json.Unmarshal(line, &record)
		if r, ok := any(record).(interface{ problem() string }); err == nil && ok && r.problem() != "" {
			err = errors.New(r.problem())
		}
		if err != nil {
			return end, corpus.Hint(corpus.Errorf(corpus.ErrCorrupt, "read %s, line %d: %w", name, n, err), "remove the line; what it held is asked again by the same command")
		}
		if err := use(record); err != nil {
			return end, err
		}
		end += int64(len(line))
	}
}

func readHeader(path string) (h Header, err error) {
	text, err := os.ReadFile(filepath.Join(path, headerFile))
	if err != nil {
		return h, fmt.Errorf("read run: %w", err)
	}
	if err := json.Unmarshal(text, &h); err != nil {
		return h, corpus.Errorf(corpus.ErrCorrupt, "read %s: %w", filepath.Join(path, headerFile), err)
	}
	return h, nil
}

// WriteWhole writes JSON so that a reader sees the old file or the new one.
func WriteWhole(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o600); err != nil {
		return corpus.Errorf(corpus.ErrFull, "write %s: %w", path, err)
	}
	return os.Rename(path+".new", path)
}

// same compares as JSON does, where no list and an empty one are alike.
func same(a, b Settings) bool { return difference(a, b) == "" }

// difference names the first setting that differs.
func difference(a, b Settings) string {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		field := x.Type().Field(i)
		if field.Name == "Dataset" {
			continue
		}
		one, _ := json.Marshal(x.Field(i).Interface()) // plain data
		other, _ := json.Marshal(y.Field(i).Interface())
		empty := func(text []byte) bool { return string(text) == "null" || string(text) == "[]" || string(text) == "{}" }
		if !bytes.Equal(one, other) && !(empty(one) && empty(other)) {
			return field.Tag.Get("json")
		}
	}
	return ""
}
