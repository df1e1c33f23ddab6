package parse

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

func jsonFormat() Format {
	return Format{
		Name: "json", Version: 1, MediaType: "application/json",
		Extensions: []string{".json", ".jsonl", ".ndjson", ".geojson", ".jsonld"},
		Text:       true,
		Parse:      parseJSON,
	}
}

func parseJSON(ctx context.Context, in Input) (Document, error) {
	text, err := decodeText(in.Data, "")
	if err != nil {
		return Document{}, err
	}
	switch strings.ToLower(filepath.Ext(in.Name)) {
	case ".jsonl", ".ndjson":
		if doc, err := jsonLines(ctx, text); err != nil || doc.Pages != nil {
			return doc, err
		}
	}
	return jsonText(ctx, text)
}

// jsonText reads a value, or several one behind the other. The elements of an array are read one at a time.
func jsonText(ctx context.Context, text string) (Document, error) {
	d := jsonDecoder{Decoder: json.NewDecoder(strings.NewReader(text))}
	d.UseNumber()
	w := jsonWriter{ctx: ctx}
	records := jsonRecords{jsonWriter: &w, level: 2}
	for number := 0; ; number++ {
		start := d.InputOffset()
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			records.end()
			w.encoded = d.encoded
			return w.document(), nil
		}
		if err == nil && token == json.Delim('[') && number == 0 {
			err = d.elements(&records)
		} else if err == nil {
			var v jsonValue
			if v, err = d.valueOf(token, 0); err == nil {
				if number == 0 && !d.More() {
					w.top(v)
				} else {
					err = records.add(v)
				}
			}
		}
		if err != nil {
			return Document{}, jsonError(text, int(start), err)
		}
	}
}

// elements reads the elements of an array.
func (d *jsonDecoder) elements(records *jsonRecords) error {
	for d.More() {
		v, err := d.value(1)
		if err == nil {
			err = records.add(v)
		}
		if err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// jsonLines reads a value a line. Lines that have none are left out with a warning; if no line has one, there are no
// pages.
func jsonLines(ctx context.Context, text string) (Document, error) {
	w := jsonWriter{ctx: ctx}
	records := jsonRecords{jsonWriter: &w, level: 2}
	var bad []int
	number, good := 0, 0
	for line := range strings.Lines(text) {
		number++
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		d := jsonDecoder{Decoder: json.NewDecoder(strings.NewReader(line))}
		d.UseNumber()
		v, err := d.value(0)
		if err != nil || d.InputOffset() < int64(len(line)) {
			bad = append(bad, number)
			continue
		}
		good++
		w.encoded += d.encoded
		if err := records.add(v); err != nil {
			return Document{}, err
		}
	}
	if good == 0 {
		return Document{}, nil
	}
	records.end()
	doc := w.document()
	if len(bad) > 0 {
		doc.Warnings = append(doc.Warnings, "What is no valid JSON was not read: "+numbered("line", bad)+".")
	}
	return doc, nil
}

// jsonDecoder reads values as they stand, with their keys in order.
type jsonDecoder struct {
	*json.Decoder
	encoded int // values that were left out because people can't read them
}

// jsonValue is a scalar with a text, an object with keys and items, or an array with items.
type jsonValue struct {
	kind  jsonKind
	text  string
	keys  []string
	items []jsonValue
}

type jsonKind int

const (
	jsonNull jsonKind = iota // also what was left out
	jsonString
	jsonNumber // also true and false
	jsonObject
	jsonArray
)

// jsonDepth is how deep values are nested at most.
const jsonDepth = 200

func (d *jsonDecoder) value(depth int) (jsonValue, error) {
	token, err := d.Token()
	if err != nil {
		return jsonValue{}, err
	}
	return d.valueOf(token, depth)
}

// valueOf reads the value that begins with a token.
func (d *jsonDecoder) valueOf(token json.Token, depth int) (jsonValue, error) {
	if depth > jsonDepth {
		return jsonValue{}, errorf(Damaged, "Its values are nested more than %d deep, which no ordinary ones are.", jsonDepth)
	}
	switch t := token.(type) {
	case string:
		if isEncoded(t) {
			d.encoded++
			return jsonValue{}, nil
		}
		return jsonValue{kind: jsonString, text: t}, nil
	case json.Number:
		return jsonValue{kind: jsonNumber, text: t.String()}, nil
	case bool:
		if t {
			return jsonValue{kind: jsonNumber, text: "true"}, nil
		}
		return jsonValue{kind: jsonNumber, text: "false"}, nil
	case json.Delim:
		return d.container(t, depth)
	}
	return jsonValue{}, nil
}

func (d *jsonDecoder) container(begin json.Delim, depth int) (jsonValue, error) {
	v := jsonValue{kind: jsonArray}
	if begin == '{' {
		v.kind = jsonObject
	}
	for d.More() {
		if v.kind == jsonObject {
			key, err := d.Token()
			if err != nil {
				return jsonValue{}, err
			}
			name, _ := key.(string)
			v.keys = append(v.keys, name)
		}
		item, err := d.value(depth + 1)
		if err != nil {
			return jsonValue{}, err
		}
		v.items = append(v.items, item)
	}
	if _, err := d.Token(); err != nil {
		return jsonValue{}, err
	}
	if n := v.numbers(); n > jsonVector && v.kind == jsonArray {
		d.encoded++
		return jsonValue{}, nil
	}
	return v, nil
}

// jsonError says what is wrong with the value that starts there, and where.
func jsonError(text string, start int, err error) error {
	if CodeOf(err) != "" || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	// The decoder does not say well where it was.
	var syntax *json.SyntaxError
	if !errors.As(json.Unmarshal([]byte(text[start:]), new(json.RawMessage)), &syntax) {
		return errorf(Damaged, "It is no valid JSON: %v.", err)
	}
	at, reason := start+int(syntax.Offset)-1, syntax.Error()
	if rest := strings.TrimRight(text, " \t\r\n"); at >= len(rest)-1 && strings.Contains(reason, "unexpected end") {
		at, reason = len(rest), "it ends in the middle of a value, so it was probably cut off"
	}
	before := text[:max(0, min(at, len(text)))]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return errorf(Damaged, "It is no valid JSON: line %d, column %d: %s. Correct it, or name it .txt to read it as plain text.", line, column, reason)
}
