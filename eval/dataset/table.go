package dataset

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	utf16 "golang.org/x/text/encoding/unicode"

	"grounded/corpus"
)

// table is a CSV file: a header, and rows that are not empty.
type table struct {
	header []string
	rows   []tableRow
}

type tableRow struct {
	line  int // that it begins on
	cells []string
}

const saveAsUTF8 = "in Excel: Save as, CSV UTF-8"

// readTable reads CSV as spreadsheets save it: divided by commas, semicolons or tabs, whichever divide the header most,
// in UTF-8, or in UTF-16 with a byte order mark. Rows without a word are passed over. Errors are corpus.ErrInvalid.
func readTable(path string) (t table, err error) {
	data, err := readFile(path)
	if err != nil {
		return t, err
	}
	text, err := decodeTable(data)
	if err != nil {
		return t, err
	}
	delimiter, declared := declaredDelimiter(text)
	if !declared {
		delimiter = divides(text, filepath.Ext(path))
	}
	rows := tableReader(text, delimiter)
	for {
		cells, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return t, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "%w", err), "put a cell that has a quotation mark in quotation marks, and write the one inside twice")
		}
		line, _ := rows.FieldPos(0)
		switch {
		case declared && line == 1:
		case t.header == nil:
			t.header = cells
		case slices.ContainsFunc(cells, func(cell string) bool { return strings.TrimSpace(cell) != "" }):
			t.rows = append(t.rows, tableRow{line, cells})
		}
	}
}

// declaredDelimiter is that of a first line "sep=;", which tells it to Excel.
func declaredDelimiter(text []byte) (delimiter rune, declared bool) {
	first, _, _ := bytes.Cut(text, []byte("\n"))
	first = bytes.TrimRight(first, "\r")
	if len(first) != 5 || !bytes.HasPrefix(first, []byte("sep=")) {
		return 0, false
	}
	return rune(first[4]), true
}

func tableReader(text []byte, delimiter rune) *csv.Reader {
	rows := csv.NewReader(bytes.NewReader(text))
	rows.Comma, rows.FieldsPerRecord, rows.LazyQuotes = delimiter, -1, delimiter == '\t'
	return rows
}

// divides finds the character that divides the header into the most cells.
func divides(text []byte, extension string) rune {
	best, most := ',', 0
	for _, delimiter := range ",;\t" {
		header, err := tableReader(text, delimiter).Read()
		if cells := len(header); err == nil && (cells > most || delimiter == '\t' && strings.EqualFold(extension, ".tsv")) {
			best, most = delimiter, cells
		}
	}
	return best
}

func decodeTable(data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, []byte("PK\x03\x04")) || bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0")) {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "it is a workbook"), "save its sheet as text; "+saveAsUTF8)
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return utf16.UTF16(utf16.LittleEndian, utf16.UseBOM).NewDecoder().Bytes(data)
	}
	if !utf8.Valid(data) {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "it is not in UTF-8"), saveAsUTF8)
	}
	return bytes.TrimPrefix(data, []byte("\ufeff")), nil
}

// readFile reads a whole file; a folder is an error that says so.
func readFile(path string) ([]byte, error) {
	if err := notFolder(path); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "%w", err)
	}
	return text, nil
}

func notFolder(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "%s is a folder", path), "name a file in it")
	}
	return nil
}
