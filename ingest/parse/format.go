package parse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Format is one kind of file and how it is read.
type Format struct {
	Name       string   // a short word: "pdf"
	Version    int      // raised when the same file gives another document: it is then parsed again
	Extensions []string // lower case, with the dot
	MediaType  string   // of the documents that it reads
	// Sniff reports whether the bytes are of this format, whatever the file is called; nil if they can't tell.
	Sniff func(data []byte) bool
	Text  bool // any text with one of the extensions is of this format
	Parts bool // its documents may have parts, which are of any format
	// Parse reads the document. It returns an *Error for a file that can't be read. Input.Data is set, and is not
	// changed or kept. Title, language and media type may be left empty, page numbers 0.
	Parse func(ctx context.Context, in Input) (Document, error)
}

// registry is a list of formats in the order in which they are asked.
type registry []Format

// formats names every format. A new one is a file of its own and a line here.
func formats() registry {
	return slices.Concat(registry{
		pdfFormat(), docxFormat(), xlsxFormat(), pptxFormat(), odtFormat(), odpFormat(), odsFormat(), epubFormat(), rtfFormat(), notebookFormat(),
		htmlFormat(), markdownFormat(), csvFormat(), jsonFormat(), codeFormat(), textFormat(),
		zipFormat(), tarFormat(), gzipFormat(), bzip2Format(), mboxFormat(), emlFormat(),
	}, pictureFormats(), audioFormats())
}

// normaliserVersion is raised when what finish does to every document changes.
const normaliserVersion = 1

// Fingerprint is a short hash of how documents of the media type are parsed. For an empty or unknown media type
// it is that of all formats together: use it for a file that could not be read, so that it is tried again when
// any format has changed. So it is for documents with parts.
func Fingerprint(mediaType string) string {
	all := formats()
	list := slices.DeleteFunc(slices.Clone(all), func(f Format) bool { return f.MediaType != mediaType })
	if len(list) == 0 || slices.ContainsFunc(list, func(f Format) bool { return f.Parts }) {
		list = all
	}
	h := sha256.New()
	fmt.Fprintf(h, "normaliser %d\n", normaliserVersion)
	for _, f := range list {
		fmt.Fprintf(h, "%s %d\n", f.Name, f.Version)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// MayBeScanned reports whether documents of the media type may have pages that are pictures; of an empty one, any may.
func MayBeScanned(mediaType string) bool {
	return mediaType == "" || mediaType == "application/pdf" || strings.HasPrefix(mediaType, "image/")
}

// IsPicture reports whether a file of this name is a picture, going by its extension.
func IsPicture(name string) bool {
	extension := strings.ToLower(filepath.Ext(name))
	return slices.ContainsFunc(pictureFormats(), func(f Format) bool { return slices.Contains(f.Extensions, extension) })
}

// HasKnownExtension reports whether a file of this name should be readable, going by its extension.
func HasKnownExtension(name string) bool {
	extension := strings.ToLower(filepath.Ext(name))
	return slices.ContainsFunc(formats(), func(f Format) bool { return slices.Contains(f.Extensions, extension) })
}

// HasParts reports whether documents of the media type may have parts.
func HasParts(mediaType string) bool {
	return slices.ContainsFunc(formats(), func(f Format) bool { return f.Parts && f.MediaType == mediaType })
}

// MayHaveParts reports whether a file of this name may be a document with parts, going by its extension.
func MayHaveParts(name string) bool {
	extension := strings.ToLower(filepath.Ext(name))
	return slices.ContainsFunc(formats(), func(f Format) bool { return f.Parts && slices.Contains(f.Extensions, extension) })
}
