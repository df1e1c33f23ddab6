package ingest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"grounded/corpus"
	"grounded/ingest/parse"
	"grounded/ingest/source"
)

// plant writes files into a new folder named docs.
func plant(t *testing.T, files map[string]string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "docs")
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestForwardSendsWhatRunWouldRead sends a folder with rules, metadata and files that are not for us.
func TestForwardSendsWhatRunWouldRead(t *testing.T) {
	root := plant(t, map[string]string{
		"hr/leave.md": "27 days", "hr/leave.meta.yaml": "title: Holidays\ndate: 2026-01-31\naccess_groups: [staff]", "meals.md": "12 euros",
		"unclear.md": "x", "unclear.meta.yaml": "groups: []", "secret/a.md": "x", ".groundedignore": "secret", "draft.txt": "x",
		"odd.xyz": "\x01\x02", "film.bin": "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom",
	})
	var sent []string
	report, err := Forward(t.Context(), Request{Collection: "c", Paths: []string{root}, Globs: source.Globs{Exclude: []string{"draft.*"}}}, nil,
		func(_ context.Context, files []Forwarded, done func(int, DocumentDone)) error {
			for i, f := range files {
				sent = append(sent, fmt.Sprint(f.Source, " ", f.Path, f.Groups, f.Metadata))
				if f.ID != corpus.NewDocumentID("c", "docs", f.Path) {
					t.Errorf("the id of %s is %s", f.Path, f.ID)
				}
				d := DocumentDone{Outcome: OutcomeNew, Chunks: Chunks{Written: 2, Embedded: 1, Reused: 1}}
				if f.Path == "odd.xyz" {
					d = DocumentDone{Outcome: OutcomeFailed, Code: string(parse.UnsupportedFormat), Reason: "Nothing reads it."}
				}
				done(i, d)
			}
			done(0, DocumentDone{Document: files[0].Path + "!/part", Outcome: OutcomeQuarantined, Reason: "It is damaged."})
			return nil
		}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"docs hr/leave.md[staff] map[date:2026-01-31 title:Holidays]", "docs meals.md[] map[]", "docs odd.xyz[] map[]"}; !slices.Equal(sent, want) {
		t.Errorf("sent are %q, want %q", sent, want)
	}
	var unread []string
	for _, d := range report.Quarantined {
		unread = append(unread, d.Source+" "+d.Document)
	}
	if d := report.Documents; d != (Documents{New: 2, Quarantined: 2, Skipped: 2, Ignored: 2}) || report.Chunks != (Chunks{4, 2, 2}) || !slices.Equal(unread, []string{"docs hr/leave.md!/part", "docs unclear.md"}) {
		t.Errorf("the report is %+v", report)
	}
}

// TestForwardSendsPortions has more files than one request takes, of two sources.
func TestForwardSendsPortions(t *testing.T) {
	files := map[string]string{}
	for i := range forwardFiles + 1 {
		files[fmt.Sprintf("%04d.md", i)] = "x"
	}
	root, other := plant(t, files), plant(t, map[string]string{"a.md": "x"})
	var sizes []int
	_, err := Forward(t.Context(), Request{Collection: "c", Paths: []string{root}}, []corpus.Source{{Name: "other", Root: other}}, telling(&sizes), nil)
	if err != nil || !slices.Equal(sizes, []int{forwardFiles, 1}) {
		t.Errorf("portions of %v, %v", sizes, err)
	}
	sizes = nil
	_, err = Forward(t.Context(), Request{Collection: "c", Paths: []string{filepath.Join(root, "0001.md"), filepath.Join(other, "a.md")}}, []corpus.Source{{Name: "other", Root: other}}, telling(&sizes), nil)
	if err != nil || !slices.Equal(sizes, []int{1, 1}) {
		t.Errorf("portions of two sources: %v, %v", sizes, err)
	}
}

// telling takes all files, and keeps how many came at once.
func telling(sizes *[]int) Forwarder {
	return func(_ context.Context, files []Forwarded, done func(int, DocumentDone)) error {
		*sizes = append(*sizes, len(files))
		for i := range files {
			if files[i].Source != files[0].Source {
				return fmt.Errorf("%s and %s came at once", files[i].Source, files[0].Source)
			}
			done(i, DocumentDone{Outcome: OutcomeUnchanged})
		}
		return nil
	}
}

func TestForwardFailsForWhatIsNotKnown(t *testing.T) {
	root := plant(t, map[string]string{"a.md": "x", "b.xyz": "\x01"})
	own := errors.New("the server is away")
	unsupported := func(_ context.Context, files []Forwarded, done func(int, DocumentDone)) error {
		for i := range files {
			done(i, DocumentDone{Outcome: OutcomeFailed, Code: string(parse.UnsupportedFormat), Reason: "Nothing reads it."})
		}
		return nil
	}
	for _, test := range []struct {
		name    string
		request Request
		forward Forwarder
		want    error
	}{
		{"nothing is told", Request{Paths: []string{root}}, func(context.Context, []Forwarded, func(int, DocumentDone)) error { return nil }, corpus.ErrUnavailable},
		{"it fails", Request{Paths: []string{root}}, func(context.Context, []Forwarded, func(int, DocumentDone)) error { return own }, own},
		{"a named file", Request{Paths: []string{filepath.Join(root, "b.xyz")}}, unsupported, corpus.ErrUnsupported},
		{"an address", Request{Paths: []string{"https://example.com/"}}, unsupported, corpus.ErrUnsupported},
		{"prune", Request{Paths: []string{root}, Prune: true}, unsupported, corpus.ErrUnsupported},
		{"no folder", Request{Paths: []string{root + "x"}}, unsupported, corpus.ErrNotFound},
	} {
		test.request.Collection = "c"
		if _, err := Forward(t.Context(), test.request, nil, test.forward, nil); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Forward(ctx, Request{Collection: "c", Paths: []string{root}}, nil, func(ctx context.Context, _ []Forwarded, _ func(int, DocumentDone)) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	report, err := Forward(t.Context(), Request{Collection: "c", Paths: []string{plant(t, nil) + "/.."}}, nil, unsupported, nil)
	if err != nil || !strings.Contains(strings.Join(report.Warnings, ""), "nothing to read") {
		t.Errorf("an empty folder: %v, %v", report.Warnings, err)
	}
}
