package source

import (
	"path"
	"strings"
)

// A file NAME.meta.yaml beside NAME, or beside NAME with any extension, has metadata of the document: title,
// groups that may see it, language, and any other keys. It overrides what the document says of itself.
const (
	SidecarSuffix = ".meta.yaml"
	shortSuffix   = ".meta.yml"
	// MaxSidecar bounds such a file, in bytes.
	MaxSidecar = 1 << 20
)

// IsSidecar reports whether a file of this name or path has the metadata of another.
func IsSidecar(name string) bool { return SidecarOf(name) != "" }

// SidecarOf is the path, with or without its extension, of the file that a metadata file describes; "" if it is
// none.
func SidecarOf(name string) string {
	for _, suffix := range []string{SidecarSuffix, shortSuffix} {
		if len(path.Base(name)) > len(suffix) && strings.HasSuffix(name, suffix) {
			return strings.TrimSuffix(name, suffix)
		}
	}
	return ""
}

// SidecarNames are those that the metadata of a file may have, the one that counts first.
func SidecarNames(name string) []string {
	bare := strings.TrimSuffix(name, path.Ext(name))
	return []string{name + SidecarSuffix, name + shortSuffix, bare + SidecarSuffix, bare + shortSuffix}
}
