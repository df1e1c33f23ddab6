package parse

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// PartSeparator stands in a document's path between a file and what is inside of it: "mail.eml!/report.pdf".
const PartSeparator = "!/"

// maxPartName bounds the name of a part, in bytes, but for what makes it safe and unique.
const maxPartName = 1000

// partNames makes of any names such that are paths below the document, each once. They never have PartSeparator
// in them, nor "..", an empty element, control characters or what is not UTF-8. Equal ones are numbered.
func partNames(raw []string) []string {
	names := make([]string, len(raw))
	taken := make(map[string]bool, len(raw))
	next := map[string]int{}
	for i, r := range raw {
		name := partPath(r)
		for unique := name; ; {
			if !taken[unique] {
				taken[unique] = true
				names[i] = unique
				break
			}
			next[name] = max(next[name], 1) + 1
			extension := path.Ext(name)
			unique = fmt.Sprintf("%s (%d)%s", strings.TrimSuffix(name, extension), next[name], extension)
		}
	}
	return names
}

var drive = regexp.MustCompile(`^[A-Za-z]:`)

// partPath is a name as a path that leads nowhere but down.
func partPath(name string) string {
	name = norm.NFC.String(strings.ToValidUTF8(strings.ReplaceAll(name, `\`, "/"), "_"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError {
			return '_'
		}
		return r
	}, name)
	name = drive.ReplaceAllString(name, "")
	if cut := len(name) - maxPartName; cut > 0 { // the end has the extension
		for !utf8.RuneStart(name[cut]) {
			cut++
		}
		name = name[cut:]
	}
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	name = strings.ReplaceAll(name, PartSeparator, "!_/")
	if strings.TrimSpace(name) == "" {
		return "unnamed"
	}
	return name
}

// isHiddenPart reports whether a member of an archive is what systems leave there and no document: files that begin
// with a dot, those of macOS and Windows, and the lock files of Office.
func isHiddenPart(name string) bool {
	for _, element := range strings.Split(strings.ReplaceAll(name, `\`, "/"), "/") {
		switch {
		case element == "." || element == "..":
		case strings.HasPrefix(element, "."), strings.HasPrefix(element, "~$"), element == "__MACOSX",
			strings.EqualFold(element, "thumbs.db"), strings.EqualFold(element, "desktop.ini"):
			return true
		}
	}
	return false
}
