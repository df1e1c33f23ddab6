package source_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"grounded/ingest/source"
)

// ignoreFiles are rules by folder, with paths to hold against them ("/" at the end of a folder's) and whether they are
// left out.
var ignoreFiles = []struct {
	name  string
	rules map[string]string
	out   []string
	in    []string
}{
	{"names at any depth", map[string]string{"": "*.tmp\nbuild\n"},
		[]string{"a.tmp", "x/y/a.tmp", "build/", "x/build/a.md", "build"}, []string{"a.md", "x/builder/a.md", "atmp"}},
	{"anchored", map[string]string{"": "/top.md\ndocs/old\n"},
		[]string{"top.md", "docs/old/a.md", "docs/old"}, []string{"x/top.md", "x/docs/old/a.md"}},
	{"folders only", map[string]string{"": "drafts/\n"}, []string{"drafts/", "x/drafts/a.md"}, []string{"drafts"}},
	{"any depth", map[string]string{"": "a/**/z.md\n**/logs\nkeep/**\n"},
		[]string{"a/z.md", "a/b/c/z.md", "x/logs/1.txt", "logs", "keep/a.md", "keep/b/c.md"}, []string{"b/a/z.md", "keep"}},
	{"negation", map[string]string{"": "*.md\n!README.md\n"}, []string{"a.md", "x/a.md"}, []string{"README.md", "x/README.md"}},
	{"the last rule decides", map[string]string{"": "!a.md\na.md\n"}, []string{"a.md"}, nil},
	{"nothing comes back from a folder that is left out", map[string]string{"": "x/\n!x/a.md\n"}, []string{"x/a.md"}, nil},
	{"all but one", map[string]string{"": "/*\n!/keep\n"}, []string{"a.md", "x/b.md"}, []string{"keep/a.md"}},
	{"nearer folders go first", map[string]string{"": "*.md\n", "x": "!b.md\n", "x/y": "b.md\n"},
		[]string{"b.md", "x/a.md", "x/y/b.md"}, []string{"x/b.md", "x/z/b.md"}},
	{"anchored in a folder", map[string]string{"x": "/a.md\n"}, []string{"x/a.md"}, []string{"a.md", "x/y/a.md"}},
	{"comments, blanks and escapes", map[string]string{"": "# a.md\n\n\\#b.md\n\\!c.md\nd.md   \ne\\ \n"},
		[]string{"#b.md", "!c.md", "d.md", "e "}, []string{"a.md", "# a.md", "e"}},
	{"classes", map[string]string{"": "[a-c].md\n[!x]?.txt\n"}, []string{"a.md", "y1.txt"}, []string{"d.md", "x1.txt"}},
	{"braces are letters", map[string]string{"": "{a,b}.md\n"}, []string{"{a,b}.md"}, []string{"a.md", "b.md"}},
	{"a star stays in its folder", map[string]string{"": "x/*.md\n"}, []string{"x/a.md"}, []string{"x/y/a.md"}},
	{"names that are not ASCII", map[string]string{"": "员工*\ncafé.md\n"}, []string{"员工手册/a.md", "café.md"}, []string{"手册/a.md"}},
	{"CRLF", map[string]string{"": "a.md\r\nb.md\r\n"}, []string{"a.md", "b.md"}, nil},
}

func writeRules(t *testing.T, root, name string, rules map[string]string) {
	t.Helper()
	for folder, text := range rules {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestIgnoreLeavesOutWhatItsRulesSay(t *testing.T) {
	for _, c := range ignoreFiles {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			writeRules(t, root, source.IgnoreName, c.rules)
			ignore := source.NewIgnore(root)
			check := func(p string, want bool) {
				reason, err := ignore.Match(strings.TrimSuffix(p, "/"), strings.HasSuffix(p, "/"))
				if err != nil || (reason != "") != want {
					t.Errorf("%s is left out: %t (%q, %v), want %t", p, reason != "", reason, err, want)
				}
			}
			for _, p := range c.out {
				check(p, true)
			}
			for _, p := range c.in {
				check(p, false)
			}
		})
	}
}

// TestIgnoreAgreesWithGit holds the table above against git itself.
func TestIgnoreAgreesWithGit(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("there is no git")
	}
	for _, c := range ignoreFiles {
		if strings.Contains(c.name, "CRLF") {
			continue // git takes the carriage return for a part of the name
		}
		root := t.TempDir()
		writeRules(t, root, ".gitignore", c.rules)
		run := func(args ...string) error {
			cmd := exec.Command(git, append([]string{"-C", root}, args...)...)
			cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
			return cmd.Run()
		}
		if err := run("init", "-q"); err != nil {
			t.Fatal(err)
		}
		for i, p := range append(append([]string{}, c.out...), c.in...) {
			want := i < len(c.out)
			got := run("check-ignore", "-q", "--no-index", p) == nil
			if got != want {
				t.Errorf("%s: git leaves out %q: %t", c.name, p, got)
			}
		}
	}
}

func TestRulesThatCannotBeUsedAreAnError(t *testing.T) {
	root := t.TempDir()
	writeRules(t, root, source.IgnoreName, map[string]string{"x": "ok\n[a-\n"})
	ignore := source.NewIgnore(root)
	if err := ignore.Check(""); err != nil {
		t.Errorf("rules of the root: %v", err)
	}
	for _, folder := range []string{"x", "x/y"} {
		if err := ignore.Check(folder); err == nil || !strings.Contains(err.Error(), "x/.groundedignore") || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("rules of %s: %v", folder, err)
		}
	}
	if err := os.MkdirAll(filepath.Join(root, "y", source.IgnoreName), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := ignore.Check("y"); err == nil {
		t.Error("a folder was taken for rules")
	}
}

func FuzzIgnore(f *testing.F) {
	for _, c := range ignoreFiles {
		f.Add(c.rules[""], c.out[0])
	}
	f.Fuzz(func(t *testing.T, rules, p string) {
		root := t.TempDir()
		writeRules(t, root, source.IgnoreName, map[string]string{"": rules})
		if strings.ContainsAny(p, "\x00\\") || strings.Contains("/"+p+"/", "/../") {
			return
		}
		ignore := source.NewIgnore(root)
		if _, err := ignore.Match(p, false); err == nil && ignore.Check("") != nil {
			t.Error("rules that can't be used were used")
		}
	})
}
