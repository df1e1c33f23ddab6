package jobs_test

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"grounded/ingest/source"
	"grounded/jobs"
	"grounded/jobs/sqlite"
)

// FuzzNamesAreNeverPaths uploads a file of any name: it is refused, or kept in the queue's folder and nowhere else, under
// a name that can be a file's and is a document's.
func FuzzNamesAreNeverPaths(f *testing.F) {
	for _, name := range []string{"a.md", "../a.md", "/etc/passwd", `..\a`, "a\x00b", "CON", "员工手册.pdf", "e\u0301.md", "\u202egpj.exe", "a.meta.yaml", ".", "~$a.docx", strings.Repeat("é", 200), "a\xff", "..", "a!/b.md"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		root := t.TempDir()
		q, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(root, "queue", "jobs.db")})
		if err != nil {
			t.Fatal(err)
		}
		defer q.Close()
		s, err := jobs.NewIngest(q, jobs.Limits{}, jobs.Job{Collection: "c"}, jobs.IngestSpec{})
		if err != nil {
			t.Fatal(err)
		}
		file, err := s.Add(t.Context(), name, nil, strings.NewReader("text"))
		if err == nil {
			if onDisk := source.FileName(file.Name); !filepath.IsLocal(onDisk) || filepath.Base(onDisk) != onDisk || !utf8.ValidString(file.Name) || source.IsSidecar(file.Name) {
				t.Errorf("%q was taken as %q, on disk %q", name, file.Name, onDisk)
			}
		}
		files := 0
		err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() && !strings.HasPrefix(e.Name(), "jobs.db") {
				files++
				if rel, err := filepath.Rel(filepath.Join(root, "queue", "uploads"), path); err != nil || !filepath.IsLocal(rel) || e.Name() != "0" {
					t.Errorf("%q made the file %s", name, path)
				}
			}
			return err
		})
		if err != nil || (file.Name != "") != (files == 1) {
			t.Errorf("%q made %d files, %v", name, files, err)
		}
	})
}
