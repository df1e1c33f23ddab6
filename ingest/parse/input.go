package parse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"grounded/ingest/parse/ocr"
)

// Input is a file to parse: a Path, or a Name with Data.
type Input struct {
	Path string // of a file
	Name string // what the file is called; empty is the base name of Path
	Data []byte // the file's bytes, instead of a Path
	// SHA256 of the bytes in hex, if the caller knows it: a file that has other bytes by now is refused (Changed).
	SHA256 string
	// Scratch is a folder in which a parser may make one for the files of Document.Parts and Scans; it need not be there
	// yet. Without it there are none.
	Scratch string
	// Limits on what is inside of the file.
	Limits Limits
	// Passwords are tried on a file that needs one.
	Passwords []string
	// ocr reads pictures of pages; without it they are left in Scratch for a model, if pictures says that there is one.
	ocr      ocr.Engine
	pictures bool
	// progress tells the parent that a page was read which may take long; nil outside of a child.
	progress func()
	// careful says that the ordinary way of reading it has crashed or taken too much memory.
	careful   bool
	partBytes int64 // size of the largest part that can be read in turn
}

// Limits on the documents inside of a file. Zero values are the defaults.
type Limits struct {
	Parts int   `json:"parts"` // how many; default 10,000
	Bytes int64 `json:"bytes"` // what they unpack to together; default 2 GiB
}

// folder makes a folder in Scratch, and Scratch too if it is not there, for the files of a document.
func (in Input) folder() (string, error) {
	if err := os.MkdirAll(in.Scratch, 0o700); err != nil {
		return "", err
	}
	return os.MkdirTemp(in.Scratch, "document-")
}

// advance starts the limits on time anew.
func (in Input) advance() {
	if in.progress != nil {
		in.progress()
	}
}

// load returns the input with its bytes read, at most limit of them.
func (in Input) load(limit int64) (Input, error) {
	if in.Name == "" {
		in.Name = filepath.Base(in.Path)
	}
	if in.Path != "" {
		data, err := readFile(in.Path, limit)
		if err != nil {
			return Input{}, err
		}
		in.Data = data
	}
	if int64(len(in.Data)) > limit {
		return Input{}, tooLarge(int64(len(in.Data)), limit)
	}
	if len(in.Data) == 0 {
		return Input{}, errorf(Empty, "The file is empty (0 bytes).")
	}
	if in.SHA256 != "" {
		if sum := sha256.Sum256(in.Data); hex.EncodeToString(sum[:]) != in.SHA256 {
			return Input{}, errorf(Changed, "The file changed while it was read; ingest it again when nothing writes to it.")
		}
	}
	return in, nil
}

func readFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, errorf(Unreadable, "It is not a file but a %s.", modeName(info.Mode()))
	}
	if err == nil && info.Size() > limit {
		return nil, tooLarge(info.Size(), limit)
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(path)
	}
	switch {
	case err == nil:
		return data, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, errorf(Unreadable, "The file is not there any more.")
	case errors.Is(err, fs.ErrPermission):
		return nil, errorf(Unreadable, "The file may not be read: permission denied. Give the user who ingests the right to read it.")
	}
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	return nil, errorf(Unreadable, "The file can't be read: %v.", err)
}

func modeName(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "folder"
	case m&fs.ModeNamedPipe != 0:
		return "named pipe"
	case m&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}

func tooLarge(size, limit int64) *Error {
	return errorf(TooLarge, "The file has %d MB, and the limit is %d MB; raise ingest.max_file_mb, or split it.", (size+1<<20-1)>>20, limit>>20)
}

// parse reads the input with the format that its content asks for. A panic of a parser is an error of that file.
func (r registry) parse(ctx context.Context, in Input, fileBytes int64) (doc Document, err error) {
	in.partBytes = fileBytes
	in, err = in.load(fileBytes)
	if err != nil {
		return Document{}, err
	}
	defer func() {
		if p := recover(); p != nil {
			doc, err = Document{}, errorf(Crashed, "The parser failed on it (%v); the file is probably damaged.", p)
		}
	}()
	in = in.decrypted()
	format, err := r.choose(in)
	if err != nil {
		return Document{}, err
	}
	doc, err = format.Parse(ctx, in)
	if err != nil {
		return Document{}, err
	}
	doc.MediaType = format.MediaType
	if doc.Recording {
		return doc, nil
	}
	return finish(doc, in.Name)
}
