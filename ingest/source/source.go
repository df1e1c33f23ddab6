// Package source is the contract of what documents come from besides folders of this machine: a Source lists the
// entries of an address, each of which can be fetched as a file. source/web reads pages and sitemaps,
// source/bucket S3-compatible storage, Stream what a reader gives.
package source

import (
	"context"
	"fmt"
	"strings"

	"grounded/ingest/parse"
)

// Source is what one address gives. List is called once and ends before Lost and Gone are called; entries are
// fetched by many goroutines meanwhile.
type Source interface {
	// Name is what the source is called if nobody says otherwise.
	Name() string
	// Root tells sources apart: addresses with the same root are parts of one source.
	Root() string
	// Path in the source of all that is listed; empty for the whole source.
	Path() string
	// List tells the visitor of all that is there. It fails, with a corpus error, when the list can't be had.
	List(ctx context.Context, v Visitor) error
	// Lost says in a sentence why what was not listed need not be gone; it is empty when it is.
	Lost() string
	// Gone reports whether a document that was not listed, but is under Path, is gone. listing is the Fetched.Listing
	// that it was stored with.
	Gone(path, listing string) bool
}

// Visitor is told what a source has.
type Visitor interface {
	// Found passes on a file to be read. It blocks while others are, and fails when the run ends.
	Found(e Entry) error
	// Skip tells of a file that is there and not for us. What is stored of it stays.
	Skip(path, reason string)
	// Gap tells of a part that could not be listed. What is stored of it stays.
	Gap(path, reason string)
}

// Entry is a file that a source has.
type Entry struct {
	Path  string // in the source: part of the document's identity
	URI   string // where it is, for people
	Named bool   // asked for by itself, not found in a listing
	// Fetch makes a file of it in a folder that has nothing else in it, with the metadata beside it, if there is any, as
	// NAME.meta.yaml. revision is that of what is stored of it, or empty; if it still is the current one there
	// may be no file. It fails with a *parse.Error when the entry is to blame.
	Fetch func(ctx context.Context, folder, revision string) (Fetched, error)
}

// Fetched is an entry as it was found.
type Fetched struct {
	File string // in the folder, by a name with an extension that fits; empty when the revision has not changed
	// Revision is what the source says to tell versions of the entry apart, such as an ETag; empty for nothing.
	Revision string
	// Listing names the list that the entry was found in, where a source has several.
	Listing string
}

// The codes of a *parse.Error from Entry.Fetch, besides the parser's own.
const (
	Gone        parse.ErrorCode = "gone"        // the source says that it isn't there
	Unreachable parse.ErrorCode = "unreachable" // the source doesn't give it; it may later
	Forbidden   parse.ErrorCode = "forbidden"   // the source doesn't want it read
)

// Errorf makes the error of an entry.
func Errorf(code parse.ErrorCode, format string, args ...any) error {
	return &parse.Error{Code: code, Reason: fmt.Sprintf(format, args...)}
}

// IsAddress reports whether a path of the command line is no file or folder, but the address of a Source.
func IsAddress(path string) bool {
	scheme, _, isURL := strings.Cut(path, "://")
	return path == "-" || isURL && !strings.ContainsAny(scheme, `/\.`)
}

// TooLarge is the error for a file of more than limit bytes.
func TooLarge(limit int64) error {
	return Errorf(parse.TooLarge, "It has more than %d MB; raise ingest.max_file_mb, or split it.", limit>>20)
}

// IsMedia reports whether a media type is of pictures, sound, films or fonts, which may be large.
func IsMedia(mediaType string) bool {
	switch family, _, _ := strings.Cut(mediaType, "/"); family {
	case "image", "video", "audio", "font":
		return true
	}
	return false
}
