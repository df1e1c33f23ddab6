package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"grounded/corpus"
)

// eachObject calls use with each object of a JSON list, or of JSON written one behind the other, which need not be on a
// line each. Errors name file and line.
func eachObject(path string, use func(object json.RawMessage) error) error {
	text, err := readFile(path)
	if err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "import dataset: %w", err)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	decoder := json.NewDecoder(bytes.NewReader(text))
	list := bytes.HasPrefix(bytes.TrimSpace(text), []byte("["))
	if list {
		_, _ = decoder.Token() // the bracket
	}
	for !list || decoder.More() {
		line := lineOf(text, int(decoder.InputOffset()))
		var object json.RawMessage
		err := decoder.Decode(&object)
		if !list && errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = use(object)
		}
		if err != nil {
			return corpus.Errorf(corpus.ErrInvalid, "import dataset %s, line %d: %w", path, line, readable(err))
		}
	}
	if _, err := decoder.Token(); err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "import dataset %s: its list does not end", path)
	}
	return nil
}

// lineOf is the line, from 1, of the first object behind an offset.
func lineOf(text []byte, offset int) int {
	begins := len(text) - len(bytes.TrimLeft(text[offset:], " \t\r\n,"))
	return 1 + bytes.Count(text[:begins], []byte("\n"))
}
