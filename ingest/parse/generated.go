package parse

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"
)

var (
	lockFile = regexp.MustCompile(`(?i)^(?:package-lock\.json|npm-shrinkwrap\.json|composer\.lock|yarn\.lock|pnpm-lock\.ya?ml|cargo\.lock|poetry\.lock|pdm\.lock|uv\.lock|go\.sum|gemfile\.lock|pipfile\.lock|packages\.lock\.json|flake\.lock|pubspec\.lock|\.package-lock\.json)$`)
	packed   = regexp.MustCompile(`(?i)(?:[.-]min|[.-]bundle|\.chunk)\.(?:js|mjs|cjs|css)$|\.(?:js|css)\.map$`)
)

// minifiedLine is the average length of lines, in bytes, over which a script was packed by a program.
const minifiedLine = 400

// generated refuses what programs write for programs. What it was made from says the same to people.
func generated(in Input, extension string) error {
	name := filepath.Base(in.Name)
	switch {
	case lockFile.MatchString(name):
		return errorf(Generated, "It is a lock file, which lists versions of packages for a program.")
	case packed.MatchString(name):
		return errorf(Generated, "It is a script that was packed for browsers; ingest its source.")
	}
	switch strings.ToLower(extension) {
	case ".js", ".mjs", ".cjs", ".css":
		if len(in.Data) > 10*minifiedLine && len(in.Data)/(1+bytes.Count(in.Data, []byte("\n"))) > minifiedLine {
			return errorf(Generated, "It is a script that was packed for browsers; ingest its source.")
		}
	}
	return nil
}
