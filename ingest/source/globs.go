package source

import (
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"grounded/corpus"
)

// Globs choose among the paths of a source. A pattern with no slash is held against the names of files and
// folders, one with a slash against the path from the source's root; * and ? stay in one name, ** runs over
// folders, {a,b} is either. What a pattern says of a folder it says of all that is in it.
type Globs struct {
	Include []string // if not empty, only what one of them matches is read
	Exclude []string // what one of them matches is not
}

// Check fails for a pattern that is none.
func (g Globs) Check() error {
	for _, list := range [][]string{g.Include, g.Exclude} {
		for _, pattern := range list {
			if pattern == "" || !doublestar.ValidatePattern(pattern) {
				return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "%q is no pattern for paths", pattern),
					`patterns are like "*.pdf", "drafts/**" or "reports/{2025,2026}/*.docx"`)
			}
		}
	}
	return nil
}

// Match reports whether a file is to be read.
func (g Globs) Match(file string) bool {
	return (len(g.Include) == 0 || matchAny(g.Include, file)) && !matchAny(g.Exclude, file)
}

// MatchFolder reports whether there may be files to be read in a folder.
func (g Globs) MatchFolder(folder string) bool { return !matchAny(g.Exclude, folder) }

// matchAny reports whether one of the patterns matches the path or a folder that it is in.
func matchAny(patterns []string, p string) bool {
	for _, pattern := range patterns {
		anchored := strings.Contains(strings.TrimSuffix(pattern, "/"), "/")
		pattern = strings.Trim(pattern, "/")
		for at := p; at != "." && at != "/" && at != ""; at = path.Dir(at) {
			held := at
			if !anchored {
				held = path.Base(at)
			}
			if ok, _ := doublestar.Match(pattern, held); ok {
				return true
			}
		}
	}
	return false
}
