package parse

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"grounded/ingest/parse/ocr"
)

// What parent and child say to each other is frames: four bytes of big-endian length, then JSON. A request is
// followed by a second frame with the file's bytes when it has no path. Empty frames come before the response: after
// each, the limits on time begin anew.

// request asks a child to parse one file.
type request struct {
	Path        string     `json:"path,omitempty"`
	Name        string     `json:"name,omitempty"`
	SHA256      string     `json:"sha256,omitempty"`
	Scratch     string     `json:"scratch,omitempty"`
	Limits      Limits     `json:"limits"`
	Passwords   []string   `json:"passwords,omitempty"`
	Careful     bool       `json:"careful,omitempty"`
	OCR         ocr.Engine `json:"ocr"`
	Pictures    bool       `json:"pictures,omitempty"`
	Inline      bool       `json:"inline,omitempty"` // the bytes follow
	FileBytes   int64      `json:"file_bytes"`
	OutputBytes int64      `json:"output_bytes"`
	MemoryBytes int64      `json:"memory_bytes"`

	CPUTime time.Duration `json:"cpu_time"`
}

// response is a document or why there is none.
type response struct {
	Document *Document `json:"document,omitempty"`
	Error    *Error    `json:"error,omitempty"`
	Fault    string    `json:"fault,omitempty"` // an error that is not the file's
}

var errFrameTooLarge = errors.New("frame is over the limit")

func writeFrame(w io.Writer, body []byte) error {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.Write(body)
	return err
}

func writeJSON(w io.Writer, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeFrame(w, body)
}

// readFrame reads a frame of at most limit bytes; a longer one is errFrameTooLarge.
func readFrame(r *bufio.Reader, limit int64) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := int64(binary.BigEndian.Uint32(head[:]))
	if size > limit {
		return nil, errFrameTooLarge
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("frame ends early: %w", err)
	}
	return body, nil
}
