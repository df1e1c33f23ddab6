package parse

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"time"
)

func tarFormat() Format {
	return Format{
		Name: "tar", Version: 1, MediaType: "application/x-tar",
		Extensions: []string{".tar"},
		Sniff:      sniffTAR,
		Parts:      true,
		Parse: func(ctx context.Context, in Input) (Document, error) {
			var doc Document
			u := newUnpacker(ctx, in, &doc)
			if err := u.addTAR(bytes.NewReader(in.Data)); err != nil {
				return Document{}, err
			}
			return u.archive()
		},
	}
}

func gzipFormat() Format {
	return Format{
		Name: "gzip", Version: 1, MediaType: "application/gzip",
		Extensions: []string{".gz", ".tgz"},
		Sniff:      func(data []byte) bool { return bytes.HasPrefix(data, []byte{0x1f, 0x8b, 8}) },
		Parts:      true,
		Parse: func(ctx context.Context, in Input) (Document, error) {
			z, err := gzip.NewReader(bytes.NewReader(in.Data))
			if err != nil {
				return Document{}, errorf(Damaged, "The file is damaged: its beginning is not that of a gzip file. Get the original.")
			}
			return parsePacked(ctx, in, z, z.Name, z.ModTime)
		},
	}
}

func bzip2Format() Format {
	return Format{
		Name: "bzip2", Version: 1, MediaType: "application/x-bzip2",
		Extensions: []string{".bz2", ".tbz2"},
		Sniff: func(data []byte) bool {
			return bytes.HasPrefix(data, []byte("BZh")) && len(data) > 3 && data[3] >= '1' && data[3] <= '9'
		},
		Parts: true,
		Parse: func(ctx context.Context, in Input) (Document, error) {
			return parsePacked(ctx, in, bzip2.NewReader(bytes.NewReader(in.Data)), "", time.Time{})
		},
	}
}

// sniffTAR reports whether the data begins with the header of a member (POSIX.1-1988 and later).
func sniffTAR(data []byte) bool {
	return len(data) >= 512 && bytes.HasPrefix(data[257:], []byte("ustar"))
}

// parsePacked makes parts of what a tar archive has that was packed as a whole, or one part of any other file.
func parsePacked(ctx context.Context, in Input, content io.Reader, name string, modified time.Time) (Document, error) {
	var doc Document
	u := newUnpacker(ctx, in, &doc)
	start := bufio.NewReaderSize(content, 4096)
	head, err := start.Peek(512)
	switch {
	case sniffTAR(head):
		err = u.addTAR(start)
	case err != nil && !errors.Is(err, io.EOF) && len(head) == 0:
		err = errorf(Damaged, "The file is damaged: it can't be unpacked. Get the original.")
	default:
		if name == "" {
			base := filepath.Base(in.Name)
			name = strings.TrimSuffix(base, filepath.Ext(base))
		}
		err = u.add(name, modified, start)
	}
	if err != nil {
		return Document{}, err
	}
	return u.archive()
}

// addTAR makes each member a part. Of an archive that is damaged it keeps those before the damage.
func (u *unpacker) addTAR(archive io.Reader) error {
	limited := &io.LimitedReader{R: archive, N: u.left + tarOverhead}
	t := tar.NewReader(limited)
	for {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case limited.N == 0:
			return u.tooMuch()
		case u.ctx.Err() != nil:
			return u.ctx.Err()
		case err != nil && len(u.doc.Parts) == 0:
			return errorf(Damaged, "The archive is damaged from its beginning on. Get the original.")
		case err != nil:
			return u.loseRest("The archive is damaged or cut off behind the files that could be read. Get the original.")
		}
		if h.Typeflag == tar.TypeDir || isHiddenPart(h.Name) {
			continue
		}
		if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeGNUSparse {
			err = u.refuse(h.Name, h.ModTime, errorf(Link, "a link or a device, not a regular file"))
		} else {
			err = u.add(h.Name, h.ModTime, t)
		}
		if err != nil {
			return err
		}
	}
}

// tarOverhead is what the headers and padding of a tar archive may have, in bytes.
const tarOverhead = 64 << 20
