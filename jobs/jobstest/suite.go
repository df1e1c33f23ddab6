// Package jobstest is the suite that every queue passes.
package jobstest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"grounded/corpus"
	"grounded/jobs"
)

// Options of a queue. Zero values are its defaults.
type Options struct {
	Lease, Retention, Abandoned time.Duration
}

// Place is where a queue is kept: opened several times it is as many replicas of one queue.
type Place interface {
	// Open opens the queue; the test closes it.
	Open(t testing.TB, o Options) jobs.Queue
	// Restart ends what keeps the queue, if that is a process of its own, and starts it again.
	Restart(t testing.TB)
	// Argument and Main let another process open the queue.
	Argument() string
}

// Run runs the suite; each test gets a place of its own.
func Run(t *testing.T, place func(t testing.TB) Place) {
	for name, test := range map[string]func(*testing.T, Place){
		"submitted files come out as they went in":                 submitted,
		"what is not a name or too much is refused":                refused,
		"a reader that fails leaves nothing":                       failingReader,
		"an idempotency key makes one job":                         idempotency,
		"a thousand jobs are each claimed once, the oldest first":  thousand,
		"jobs with a document in common go one after the other":    inOrder,
		"a job whose worker is silent is taken over":               takeover,
		"a lease that is extended is kept":                         extended,
		"outcomes and progress are seen everywhere":                progress,
		"queued jobs are cancelled at once, running ones are told": cancel,
		"jobs are given back":                                      release,
		"claimants get only kinds that they know":                  kinds,
		"a claim ends with its context":                            claimEnds,
		"jobs are listed by page":                                  list,
		"old jobs and abandoned uploads are forgotten":             sweep,
		"a restart loses nothing":                                  restart,
	} {
		t.Run(name, func(t *testing.T) { test(t, place(t)) })
	}
}

// within bounds how long a test waits for what should happen at once.
const within = 30 * time.Second

func open(t testing.TB, p Place, o Options) jobs.Queue {
	t.Helper()
	q := p.Open(t, o)
	t.Cleanup(func() { q.Close() })
	return q
}

