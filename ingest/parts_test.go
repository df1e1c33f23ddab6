package ingest_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"grounded/ingest"
	"grounded/ingest/parse"
)

// archived packs names and texts by turns.
func archived(t testing.TB, namesAndTexts ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(namesAndTexts); i += 2 {
		f, err := z.CreateHeader(&zip.FileHeader{Name: namesAndTexts[i], Method: zip.Deflate, Modified: time.Date(2024, 5, 4, 10, 0, 0, 0, time.UTC)})
		if err == nil {
			_, err = f.Write([]byte(namesAndTexts[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func (w *world) wantQuarantined(r ingest.Report, want ...string) {
	w.t.Helper()
	var got []string
	for _, d := range r.Quarantined {
		got = append(got, d.Document+" "+d.Code)
	}
	if !slices.Equal(got, want) {
		w.t.Fatalf("quarantined are %q, want %q", got, want)
	}
}

func TestAnArchivesMembersAreDocuments(t *testing.T) {
	w := newWorld(t)
	inner := archived(t, "deep.txt", article("Depth", 2))
	w.write("a.zip", archived(t, "hand/book.md", article("Books", 2), "inner.zip", inner, "index.sqlite", "SQLite format 3\x00\x10", ".DS_Store", "x", "__MACOSX/y.txt", "y"))
	r := w.ingest(ingest.Request{})
	w.wantCounts(r, ingest.Documents{New: 4, Skipped: 1})
	w.wantNames("docs:a.zip", "docs:a.zip!/hand/book.md", "docs:a.zip!/inner.zip", "docs:a.zip!/inner.zip!/deep.txt")
	if d := w.document("a.zip"); d.ChunkCount != 0 || d.PageCount != 1 || d.MediaType != "application/zip" {
		t.Errorf("the archive is stored as %+v", d)
	}
	d := w.document("a.zip!/hand/book.md")
	if d.URI != w.path("a.zip")+"!/hand/book.md" || d.Title != "Books" || d.ModifiedAt.Year() != 2024 || d.ChunkCount == 0 {
		t.Errorf("a member is stored as %+v", d)
	}
	if r.Skipped[0].Document != "a.zip!/index.sqlite" {
		t.Errorf("skipped are %+v", r.Skipped)
	}
}

func TestAnUnchangedArchiveIsNotOpened(t *testing.T) {
	w := newWorld(t)
	w.write("a.zip", archived(t, "x.txt", article("X", 2), "broken.pdf", "not a PDF"))
	w.wantQuarantined(w.ingest(ingest.Request{}), "a.zip!/broken.pdf damaged")
	r := w.ingest(ingest.Request{Prune: true})
	w.wantCounts(r, ingest.Documents{Unchanged: 2, Quarantined: 1})
	w.wantQuarantined(r, "a.zip!/broken.pdf damaged")
	if w.parser.calls != 0 || w.embedder.calls != 0 {
		t.Errorf("%d parses and %d embedding calls, want none", w.parser.calls, w.embedder.calls)
	}
}

func TestOfAChangedArchiveOnlyChangedMembersAreRead(t *testing.T) {
	w := newWorld(t)
	w.write("a.zip", archived(t, "same.txt", article("Same", 2), "edited.txt", article("Before", 2), "gone.txt", article("Gone", 2), "gone.pdf", "no PDF"))
	w.ingest(ingest.Request{})
	w.write("a.zip", archived(t, "edited.txt", article("After", 2), "same.txt", article("Same", 2), "new.txt", article("New", 2)))

	dry := w.ingest(ingest.Request{DryRun: true})
	w.wantNames("docs:a.zip", "docs:a.zip!/edited.txt", "docs:a.zip!/gone.txt", "docs:a.zip!/same.txt")
	r := w.ingest(ingest.Request{})
	w.wantCounts(r, ingest.Documents{New: 1, Changed: 2, Unchanged: 1, Pruned: 2})
	w.wantCounts(dry, r.Documents)
	w.wantNames("docs:a.zip", "docs:a.zip!/edited.txt", "docs:a.zip!/new.txt", "docs:a.zip!/same.txt")
	if w.parser.calls != 3 { // the archive, and the members that are new
		t.Errorf("%d parses, want 3", w.parser.calls)
	}
	if q, err := w.store.Quarantined(t.Context(), "c"); err != nil || len(q) != 0 {
		t.Errorf("quarantined are %+v, %v", q, err)
	}
}

func TestADryRunTellsWhatIsInsideAndWritesNothing(t *testing.T) {
	w := newWorld(t)
	w.write("a.zip", archived(t, "x.txt", article("X", 1), "y.xyz", "unknown", "z.sqlite", "SQLite format 3\x00\x10", "b.zip", archived(t, "c.txt", article("C", 1)), "d.pdf", "no PDF"))
	w.write("b.zip", "<!DOCTYPE html><p>"+article("A page that is called an archive", 1))
	w.write("c.zip", "PK\x03\x04 and no more")
	dry := w.ingest(ingest.Request{DryRun: true})
	w.wantNames()
	if q, err := w.store.Quarantined(t.Context(), "c"); err != nil || len(q) != 0 {
		t.Errorf("quarantined are %+v, %v", q, err)
	}
	r := w.ingest(ingest.Request{})
	w.wantCounts(r, ingest.Documents{New: 5, Quarantined: 2, Skipped: 2})
	w.wantCounts(dry, ingest.Documents{New: 6, Quarantined: 1, Skipped: 2}) // what is a PDF by its name is not parsed
}

func TestPruneForgetsAnArchiveWithItsMembers(t *testing.T) {
	w := newWorld(t)
	w.write("a.zip", archived(t, "x.txt", article("X", 2), "y.pdf", "no PDF"))
	w.write("b.zip", archived(t, "x.txt", article("B", 2)))
	w.write("c!/x.txt", article("C", 2))
	w.ingest(ingest.Request{})
	w.remove("a.zip")
	w.wantCounts(w.ingest(ingest.Request{Prune: true}), ingest.Documents{Unchanged: 3, Pruned: 3})
	w.wantNames("docs:b.zip", "docs:b.zip!/x.txt", "docs:c!/x.txt")
}

func TestADeletedMemberComesBack(t *testing.T) {
	w := newWorld(t)
	w.write("a.zip", archived(t, "inner.zip", archived(t, "x.txt", article("X", 2))))
	w.ingest(ingest.Request{})
	if err := w.store.Delete(t.Context(), "c", w.document("a.zip!/inner.zip!/x.txt").ID); err != nil {
		t.Fatal(err)
	}
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{New: 1, Changed: 2})
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{Unchanged: 3})
}

func TestAMemberThatIsToBeReadAgainIs(t *testing.T) {
	w := newWorld(t)
	w.write("a.zip", archived(t, "x.txt", article("X", 2), "y.txt", article("Y", 2)))
	w.ingest(ingest.Request{})
	d := w.document("a.zip!/x.txt")
	d.PipelineFingerprint, d.ChunkCount = "damaged", 0
	if err := w.store.Replace(t.Context(), d, nil, nil); err != nil {
		t.Fatal(err)
	}
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{Changed: 2, Unchanged: 1})
	if len(w.chunks("a.zip!/x.txt")) == 0 {
		t.Error("the member has no chunks")
	}
}

func TestMailsAreOpened(t *testing.T) {
	w := newWorld(t)
	mail := func(subject, name, attached string) string {
		return "From: a@x.org\nSubject: " + subject + "\nDate: Mon, 5 May 2025 10:00:00 +0000\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n" + article(subject, 1) +
			"\n--b\nContent-Type: application/octet-stream; name=" + name + "\n\n" + attached + "\n--b--\n"
	}
	w.write("all.mbox", "From x Mon May  5 10:00:00 2025\n"+mail("One", "a.txt", article("A", 1))+"\nFrom x Mon May  5 10:00:00 2025\n"+mail("Two", "b.txt", article("B", 1)))
	w.write("cut.eml", strings.TrimSuffix(mail("Cut", "c.txt", article("C", 1)), "\n--b--\n"))
	w.write("cut.meta.yaml", "groups: [sales]\nproject: winch\ntitle: Offer")
	w.wantQuarantined(w.ingest(ingest.Request{}), "cut.eml!/(the rest) damaged")
	w.wantNames("docs:all.mbox", "docs:all.mbox!/2025-05-05 One.eml", "docs:all.mbox!/2025-05-05 One.eml!/a.txt",
		"docs:all.mbox!/2025-05-05 Two.eml", "docs:all.mbox!/2025-05-05 Two.eml!/b.txt", "docs:cut.eml", "docs:cut.eml!/c.txt")

	w.write("cut.eml", mail("Cut", "c.txt", article("C", 1)))
	w.wantQuarantined(w.ingest(ingest.Request{}))
	for path, title := range map[string]string{"cut.eml": "Offer", "cut.eml!/c.txt": "c"} {
		if d := w.document(path); d.Title != title || !slices.Equal(d.Groups, []string{"sales"}) || d.Metadata["project"] != "winch" {
			t.Errorf("%s is %+v", path, d)
		}
	}

	// A mail that is cut off by now has not lost its attachments for that.
	whole := mail("Cut", "c.txt", article("C", 1))
	w.write("cut.eml", whole[:strings.Index(whole, "\n--b\nContent-Type")])
	w.wantQuarantined(w.ingest(ingest.Request{}), "cut.eml!/(the rest) damaged")
	w.document("cut.eml!/c.txt")
}

func TestMembersInheritWhoMaySeeThem(t *testing.T) {
	open := "a.zip!/open.txt"
	for name, tt := range map[string]struct {
		beside  string   // the archive
		members []string // of the inner archive, besides open.txt
		want    map[string][]string
	}{
		"from beside the archive": {"groups: [hr]", nil, map[string][]string{open: {"hr"}, "a.zip!/in.zip": {"hr"}, "a.zip!/in.zip!/x.md": {"hr"}}},
		"from beside the member":  {"", []string{"in.zip.meta.yaml", "groups: legal"}, map[string][]string{open: nil, "a.zip!/in.zip!/x.md": {"legal"}}},
		"the archive's above the member's": {"access_groups: hr", []string{"in.zip.meta.yaml", "groups: everyone", "open.meta.yaml", "groups: everyone"},
			map[string][]string{open: {"hr"}, "a.zip!/in.zip!/x.md": {"hr"}}},
		"none": {"", nil, map[string][]string{open: nil, "a.zip!/in.zip!/x.md": nil}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			inner := archived(t, "x.md", article("X", 1))
			w.write("a.zip", archived(t, append(tt.members, "open.txt", article("Open", 1), "in.zip", inner)...))
			if tt.beside != "" {
				w.write("a.zip.meta.yaml", tt.beside)
			}
			w.ingest(ingest.Request{})
			for path, want := range tt.want {
				if got := w.document(path).Groups; !slices.Equal(got, want) {
					t.Errorf("%s is seen by %q, want %q", path, got, want)
				}
			}
			// Taking the archive away from all but one group takes its members away too.
			w.write("a.zip.meta.yaml", "groups: [board]")
			w.ingest(ingest.Request{})
			for _, d := range w.documents() {
				if !slices.Equal(d.Groups, []string{"board"}) {
					t.Errorf("%s is seen by %q later, want the board", d.Path, d.Groups)
				}
			}
		})
	}
}

func TestAnOlderVersionIsNotLeftToThoseWhoMayNotSeeIt(t *testing.T) {
	w := newWorld(t)
	w.write("a.zip", archived(t, "x.txt", article("X", 1), "y.txt", article("Y", 1)))
	w.write("b.zip", archived(t, "x.txt", article("B", 1)))
	w.ingest(ingest.Request{})
	w.write("a.zip", archived(t, "x.txt", "\x00\x01\x02\x03", "y.txt", article("Y", 1)))
	w.write("b.zip", "PK\x03\x04 and no more")
	w.write("a.zip.meta.yaml", "groups: [hr]")
	w.write("b.zip.meta.yaml", "groups: [hr]")
	w.ingest(ingest.Request{})
	w.wantNames("docs:a.zip", "docs:a.zip!/y.txt")
}

func TestAMembersUnreadableMetadataHidesIt(t *testing.T) {
	w := newWorld(t)
	w.write("a.zip", archived(t, "x.txt", article("X", 1), "x.txt.meta.yaml", "groups: [", "y.txt", article("Y", 1), "y.meta.yml", "a: &a [1]\nb: [*a, *a]"))
	w.wantQuarantined(w.ingest(ingest.Request{}), "a.zip!/x.txt metadata", "a.zip!/y.txt metadata")
	w.wantNames("docs:a.zip")
}

func TestWhatIsInsideOfFilesIsLimited(t *testing.T) {
	nested := func(t *testing.T) string {
		data := article("Bottom", 1)
		for i := range 4 {
			data = archived(t, []string{"bottom.txt", "1.zip", "2.zip", "3.zip"}[i], data)
		}
		return data
	}
	many := func(t *testing.T) string {
		return archived(t, "1.zip", archived(t, "a.txt", article("A", 1), "b.txt", article("B", 1)), "c.txt", article("C", 1))
	}
	for name, tt := range map[string]struct {
		file   func(t *testing.T) string
		limits ingest.Limits
		want   []string // quarantined
	}{
		"depth by default":   {nested, ingest.Limits{}, []string{"a.zip!/3.zip!/2.zip!/1.zip too-large"}},
		"greater depth":      {nested, ingest.Limits{Depth: 4}, nil},
		"no depth":           {many, ingest.Limits{Depth: -1}, []string{"a.zip too-large"}},
		"number":             {many, ingest.Limits{Limits: parse.Limits{Parts: 1}}, []string{"a.zip too-large"}},
		"number in all":      {many, ingest.Limits{Limits: parse.Limits{Parts: 3}}, []string{"a.zip!/1.zip too-large"}},
		"enough":             {many, ingest.Limits{Limits: parse.Limits{Parts: 4}}, nil},
		"unpacked bytes":     {many, ingest.Limits{Limits: parse.Limits{Bytes: 100}}, []string{"a.zip too-large"}},
		"unpacked in all":    {many, ingest.Limits{Limits: parse.Limits{Bytes: 1000}}, []string{"a.zip!/1.zip too-large"}},
		"enough bytes":       {many, ingest.Limits{Limits: parse.Limits{Bytes: 2000}}, nil},
		"a bomb by its size": {func(t *testing.T) string { return archived(t, "a.txt", strings.Repeat("a", 70<<20)) }, ingest.Limits{}, []string{"a.zip too-large"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.config.Limits, w.config.Scratch = tt.limits, t.TempDir()
			w.write("a.zip", tt.file(t))
			w.wantQuarantined(w.ingest(ingest.Request{}), tt.want...)
			left, err := filepath.Glob(filepath.Join(w.config.Scratch, "run-*"))
			if err != nil || len(left) != 0 {
				t.Errorf("left are %q, %v", left, err)
			}
		})
	}
}

func TestAMemberThatNeedsAPasswordIsTriedAgainWhenThereIsOne(t *testing.T) {
	w := newWorld(t)
	data, err := os.ReadFile("../testdata/awkward/encrypted.zip")
	if err != nil {
		t.Fatal(err)
	}
	w.write("a.zip", string(data))
	w.wantQuarantined(w.ingest(ingest.Request{}), "a.zip!/aes-256.txt encrypted", "a.zip!/traditional.txt encrypted")
	w.config.Passwords = []string{"wrong", "lighthouse"}
	w.wantQuarantined(w.ingest(ingest.Request{}))
	w.config.Passwords = nil
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{Unchanged: len(w.documents())})
}

func TestAFolderNamedLikeTheInsideOfAFileIsLeftOut(t *testing.T) {
	w := newWorld(t)
	w.write("a.zip", archived(t, "x.txt", article("In", 1)))
	w.write("a.zip!/x.txt", article("Beside", 1))
	w.wantCounts(w.ingest(ingest.Request{Prune: true}), ingest.Documents{New: 2, Skipped: 1})
	if d := w.document("a.zip!/x.txt"); d.Title != "In" && d.URI != w.path("a.zip")+"!/x.txt" {
		t.Errorf("stored is %+v", d)
	}
}

func TestLeftoversOfKilledRunsAreRemovedAndOthersStay(t *testing.T) {
	w := newWorld(t)
	w.config.Scratch = t.TempDir()
	leftover := filepath.Join(w.config.Scratch, "run-1", "2", "part-1")
	if err := os.MkdirAll(filepath.Dir(leftover), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(leftover, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.write("a.zip", archived(t, "x.txt", article("X", 1)))
	w.parser.before = func(in parse.Input) error {
		if in.Name != "x.txt" {
			return nil
		}
		// Another run, which begins while this one has its files there.
		other := newWorld(t)
		other.config.Scratch = w.config.Scratch
		other.write("b.zip", archived(t, "y.txt", article("Y", 1)))
		other.ingest(ingest.Request{})
		return nil
	}
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{New: 2})
	if _, err := os.Stat(leftover); !os.IsNotExist(err) {
		t.Errorf("the leftover is there: %v", err)
	}
}

func TestAnArchiveThatBecomesWhatItWasIsOpenedAfterAnEndedRun(t *testing.T) {
	w := newWorld(t)
	w.write("known.md", article("Known", 1))
	before := archived(t, "1.md", article("Before", 1), "2.md", article("Before too", 1))
	w.write("a.zip", before)
	w.ingest(ingest.Request{})
	hash := w.document("a.zip!/1.md").ContentHash

	// The vectors of the first member are known; it is stored when the embedder fails with the second.
	w.write("a.zip", archived(t, "1.md", article("Known", 1)+"\n", "2.md", article("After", 1)))
	w.embedder.fail = func(ctx context.Context, _ int) error {
		for ctx.Err() == nil && w.document("a.zip!/1.md").ContentHash == hash {
			time.Sleep(time.Millisecond)
		}
		return errors.New("out of order")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := w.try(ctx, ingest.Request{}); err == nil || !strings.Contains(err.Error(), "out of order") {
		t.Fatalf("failed with %v", err)
	}
	w.embedder.fail = nil
	w.write("a.zip", before)
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{Changed: 2, Unchanged: 2})
	if got := w.document("a.zip!/1.md").ContentHash; got != hash {
		t.Errorf("the first member is %s, want what it was, %s", got, hash)
	}
	w.wantCounts(w.ingest(ingest.Request{}), ingest.Documents{Unchanged: 4})
}
