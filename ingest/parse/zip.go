package parse

import (
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
)

func zipFormat() Format {
	return Format{
		Name: "zip", Version: 1, MediaType: "application/zip",
		Extensions: []string{".zip"},
		Sniff:      sniffZIP,
		Parts:      true,
		Parse:      parseZIP,
	}
}

// sniffZIP reports whether the data is an archive that is no document by itself: those of Office and OpenDocument, and
// e-books, say in a part of their own what they are.
func sniffZIP(data []byte) bool {
	if !bytes.HasPrefix(data, []byte("PK\x03\x04")) && !bytes.HasPrefix(data, []byte("PK\x05\x06")) {
		return false
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return !bytes.Contains(data, []byte("[Content_Types].xml")) && !bytes.Contains(data[:min(len(data), 128)], []byte("mimetypeapplication/"))
	}
	for i, f := range z.File {
		if i == 0 && f.Name == "mimetype" || partName(f.Name) == "[content_types].xml" {
			return false
		}
	}
	return true
}

// bzip2Method is the number of a way to pack (APPNOTE.TXT, 4.4.5).
const bzip2Method = 12

// parseZIP makes each member a part.
func parseZIP(ctx context.Context, in Input) (Document, error) {
	z, err := zip.NewReader(bytes.NewReader(in.Data), int64(len(in.Data)))
	if err != nil {
		return Document{}, errorf(Damaged, "The archive is damaged: its directory can't be read; it was probably cut off. Get the original.")
	}
	z.RegisterDecompressor(bzip2Method, func(r io.Reader) io.ReadCloser { return io.NopCloser(bzip2.NewReader(r)) })
	var doc Document
	u := newUnpacker(ctx, in, &doc)
	names := zipNames(z.File)
	for i, f := range z.File {
		name := names[i]
		if strings.HasSuffix(name, "/") || strings.HasSuffix(name, `\`) || isHiddenPart(name) {
			continue
		}
		if err := u.addZipped(name, f); err != nil {
			return Document{}, err
		}
	}
	return u.archive()
}

// addZipped takes out one member.
func (u *unpacker) addZipped(name string, f *zip.File) error {
	switch mode := f.Mode(); {
	case mode&fs.ModeSymlink != 0:
		return u.refuse(name, f.Modified, errorf(Link, "a symbolic link"))
	case !mode.IsRegular():
		return u.refuse(name, f.Modified, errorf(Link, "not a regular file"))
	}
	if u.in.Scratch == "" {
		return u.add(name, f.Modified, nil)
	}
	if f.Flags&zipEncrypted != 0 {
		return u.addEncrypted(name, f)
	}
	content, err := f.Open()
	switch {
	case errors.Is(err, zip.ErrAlgorithm):
		return u.refuse(name, f.Modified, packedStrangely(f.Method))
	case err != nil:
		return u.refuse(name, f.Modified, notUnpacked())
	}
	defer func() { _ = content.Close() }()
	return u.add(name, f.Modified, content)
}

func packedStrangely(method uint16) *Error {
	return errorf(UnsupportedMethod, "It is packed in a way (method %d) that is not read; pack the archive anew as an ordinary zip.", method)
}
