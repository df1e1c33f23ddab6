package parse

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gabriel-vasile/mimetype"
)

const (
	defaultParts     = 10_000
	defaultPartBytes = 2 << 30
	// A file that unpacks to more than this many times its size is a bomb, if that is much at all.
	maxRatio = 100
	noMatter = 64 << 20
	// sniffed bytes of a part tell what it is.
	sniffed = 3072
)

// unpacker takes parts out of a document, within limits.
type unpacker struct {
	ctx  context.Context
	in   Input
	doc  *Document
	left int64 // bytes that may still be unpacked
	bomb bool  // left is bounded by the size of the file, not by the limit
}

func newUnpacker(ctx context.Context, in Input, doc *Document) *unpacker {
	u := &unpacker{ctx: ctx, in: in, doc: doc, left: defaultTo(in.Limits.Bytes, defaultPartBytes)}
	if most := max(noMatter, maxRatio*int64(len(in.Data))); most < u.left {
		u.left, u.bomb = most, true
	}
	return u
}

// add takes out a part. Its name may be anything; what it is called in the end is settled by close. Without
// Input.Scratch its content is not looked at. The error is for the document as a whole.
func (u *unpacker) add(name string, modified time.Time, content io.Reader) error {
	if err := u.room(); err != nil {
		return err
	}
	if u.in.Scratch == "" {
		u.put(Part{Path: name, Modified: modified})
		return nil
	}
	source := &source{reader: content}
	start := bufio.NewReaderSize(source, sniffed)
	if head, _ := start.Peek(sniffed); !HasKnownExtension(name) {
		if kind := mediaKind(head); kind != "" {
			return u.refuse(name, modified, errorf(UnsupportedFormat, "no parser for %s", kind))
		}
	}
	file, err := u.create()
	if err != nil {
		return err
	}
	limit := min(u.in.partBytes, u.left)
	n, err := io.Copy(file, io.LimitReader(start, limit))
	if closed := file.Close(); err == nil {
		err = closed
	}
	u.left -= n
	_, more := start.Peek(1)
	switch {
	case u.ctx.Err() != nil:
		return u.ctx.Err()
	case n == limit && more == nil && limit == u.in.partBytes:
		return u.drop(file.Name(), name, modified, u.partTooLarge())
	case n == limit && more == nil:
		return u.tooMuch()
	case source.err != nil:
		return u.drop(file.Name(), name, modified, notUnpacked())
	case err != nil:
		return fmt.Errorf("unpack: %w", err)
	}
	u.put(Part{Path: name, File: filepath.Base(file.Name()), Size: n, Modified: modified})
	return nil
}

// refuse notes a part that can't be taken out.
func (u *unpacker) refuse(name string, modified time.Time, reason *Error) error {
	if err := u.room(); err != nil {
		return err
	}
	u.put(Part{Path: name, Modified: modified, Error: reason})
	return nil
}

// loseRest notes that there is more in the document which can't be read.
func (u *unpacker) loseRest(reason string) error {
	if err := u.room(); err != nil {
		return err
	}
	u.put(Part{Path: "(the rest)", Error: errorf(Damaged, "%s", reason), Rest: true})
	return nil
}

// drop removes what there is of a part and refuses it.
func (u *unpacker) drop(file, name string, modified time.Time, reason *Error) error {
	if err := os.Remove(file); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	return u.refuse(name, modified, reason)
}

func (u *unpacker) put(p Part) { u.doc.Parts = append(u.doc.Parts, p) }

// room fails when there are too many parts, or too little time.
func (u *unpacker) room() error {
	if most := defaultTo(u.in.Limits.Parts, defaultParts); len(u.doc.Parts) >= most {
		return errorf(TooLarge, "There are more than %d files in it; raise ingest.max_parts, or split it.", most)
	}
	return u.ctx.Err()
}

func (u *unpacker) tooMuch() *Error {
	if u.bomb {
		return errorf(TooLarge, "It unpacks to more than %d times its size, which no ordinary file does.", maxRatio)
	}
	return errorf(TooLarge, "It unpacks to more than %d MB; raise ingest.max_unpacked_mb, or split it.", defaultTo(u.in.Limits.Bytes, defaultPartBytes)>>20)
}

func (u *unpacker) partTooLarge() *Error {
	return errorf(TooLarge, "It has more than %d MB; raise ingest.max_file_mb, or split it.", u.in.partBytes>>20)
}

// close names the parts. Without Input.Scratch it leaves a warning in their place.
func (u *unpacker) close() {
	names := partNames(partPaths(u.doc.Parts))
	for i, name := range names {
		u.doc.Parts[i].Path = name
	}
	if u.in.Scratch == "" && len(names) > 0 {
		u.doc.Warnings = append(u.doc.Warnings, fmt.Sprintf("What is inside of it was not read: %s.", list(names)))
		u.doc.Parts = nil
	}
}

// archive ends the unpacking of a file that is nothing but its parts. Its text is the list of their names.
func (u *unpacker) archive() (Document, error) {
	if len(u.doc.Parts) == 0 {
		return Document{}, errorf(Empty, "There is no file in it.")
	}
	var blocks []Block
	for _, name := range partNames(partPaths(u.doc.Parts)) {
		blocks = append(blocks, Block{Kind: ListItem, Level: 1, Text: name})
	}
	u.doc.Archive, u.doc.Pages = true, []Page{{Blocks: blocks}}
	u.close()
	return *u.doc, nil
}

// notUnpacked is why a part of a damaged file is refused.
func notUnpacked() *Error {
	return errorf(Damaged, "It can't be unpacked: the file that it is in is damaged there.")
}

// list names the first few of what may be many.
func list(names []string) string {
	shown := min(len(names), 5)
	text := strings.Join(names[:shown], ", ")
	if more := len(names) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func partPaths(parts []Part) []string {
	paths := make([]string, len(parts))
	for i, p := range parts {
		paths[i] = p.Path
	}
	return paths
}

// create makes the file of the next part.
func (u *unpacker) create() (*os.File, error) {
	if u.doc.Folder == "" {
		folder, err := u.in.folder()
		if err != nil {
			return nil, fmt.Errorf("unpack: %w", err)
		}
		u.doc.Folder = folder
	}
	file, err := os.OpenFile(filepath.Join(u.doc.Folder, fmt.Sprintf("part-%d", len(u.doc.Parts)+1)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	return file, nil
}

// source tells errors of reading from those of writing.
type source struct {
	reader io.Reader
	err    error // but io.EOF
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// mediaKind returns the media type of pictures, sound, films and fonts, told from the first bytes; "" for all else.
func mediaKind(start []byte) string {
	kind := mimetype.Detect(start).String()
	switch family, _, _ := strings.Cut(kind, "/"); family {
	case "image", "video", "audio", "font":
		return kind
	}
	return ""
}
