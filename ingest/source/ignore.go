package source

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/bmatcuk/doublestar/v4"
	"golang.org/x/text/unicode/norm"
)

// IgnoreName is the file in a folder that says what of it is not read, in the language of .gitignore
// (https://git-scm.com/docs/gitignore).
const IgnoreName = ".groundedignore"

// maxIgnore bounds such a file, in bytes.
const maxIgnore = 1 << 20

// Ignore knows the rules of a folder and of all folders in it, each read when it is first needed. It is safe for
// concurrent use.
type Ignore struct {
	root string // on disk

	mu      sync.Mutex
	folders map[string]folderRules // by slash-separated path on disk, relative to root
}

type folderRules struct {
	rules []rule
	err   error
}

// rule is one line of a file.
type rule struct {
	pattern string
	negated bool
	folders bool // it is for folders only
	line    int
}

// NewIgnore returns the rules of the folder root.
func NewIgnore(root string) *Ignore { return &Ignore{root: root, folders: map[string]folderRules{}} }

// Match returns the rule that keeps a file or folder from being read, such as "drafts/.groundedignore, line 3",
// or "" if it is to be read. rel is its slash-separated path on disk, relative to the root. It fails when a file with
// rules is there and can't be used.
func (g *Ignore) Match(rel string, isFolder bool) (reason string, err error) {
	parts := strings.Split(rel, "/")
	for i := range parts {
		reason, err := g.matchOne(parts[:i+1], isFolder || i < len(parts)-1)
		if reason != "" || err != nil {
			return reason, err // nothing in a folder that is left out can be taken in again
		}
	}
	return "", nil
}

// Check fails when the rules of a folder, or of one above it, can't be used. rel is as for Match.
func (g *Ignore) Check(rel string) error {
	parts := strings.Split(rel, "/")
	for i := range len(parts) + 1 {
		if _, err := g.rules(strings.Join(parts[:i], "/")); err != nil {
			return err
		}
	}
	return nil
}

// matchOne looks at the rules of all folders above, the nearest first; in each the last that matches decides.
func (g *Ignore) matchOne(parts []string, isFolder bool) (string, error) {
	for i := len(parts) - 1; i >= 0; i-- {
		folder, below := strings.Join(parts[:i], "/"), norm.NFC.String(strings.Join(parts[i:], "/"))
		rules, err := g.rules(folder)
		if err != nil {
			return "", err
		}
		for j := len(rules) - 1; j >= 0; j-- {
			r := rules[j]
			if r.folders && !isFolder {
				continue
			}
			if ok, _ := doublestar.Match(r.pattern, below); !ok {
				continue
			}
			if r.negated {
				return "", nil
			}
			return fmt.Sprintf("%s, line %d", path.Join(folder, IgnoreName), r.line), nil
		}
	}
	return "", nil
}

func (g *Ignore) rules(folder string) ([]rule, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	known, ok := g.folders[folder]
	if !ok {
		known.rules, known.err = readRules(filepath.Join(g.root, filepath.FromSlash(folder), IgnoreName))
		g.folders[folder] = known
	}
	if known.err != nil {
		return nil, fmt.Errorf("%s: %w", path.Join(folder, IgnoreName), known.err)
	}
	return known.rules, nil
}

func readRules(file string) ([]rule, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, reasonOf(err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, reasonOf(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a file")
	case info.Size() > maxIgnore:
		return nil, fmt.Errorf("it has more than %d bytes", maxIgnore)
	}
	var rules []rule
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxIgnore+1)
	for n := 1; lines.Scan(); n++ {
		r, ok := parseRule(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if !ok {
			continue
		}
		if !doublestar.ValidatePattern(r.pattern) {
			return nil, fmt.Errorf("line %d is no pattern: %s", n, lines.Text())
		}
		r.line = n
		rules = append(rules, r)
	}
	if err := lines.Err(); err != nil {
		return nil, reasonOf(err)
	}
	return rules, nil
}

// parseRule reads a line; ok is false for one without a rule.
func parseRule(line string) (r rule, ok bool) {
	line = strings.TrimSuffix(line, "\r")
	for strings.HasSuffix(line, " ") && !strings.HasSuffix(line, `\ `) {
		line = strings.TrimSuffix(line, " ")
	}
	if line == "" || line[0] == '#' {
		return r, false
	}
	if line[0] == '!' {
		r.negated, line = true, line[1:]
	}
	if strings.HasSuffix(line, "/") {
		r.folders, line = true, strings.TrimSuffix(line, "/")
	}
	anchored := strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if line == "" {
		return r, false
	}
	// Braces are letters here.
	line = strings.NewReplacer("{", `\{`, "}", `\}`, `\{`, `\{`, `\}`, `\}`, `\\`, `\\`).Replace(line)
	if strings.HasSuffix(line, "/**") {
		line += "/*" // all that is in it, not the folder itself
	}
	if !anchored {
		line = "**/" + line
	}
	r.pattern = norm.NFC.String(line)
	return r, true
}

// reasonOf is the error without the path.
func reasonOf(err error) error {
	var cause *fs.PathError
	if errors.As(err, &cause) {
		return cause.Err
	}
	return err
}
