package jobstest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"grounded/corpus"
	"grounded/jobs"
)

// Full checks what a queue does where there is room for at least one megabyte, and not for a hundred: it refuses what is
// too much, keeps the jobs that it has, and takes new ones when there is room again.
func Full(t *testing.T, q jobs.Queue) {
	t.Helper()
	first := submit(t, q, jobs.Job{}, "first.md", "text")
	waiting := []string{first.ID}
	var full error
	for i := 0; full == nil && i < 200; i++ {
		s := begin(t, q, jobs.Job{})
		_, full = s.Add(t.Context(), fmt.Sprintf("%d.bin", i), nil, bytes.NewReader(make([]byte, 500<<10)))
		if full == nil {
			var j jobs.Job
			if j, full = s.Submit(t.Context()); full == nil {
				waiting = append(waiting, j.ID)
				continue
			}
		}
		wantKind(t, full, corpus.ErrFull)
		if corpus.HintOf(full) == "" {
			t.Errorf("the error has no hint: %v", full)
		}
		if err := s.Discard(t.Context()); err != nil {
			t.Errorf("discard: %v", err)
		}
	}
	if full == nil {
		t.Fatal("it is never full")
	}
	for _, id := range waiting {
		if j := read(t, q, id); j.Status != jobs.Queued {
			t.Errorf("got %+v", j)
		}
	}
	for i := range waiting {
		l := claim(t, q)
		if l.Job.ID != waiting[i] {
			t.Errorf("claimed %s as number %d", l.Job.ID, i)
		}
		if got := content(t, q, l.Job, 0); i == 0 && string(got) != "text" || i > 0 && len(got) != 500<<10 {
			t.Errorf("job %d has %d bytes", i, len(got))
		}
		if err := q.End(t.Context(), l, jobs.Done, ""); err != nil {
			t.Fatal(err)
		}
	}
	submit(t, q, jobs.Job{}, "last.md", strings.Repeat("text", 100<<10))
}
