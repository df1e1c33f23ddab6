package dataset_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"grounded/corpus"
	"grounded/eval/dataset"
	"grounded/store"
)

// library has documents by path with the text of their pages, listed one a call.
type library struct {
	paths []string
	pages map[string][]string
}

func (l library) Documents(_ context.Context, q store.DocumentQuery) ([]corpus.Document, string, error) {
	for i, path := range l.paths {
		if q.Cursor == path || q.Cursor == "" {
			next := ""
			if i+1 < len(l.paths) {
				next = l.paths[i+1]
			}
			return []corpus.Document{{ID: corpus.DocumentID(path), Path: path}}, next, nil
		}
	}
	return nil, "", nil
}

func (l library) Pages(_ context.Context, _ corpus.Scope, id corpus.DocumentID, _, _ int) (pages []corpus.Page, err error) {
	for i, text := range l.pages[string(id)] {
		pages = append(pages, corpus.Page{Number: i + 1, Text: text})
	}
	return pages, nil
}

func TestCheckFindsWhatTheCollectionDoesNotHold(t *testing.T) {
	l := library{
		paths: []string{"a/leave.md", "a/plan.pdf", "b/plan.pdf"},
		pages: map[string][]string{"a/leave.md": {"Everyone has 30 days", "of leave. Ask ﬁrst."}},
	}
	question := func(id, document string, page int, quote string) dataset.Question {
		return dataset.Question{ID: id, Question: id + "?", Answers: []string{"x"}, Answerable: true,
			Evidence: []dataset.Evidence{{Document: document, Page: page, Quote: quote}}}
	}
	questions := []dataset.Question{
		question("right", "leave.md", 1, "everyone has\n30 days"),
		question("ligature", "leave.md", 2, "Ask first"),
		question("over a page end", "leave.md", 0, "30 days of leave"),
		question("no quote", "a/leave.md", 2, ""),
		question("gone", "gone.md", 1, "x"),
		question("twins", "plan.pdf", 1, ""),
		question("page", "leave.md", 3, ""),
		question("other page", "leave.md", 1, "Ask first"),
		question("nowhere", "leave.md", 0, "40 days"),
		{ID: "again", Question: " RIGHT?", Answerable: true},
		{ID: "unanswerable", Question: "What else?"},
	}
	findings, err := dataset.Check(t.Context(), l, corpus.Scope{}, questions)
	if err != nil {
		t.Fatal(err)
	}
	var got [][2]string
	for _, f := range findings {
		got = append(got, [2]string{f.Question, f.Kind})
	}
	want := [][2]string{
		{"gone", dataset.MissingDocument}, {"twins", dataset.AmbiguousDocument}, {"page", dataset.MissingPage},
		{"other page", dataset.MissingQuote}, {"nowhere", dataset.MissingQuote},
		{"again", dataset.Duplicate}, {"again", dataset.NoEvidence}, {"again", dataset.NoAnswers},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestADocumentThatIsWrittenOtherwiseIsSuggested(t *testing.T) {
	l := library{paths: []string{"hr/Travel Policy.pdf", "über.pdf", "充电器手册.pdf"}}
	for name, want := range map[string]string{
		"travel policy":             "travel policy is not in the collection. Is it hr/Travel Policy.pdf?",
		`C:\docs\TRAVEL POLICY.PDF`: `C:\docs\TRAVEL POLICY.PDF is not in the collection. Is it hr/Travel Policy.pdf?`,
		"充电器手册":                     "充电器手册 is not in the collection. Is it 充电器手册.pdf?",
		"gone.pdf":                  "gone.pdf is not in the collection.",
		"u\u0308ber.pdf":            "", // as a Mac writes it
	} {
		findings, err := dataset.Check(t.Context(), l, corpus.Scope{}, []dataset.Question{{ID: "q", Question: "Q?", Answers: []string{"x"}, Answerable: true, Evidence: []dataset.Evidence{{Document: name}}}})
		got := ""
		if len(findings) > 0 {
			got = findings[0].Text
		}
		if err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
}
