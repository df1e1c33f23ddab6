package grounded_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// policy says who may import whom: a package imports only packages that stand on a line above its own. Packages
// on one line don't know each other; a folder's packages (store/sqlite) belong to the folder.
const policy = `
corpus
analyze prompts wire
store model
telemetry
ingest retrieve
answer
eval
jobs
api web config client
cmd
`

// TestPackagesImportOnlyWhatStandsBelowThem names each import that goes against the policy.
func TestPackagesImportOnlyWhatStandsBelowThem(t *testing.T) {
	level := map[string]int{}
	for i, line := range strings.Split(strings.TrimSpace(policy), "\n") {
		for _, name := range strings.Fields(line) {
			level[name] = i
		}
	}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata") {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		folder, _, _ := strings.Cut(filepath.ToSlash(path), "/")
		own, known := level[folder]
		if !known {
			t.Errorf("%s: folder %q is not in the import policy; give it a place in it", path, folder)
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			rest, ours := strings.CutPrefix(imported, "grounded/")
			switch target, _, _ := strings.Cut(rest, "/"); {
			case folder == "corpus" && strings.Contains(strings.SplitN(imported, "/", 2)[0], "."):
				t.Errorf("%s imports %s: corpus imports the standard library only", path, imported)
			case !ours || target == folder:
			case level[target] >= own:
				t.Errorf("%s imports %s, which does not stand below %s", path, imported, folder)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
