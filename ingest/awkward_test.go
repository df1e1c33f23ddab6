package ingest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"grounded/ingest"
)

const awkward = "../testdata/awkward"

// TestWhatIsInsideOfAwkwardFilesComesToWhatIsExpected holds files of testdata/awkward that have others inside of them
// against EXPECT.tsv there.
func TestWhatIsInsideOfAwkwardFilesComesToWhatIsExpected(t *testing.T) {
	table, err := os.ReadFile(filepath.Join(awkward, "EXPECT.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	var want []string
	contains := map[string][2]string{}
	for _, line := range strings.Split(strings.TrimRight(string(table), "\n"), "\n")[1:] {
		fields := append(strings.Split(line, "\t"), "", "", "")
		file, inside, isPart := strings.Cut(fields[0], "!/")
		if !isPart {
			continue
		}
		want = append(want, strings.TrimSpace(fields[0]+" "+fields[1]+" "+fields[2]))
		contains[fields[0]] = [2]string{fields[4], fields[5]}
		if _, err := os.Stat(w.path(file)); err == nil || inside == "" {
			continue
		}
		data, err := os.ReadFile(filepath.Join(awkward, file))
		if err != nil {
			t.Fatal(err)
		}
		w.write(file, string(data))
	}
	r := w.ingest(ingest.Request{})
	var got []string
	for _, d := range w.documents() {
		if !strings.Contains(d.Path, "!/") {
			continue
		}
		got = append(got, d.Path+" ok")
		pages, err := w.store.Pages(t.Context(), everything, d.ID, 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		for _, p := range pages {
			text.WriteString(p.Text + "\n")
		}
		c := contains[d.Path]
		if !strings.Contains(text.String(), c[0]) || c[1] != "" && strings.Contains(text.String(), c[1]) {
			t.Errorf("%s is %q, which should have %q and not %q", d.Path, text.String(), c[0], c[1])
		}
	}
	for _, q := range r.Quarantined {
		got = append(got, q.Document+" quarantined "+q.Code)
	}
	for _, s := range r.Skipped {
		got = append(got, s.Document+" skipped")
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
