package pdftext

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/ledongthuc/pdf"
)

// ErrPassword says that the file can't be read without its password.
var ErrPassword = errors.New("the file needs a password")

// File is an open PDF. Its methods must not be called at the same time.
type File struct {
	reader *pdf.Reader
	pages  []pageEntry
	fonts  map[string]*font // by the description of their dictionary
	nodes  int              // of the page tree, visited so far
}

// pageEntry is a page with what it inherits.
type pageEntry struct {
	value     pdf.Value
	resources pdf.Value
	rotate    int     // clockwise: 0, 90, 180 or 270 degrees
	area      float64 // in square points
}

const maxPages = 100_000

// Encrypted reports whether the file names an encryption, which its trailer does in plain bytes.
func Encrypted(data []byte) bool { return bytes.Contains(data, []byte("/Encrypt")) }

// Open reads the structure of a PDF, not its pages. data must not change while the File is used.
func Open(data []byte) (file *File, err error) {
	defer recoverInto(&err)
	begin := bytes.Index(data[:min(len(data), 1024)], []byte("%PDF-"))
	if begin < 0 {
		return nil, errors.New("no PDF header")
	}
	data = data[begin:]
	if end := bytes.LastIndex(data, []byte("%%EOF")); end >= 0 {
		data = data[:end+len("%%EOF")] // whatever a mail program has put behind it
	}
	r, err := pdf.NewReader(tolerantHeader{bytes.NewReader(data)}, int64(len(data)))
	if errors.Is(err, pdf.ErrInvalidPassword) {
		return nil, ErrPassword
	}
	if err != nil {
		return nil, err
	}
	f := &File{reader: r, fonts: map[string]*font{}}
	root := r.Trailer().Key("Root").Key("Pages")
	if err := f.collect(root, pageEntry{area: letterArea}, 0); err != nil {
		return nil, err
	}
	if len(f.pages) == 0 {
		return nil, errors.New("no pages")
	}
	return f, nil
}

// tolerantHeader shows the header in the one form that the library takes.
type tolerantHeader struct{ *bytes.Reader }

func (t tolerantHeader) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 {
		return 0, io.EOF
	}
	n, err := t.Reader.ReadAt(p, at)
	if header := []byte("%PDF-1.7\n"); at < int64(len(header)) {
		copy(p[:n], header[at:])
	}
	return n, err
}

// recoverInto turns a panic of the library on malformed input into an error.
func recoverInto(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("malformed PDF: %v", p)
	}
}

// collect lists the pages below a node of the page tree.
func (f *File) collect(node pdf.Value, inherited pageEntry, depth int) error {
	if f.nodes++; depth > 64 || f.nodes > 2*maxPages || len(f.pages) >= maxPages {
		return errors.New("page tree has no end")
	}
	if v := node.Key("Resources"); !v.IsNull() {
		inherited.resources = v
	}
	if v := node.Key("Rotate"); !v.IsNull() {
		inherited.rotate = int((v.Int64()%360 + 360) % 360)
	}
	if area := boxArea(node.Key("MediaBox")); area > 0 {
		inherited.area = area
	}
	kids := node.Key("Kids")
	if kids.Kind() != pdf.Array {
		if node.Kind() == pdf.Dict {
			inherited.value = node
			f.pages = append(f.pages, inherited)
		}
		return nil
	}
	for i := range kids.Len() {
		if err := f.collect(kids.Index(i), inherited, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// letterArea is that of a sheet of US Letter, for pages that don't say.
const letterArea = 612 * 792

func boxArea(box pdf.Value) float64 {
	side := func(i int) float64 { return box.Index(i+2).Float64() - box.Index(i).Float64() }
	return math.Abs(side(0) * side(1))
}

// Pages is how many pages there are.
func (f *File) Pages() int { return len(f.pages) }

// Info is what the file says of itself, by the keys of the document information dictionary: Title, Author,
// Subject, Keywords, CreationDate, ModDate.
func (f *File) Info() (info map[string]string) {
	info = map[string]string{}
	defer func() { _ = recover() }() // what was read before the damage stays
	dict := f.reader.Trailer().Key("Info")
	for _, key := range []string{"Title", "Author", "Subject", "Keywords", "CreationDate", "ModDate"} {
		if s := dict.Key(key).RawString(); len(s) > 2 && s[:3] == "\xef\xbb\xbf" {
			info[key] = s[3:]
		} else if s := dict.Key(key).Text(); s != "" {
			info[key] = s
		}
	}
	if lang := f.reader.Trailer().Key("Root").Key("Lang").Text(); lang != "" {
		info["Lang"] = lang
	}
	return info
}

const maxStream = 256 << 20 // bytes of one stream when unpacked

// stream returns the unpacked bytes of a stream, and of a damaged one what comes before the damage. ok is false
// when v is no stream or nothing could be unpacked.
func stream(v pdf.Value) (data []byte, ok bool) {
	if v.Kind() != pdf.Stream {
		return nil, false
	}
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	data, err := io.ReadAll(io.LimitReader(v.Reader(), maxStream))
	return data, err == nil || len(data) > 0
}
