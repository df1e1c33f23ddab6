package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"grounded/client"
	"grounded/corpus"
	"grounded/jobs"
	"grounded/model"
	"grounded/wire"
)

// text is a file with a text.
func text(path, content string) client.File {
	return client.File{Path: path, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }}
}

// must returns what a call gave without an error.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("%v; %s", err, corpus.HintOf(err))
		}
		return v
	}
}

// TestAClientFillsAsksAndEmptiesACollection does all that a server offers.
func TestAClientFillsAsksAndEmptiesACollection(t *testing.T) {
	ctx, c := t.Context(), open(t, "admin")
	if err := errors.Join(c.Healthy(ctx), c.Ready(ctx)); err != nil {
		t.Fatal(err)
	}
	if made := must[wire.Collection](t)(c.CreateCollection(ctx, wire.NewCollection{Name: "default"})); made.Embedding.Dimensions != 64 {
		t.Errorf("made is %+v", made)
	}
	if _, err := c.CreateCollection(ctx, wire.NewCollection{Name: "default"}); !errors.Is(err, corpus.ErrConflict) {
		t.Errorf("made again: %v", err)
	}

	leave := text("hr/leave.md", "Everyone has 27 days of leave a year.")
	leave.Metadata, leave.Groups = map[string]any{"title": "Holidays"}, []string{"staff"}
	up := client.Upload{Source: "handbook", Metadata: map[string]any{"department": "HR"}, Files: []client.File{leave, text("meals.md", "Lunch is paid up to 12 euros."), text("broken.md", "")}}
	sent := must[wire.Upload](t)(c.Upload(ctx, "default", up))
	events := 0
	job := must[jobs.Job](t)(c.Watch(ctx, sent.JobID, func(j jobs.Job) error {
		events++
		return nil
	}))
	if events == 0 || job.Status != jobs.Failed || len(job.Files) != 3 || job.Files[0].Outcome.Outcome != "new" || job.Files[0].Embedded != 1 || job.Files[2].Code != "empty" {
		t.Errorf("after %d events the job is %+v", events, job)
	}
	if list, next, err := c.Jobs(ctx, jobs.Query{Status: jobs.Failed, Collection: "default"}); err != nil || len(list) != 1 || next != "" {
		t.Errorf("jobs %v, %q, %v", list, next, err)
	}
	if _, err := c.Cancel(ctx, sent.JobID); !errors.Is(err, corpus.ErrConflict) {
		t.Errorf("cancelled: %v", err)
	}
	if got := must[jobs.Job](t)(c.Job(ctx, sent.JobID)); got.Status != job.Status {
		t.Errorf("the job is %+v", got)
	}

	var paths []string
	for d, err := range c.AllDocuments(ctx, "default", client.DocumentQuery{Limit: 1, Source: "handbook"}) {
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, fmt.Sprint(d.Path, d.Title, d.Groups, d.Metadata["department"]))
	}
	if want := []string{"hr/leave.mdHolidays[staff]HR", "meals.mdmeals[]HR"}; !slices.Equal(paths, want) {
		t.Errorf("documents %q, want %q", paths, want)
	}
	filter := corpus.Filter{{Key: "department", Op: corpus.OpEqual, Values: []any{"HR", "Sales"}}, {Key: "title", Op: corpus.OpNotEqual, Values: []any{"Holidays"}}}
	if page := must[wire.Page[corpus.Document]](t)(c.Documents(ctx, "default", client.DocumentQuery{Filter: filter})); len(page.Data) != 1 || page.Data[0].Path != "meals.md" {
		t.Errorf("filtered are %+v", page.Data)
	}
	id := corpus.NewDocumentID("default", "handbook", "hr/leave.md")
	d := must[corpus.Document](t)(c.Document(ctx, "default", id))
	pages := must[[]corpus.Page](t)(c.Pages(ctx, "default", id, 1, 0))
	chunks := must[[]corpus.Chunk](t)(c.Chunks(ctx, "default", id, 0, -1))
	if d.PageCount != 1 || len(pages) != 1 || len(chunks) != 1 || !strings.Contains(pages[0].Text, "27 days") {
		t.Errorf("document %+v, pages %v, chunks %v", d, pages, chunks)
	}
	if bad := must[[]corpus.Quarantined](t)(c.Quarantined(ctx, "default")); len(bad) != 1 || bad[0].Path != "broken.md" {
		t.Errorf("quarantined are %+v", bad)
	}

	askAll(ctx, t, c)

	if cards := must[[]model.Card](t)(c.Models(ctx, model.Filter{Text: "parrot"})); len(cards) != 1 || cards[0].ID != "parrot" {
		t.Errorf("cards %+v", cards)
	}
	if card := must[model.Card](t)(c.Model(ctx, "parrot")); card.Context != 4096 {
		t.Errorf("card %+v", card)
	}

	if gone := must[[]corpus.DocumentID](t)(c.DeleteDocument(ctx, "default", id)); !slices.Equal(gone, []corpus.DocumentID{id}) {
		t.Errorf("deleted %v", gone)
	}
	if _, err := c.DeleteDocuments(ctx, "default", wire.DeleteDocuments{Source: "handbook", Confirm: 5}); !errors.Is(err, corpus.ErrInvalid) {
		t.Errorf("a wrong number: %v", err)
	}
	if gone := must[[]corpus.DocumentID](t)(c.DeleteDocuments(ctx, "default", wire.DeleteDocuments{Source: "handbook", Confirm: 1})); len(gone) != 1 {
		t.Errorf("deleted %v", gone)
	}
	if err := c.DeleteCollection(ctx, "default"); err != nil {
		t.Error(err)
	}
	if _, err := c.Collection(ctx, "default"); !errors.Is(err, corpus.ErrNotFound) {
		t.Errorf("deleted, and still there: %v", err)
	}
}