// begin begins a submission of the owner o to the collection c.
func begin(t testing.TB, q jobs.Queue, request jobs.Job) *jobs.Submission {
	t.Helper()
	request.Collection = cmp.Or(request.Collection, "c")
	request.Owner = cmp.Or(request.Owner, "o")
	s, err := jobs.NewIngest(q, jobs.Limits{}, request, jobs.IngestSpec{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// submit submits files, given as names and contents in turn.
func submit(t testing.TB, q jobs.Queue, request jobs.Job, files ...string) jobs.Job {
	t.Helper()
	j, err := complete(t.Context(), begin(t, q, request), files...)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// complete adds the files to a submission, and submits it.
func complete(ctx context.Context, s *jobs.Submission, files ...string) (jobs.Job, error) {
	for i := 0; i < len(files); i += 2 {
		if _, err := s.Add(ctx, files[i], nil, strings.NewReader(files[i+1])); err != nil {
			return jobs.Job{}, err
		}
	}
	return s.Submit(ctx)
}

var someone = jobs.Claimant{Worker: "someone", Kinds: []string{jobs.KindIngest}}

func claim(t testing.TB, q jobs.Queue) jobs.Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	l, err := q.Claim(ctx, someone)
	if err != nil {
		t.Fatalf("claim: %v", err)
	}
	return l
}

// wantNone fails if there is a job to be claimed.
func wantNone(t testing.TB, q jobs.Queue) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if l, err := q.Claim(ctx, someone); err == nil {
		t.Fatalf("job %s was claimed", l.Job.ID)
	}
}

func wantKind(t testing.TB, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("got error %v, want one that is %q", err, kind)
	}
}

func read(t testing.TB, q jobs.Queue, id string) jobs.Job {
	t.Helper()
	j, err := q.Job(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// content of a file of a job.
func content(t testing.TB, q jobs.Queue, j jobs.Job, index int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "placed")
	if err := q.Place(t.Context(), j, index, path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func submitted(t *testing.T, p Place) {
	one, two := open(t, p, Options{}), open(t, p, Options{})
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB
	s := begin(t, one, jobs.Job{Owner: "key-1", Access: corpus.Access{Groups: []string{"board"}}})
	metadata := map[string]any{"title": "Protokoll", "groups": []any{"board"}}
	for _, f := range []struct {
		name     string
		metadata map[string]any
		text     []byte
	}{{"员工手册.md", metadata, []byte("text")}, {"large.bin", nil, large}, {"empty", nil, nil}} {
		if _, err := s.Add(t.Context(), f.name, f.metadata, bytes.NewReader(f.text)); err != nil {
			t.Fatal(err)
		}
	}
	j, err := s.Submit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, two, j.ID)
	if got.Status != jobs.Queued || got.Created.IsZero() || got.Started != nil || got.Progress.Total != 3 || got.Owner != "key-1" || !slices.Equal(got.Access.Groups, []string{"board"}) {
		t.Errorf("got %+v", got)
	}
	if len(got.Files) != 3 || got.Files[0].Metadata["title"] != "Protokoll" || got.Files[0].ID != corpus.NewDocumentID("c", "uploads", "员工手册.md") {
		t.Fatalf("got files %+v", got.Files)
	}
	if got.Files[0].SHA256 != "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1" || got.Files[1].Bytes != 4<<20 {
		t.Errorf("got files %+v", got.Files)
	}
	for i, want := range [][]byte{[]byte("text"), large, nil} {
		if text := content(t, two, got, i); !bytes.Equal(text, want) {
			t.Errorf("file %d has %d bytes, want %d", i, len(text), len(want))
		}
	}
	if _, err := two.Job(t.Context(), "none"); !errors.Is(err, corpus.ErrNotFound) {
		t.Errorf("a job that is not there: %v", err)
	}
}

func refused(t *testing.T, p Place) {
	q := open(t, p, Options{Abandoned: time.Nanosecond})
	limits := jobs.Limits{Files: 2, FileBytes: 10, Bytes: 15, Names: []string{"*.md", "*.txt"}}
	for _, c := range []struct {
		name, text string
		metadata   map[string]any
		kind       error
	}{
		{"", "x", nil, corpus.ErrInvalid},
		{"../a.md", "x", nil, corpus.ErrInvalid},
		{"/etc/a.md", "x", nil, corpus.ErrInvalid},
		{`a\b.md`, "x", nil, corpus.ErrInvalid},
		{"..", "x", nil, corpus.ErrInvalid},
		{"a\x00.md", "x", nil, corpus.ErrInvalid},
		{"a\n.md", "x", nil, corpus.ErrInvalid},
		{"a\xff.md", "x", nil, corpus.ErrInvalid},
		{" a.md", "x", nil, corpus.ErrInvalid},
		{strings.Repeat("a", 300) + ".md", "x", nil, corpus.ErrInvalid},
		{"a.md.meta.yaml", "x", nil, corpus.ErrInvalid},
		{"first.md", "x", nil, corpus.ErrInvalid}, // twice
		{"a.exe", "x", nil, corpus.ErrUnsupported},
		{"a.md", "01234567890", nil, corpus.ErrLimit},
		{"a.md", "x", map[string]any{"a": strings.Repeat("x", 1<<17)}, corpus.ErrLimit},
		{"a.md", "x", map[string]any{"a": func() {}}, corpus.ErrInvalid},
	} {
		s, err := jobs.NewIngest(q, limits, jobs.Job{Collection: "c"}, jobs.IngestSpec{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Add(t.Context(), "first.md", nil, strings.NewReader("0123456")); err != nil {
			t.Fatal(err)
		}
		_, err = s.Add(t.Context(), c.name, c.metadata, strings.NewReader(c.text))
		if !errors.Is(err, c.kind) || corpus.HintOf(err) == "" && c.metadata == nil {
			t.Errorf("%q: got %v (hint %q), want one that is %q, with a hint", c.name, err, corpus.HintOf(err), c.kind)
		}
		if err := s.Discard(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s, err := jobs.NewIngest(q, limits, jobs.Job{Collection: "c"}, jobs.IngestSpec{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Submit(t.Context())
	wantKind(t, err, corpus.ErrInvalid)
	if _, err := s.Add(t.Context(), "a.md", nil, strings.NewReader("0123456789")); err != nil {
		t.Fatal(err)
	}
	_, err = s.Add(t.Context(), "b.md", nil, strings.NewReader("0123456789"))
	wantKind(t, err, corpus.ErrLimit) // together they are too large
	for _, request := range []jobs.Job{{Collection: "a/b"}, {Collection: "c", IdempotencyKey: strings.Repeat("k", 300)}} {
		_, err := jobs.NewIngest(q, limits, request, jobs.IngestSpec{})
		wantKind(t, err, corpus.ErrInvalid)
	}
}

func failingReader(t *testing.T, p Place) {
	q := open(t, p, Options{})
	s := begin(t, q, jobs.Job{})
	broken := errors.New("the client went away")
	_, err := s.Add(t.Context(), "a.md", nil, io.MultiReader(bytes.NewReader(make([]byte, 1<<20)), &failing{broken}))
	wantKind(t, err, broken)
	// The same place is free again.
	if _, err := s.Add(t.Context(), "a.md", nil, strings.NewReader("whole")); err != nil {
		t.Fatal(err)
	}
	j, err := s.Submit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, q, j, 0); string(got) != "whole" {
		t.Errorf("got %d bytes", len(got))
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func idempotency(t *testing.T, p Place) {
	one, two := open(t, p, Options{}), open(t, p, Options{})
	request := jobs.Job{IdempotencyKey: "k"}
	var mu sync.Mutex
	ids := map[string]int{}
	var all sync.WaitGroup
	for i := range 8 {
		s := begin(t, []jobs.Queue{one, two}[i%2], request)
		all.Go(func() {
			j, err := complete(t.Context(), s, "a.md", "text")
			if err != nil {
				t.Errorf("the same request again: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			ids[j.ID]++
		})
	}
	all.Wait()
	if len(ids) != 1 {
		t.Fatalf("the same request made %d jobs", len(ids))
	}
	_, err := complete(t.Context(), begin(t, two, request), "a.md", "other text")
	wantKind(t, err, corpus.ErrConflict)
	if other := submit(t, two, jobs.Job{Owner: "somebody else", IdempotencyKey: "k"}, "a.md", "text"); ids[other.ID] > 0 {
		t.Error("two owners share a job")
	}
	l := claim(t, one)
	if got := content(t, one, l.Job, 0); string(got) != "text" {
		t.Errorf("got %q", got)
	}
	if err := one.End(t.Context(), l, jobs.Done, ""); err != nil {
		t.Fatal(err)
	}
	if again := submit(t, two, request, "a.md", "text"); again.Status != jobs.Done {
		t.Errorf("a repeated request got a job that is %s", again.Status)
	}
}

func thousand(t *testing.T, p Place) {
	n := 1000
	if testing.Short() {
		n = 50
	}
	queues := []jobs.Queue{open(t, p, Options{}), open(t, p, Options{})}
	position := map[string]int{}
	for i := range n {
		position[submit(t, queues[0], jobs.Job{}, fmt.Sprintf("%d.md", i), "text").ID] = i
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var mu sync.Mutex
	claimed := map[string]int{}
	var order []int
	var all sync.WaitGroup
	for w := range 4 {
		q := queues[w%2]
		all.Go(func() {
			for {
				l, err := q.Claim(ctx, someone)
				if err != nil {
					return
				}
				mu.Lock()
				claimed[l.Job.ID]++
				order = append(order, position[l.Job.ID])
				if len(order) == n {
					cancel()
				}
				mu.Unlock()
				if err := q.End(t.Context(), l, jobs.Done, ""); err != nil {
					t.Errorf("end: %v", err)
				}
			}
		})
	}
	all.Wait()
	if len(claimed) != n || len(order) != n {
		t.Fatalf("%d of %d jobs were claimed, in %d claims", len(claimed), n, len(order))
	}
	for i, at := range order {
		if at > i+50 || at < i-50 { // between a claim and its count others go on
			t.Fatalf("job %d was claimed as number %d", at, i)
		}
	}
}

func inOrder(t *testing.T, p Place) {
	one, two := open(t, p, Options{}), open(t, p, Options{})
	first := submit(t, one, jobs.Job{}, "a.md", "old", "b.md", "b")
	second := submit(t, two, jobs.Job{}, "c.md", "c", "a.md", "new")
	third := submit(t, two, jobs.Job{Collection: "another"}, "a.md", "elsewhere")
	l := claim(t, two)
	if l.Job.ID != first.ID {
		t.Fatalf("%s was claimed first", l.Job.ID)
	}
	other := claim(t, one)
	if other.Job.ID != third.ID {
		t.Fatalf("%s was claimed beside the first", other.Job.ID)
	}
	wantNone(t, one)
	// A job that is to be tried again holds the others up too.
	if err := two.Release(t.Context(), l, jobs.Release{After: time.Second}); err != nil {
		t.Fatal(err)
	}
	wantNone(t, one)
	l = claim(t, two)
	if l.Job.ID != first.ID {
		t.Fatalf("%s went before an older one", l.Job.ID)
	}
	if err := two.End(t.Context(), l, jobs.Failed, "reason"); err != nil {
		t.Fatal(err)
	}
	if l := claim(t, one); l.Job.ID != second.ID {
		t.Errorf("%s was claimed last", l.Job.ID)
	}
}
