package source_test

import (
	"strings"
	"testing"

	"grounded/ingest/source"
)

func TestGlobsChooseAmongPaths(t *testing.T) {
	for _, c := range []struct {
		include, exclude string
		in, out          string
	}{
		{"", "", "a.md x/b.pdf", ""},
		{"*.pdf", "", "a.pdf x/y/b.pdf", "a.md x/a.pdf.md"},
		{"*.pdf *.docx", "", "a.pdf x/b.docx", "a.md"},
		{"hr/*.md", "", "hr/a.md", "a.md hr/x/a.md x/hr/a.md"},
		{"hr/**", "", "hr/a.md hr/x/a.md", "a.md hr2/a.md"},
		{"hr/", "", "hr/a.md x/hr/a.md", "hr.md"},
		{"/hr/", "", "hr/a.md", "x/hr/a.md"},
		{"**/2026/*", "", "2026/a.md x/2026/a.md", "2025/a.md"},
		{"{hr,it}/**", "", "hr/a.md it/a.md", "qa/a.md"},
		{"", "drafts", "a.md", "drafts/a.md x/drafts/y/a.md drafts"},
		{"", "x/drafts", "drafts/a.md", "x/drafts/a.md"},
		{"*.md", "draft-*", "a.md", "draft-a.md a.txt"},
		{"docs/*?page=*", "", "docs/a?page=2", "docs/a"},
	} {
		g := source.Globs{Include: strings.Fields(c.include), Exclude: strings.Fields(c.exclude)}
		if err := g.Check(); err != nil {
			t.Errorf("%+v: %v", g, err)
		}
		for _, p := range strings.Fields(c.in) {
			if !g.Match(p) {
				t.Errorf("%+v leaves %s out", g, p)
			}
		}
		for _, p := range strings.Fields(c.out) {
			if g.Match(p) {
				t.Errorf("%+v takes %s in", g, p)
			}
		}
	}
	for _, bad := range []string{"", "[a", "{a"} {
		if err := (source.Globs{Exclude: []string{bad}}).Check(); err == nil {
			t.Errorf("%q is a pattern", bad)
		}
	}
}

func TestFileNamesFitAnyFileSystem(t *testing.T) {
	long := strings.Repeat("员", 100)
	for in, want := range map[string]string{
		"a/b.pdf": "b.pdf", "b?c=d/e:f.pdf": "e_f.pdf", "..": "_", "": "_", "x/a\x00\n.md": "a__.md", "caf\xe9.md": "caf_.md",
		long + ".pdf": strings.Repeat("员", 38) + ".pdf",
	} {
		if got := source.FileName(in); got != want {
			t.Errorf("%q is called %q, want %q", in, got, want)
		}
	}
}