// askAll retrieves, answers and compares, streaming and not.
func askAll(ctx context.Context, t *testing.T, c *client.Client) {
	t.Helper()
	one, q := 1, wire.Question{Question: "How many days of leave a year?"}
	q.TopK = &one
	if found := must[wire.Retrieved](t)(c.Retrieve(ctx, q)); len(found.Passages) != 1 || found.Passages[0].Document != "hr/leave.md" {
		t.Errorf("found %+v", found)
	}
	var order []string
	var written strings.Builder
	streamed := must[corpus.Answer](t)(c.Answer(ctx, q, func(e client.Event) error {
		kind := "delta"
		switch {
		case e.Passages != nil:
			kind = "passages"
		case e.Citation != nil:
			kind = "citation"
		}
		if len(order) == 0 || order[len(order)-1] != kind {
			order = append(order, kind)
		}
		written.WriteString(e.Delta)
		return nil
	}))
	whole := must[corpus.Answer](t)(c.Answer(ctx, q, nil))
	if !slices.Equal(order, []string{"passages", "delta", "citation"}) || strings.TrimSpace(written.String()) != streamed.Text || streamed.Text != whole.Text || !strings.Contains(whole.Text, "27 days") || !whole.Citations[0].Verified {
		t.Errorf("events %v; streamed %+v, whole %+v", order, streamed, whole)
	}
	own := errors.New("enough")
	if _, err := c.Answer(ctx, q, func(client.Event) error { return own }); !errors.Is(err, own) {
		t.Errorf("an error of one's own became %v", err)
	}
	finished := 0
	both := must[wire.Comparison](t)(c.Compare(ctx, q, func(wire.ComparedAnswer) error {
		finished++
		return nil
	}))
	if at := must[wire.Comparison](t)(c.Compare(ctx, q, nil)); finished != 2 || len(both.Answers) != 2 || both.Answers[1].Text != at.Answers[1].Text || both.Answers[0].Arm != "plain" {
		t.Errorf("compared %+v and %+v, %d finished", both, at, finished)
	}
}

// TestAKeyOpensWhatItIsFor calls without a key, with a wrong one, and with one that may not.
func TestAKeyOpensWhatItIsFor(t *testing.T) {
	c, stop, err := serve(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for _, test := range []struct {
		name, key, hint string
		call            func(*client.Client) error
	}{
		{"no key", "", "GROUNDED_API_KEY", func(c *client.Client) error { _, err := c.Collections(t.Context()); return err }},
		{"a wrong key", "gk-wrong", "does not know the key", func(c *client.Client) error { _, err := c.Collections(t.Context()); return err }},
		{"a key to read", c.secret["reader"], "", func(c *client.Client) error {
			_, err := c.Upload(t.Context(), "default", client.Upload{Files: []client.File{text("a.md", "a")}})
			return err
		}},
	} {
		err := test.call(connect(t, client.Config{URL: c.url, Key: test.key}))
		if !errors.Is(err, corpus.ErrForbidden) || !strings.Contains(corpus.HintOf(err), test.hint) {
			t.Errorf("%s: %v; %s", test.name, err, corpus.HintOf(err))
		}
		var refused *client.Error
		if !errors.As(err, &refused) || refused.RequestID == "" {
			t.Errorf("%s: %#v has no request id", test.name, err)
		}
	}
}

// TestAnUploadIsNamedForWhatItIs refuses paths that are none, and tells of a file that can't be read.
func TestAnUploadIsNamedForWhatItIs(t *testing.T) {
	c := open(t, "admin")
	for _, path := range []string{"../a.md", "/etc/a.md", "a//b.md", "a/./b.md", "x.zip!/b.md", `a/b\c.md`, "hr/a.meta.yaml"} {
		f := text(path, "text")
		if _, err := c.Upload(t.Context(), "default", client.Upload{Files: []client.File{f}}); !errors.Is(err, corpus.ErrInvalid) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := c.Upload(t.Context(), "default", client.Upload{Source: "a/b", Files: []client.File{text("a.md", "text")}}); !errors.Is(err, corpus.ErrInvalid) {
		t.Errorf("a source that is a path: %v", err)
	}
	var bad *client.FileError
	if _, err := c.Upload(t.Context(), "default", client.Upload{Files: []client.File{text("a.md", "text"), client.LocalFile(t.TempDir() + "/gone.md")}}); !errors.As(err, &bad) || bad.Path != "gone.md" {
		t.Errorf("a file that is gone: %v", err)
	}
	if _, err := c.Upload(t.Context(), "default", client.Upload{Files: []client.File{text("1.md", ""), text("2.md", ""), text("3.md", ""), text("4.md", "")}}); !errors.Is(err, corpus.ErrLimit) {
		t.Errorf("too many files: %v", err)
	}
	odd := `a "b"%0A;c=1 é年.md`
	if up, err := c.Upload(t.Context(), "default", client.Upload{Files: []client.File{text(odd, "text")}}); err != nil || up.Documents[0].Name != odd {
		t.Errorf("%q became %+v, %v", odd, up, err)
	}
}
