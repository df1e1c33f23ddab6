package parse

import (
	"context"
	"slices"
	"strings"
	"testing"
)

func TestJSONIsReadAsAPersonWould(t *testing.T) {
	long := strings.Repeat("The buoy is old. ", 30)
	for _, tt := range []struct{ name, file, data, want string }{
		{"paths", "a.json", `{"name": "Quay", "server": {"port": 8443, "tls": {"on": true, "hosts": ["a", "b"]}, "proxy": null}, "tags": ["x", "y"], "empty": {}}`, `
list-item1: name: Quay
list-item1: tags: x, y
heading2: server
list-item1: server.port: 8443
list-item1: server.tls.on: true
list-item1: server.tls.hosts: a, b`},
		{"a table", "a.json", `[{"port": "Faro", "at": {"lat": 37.01}, "depth": 1.50}, {"port": "Sines", "at": {"lat": 37.95}, "depth": 20, "note": "new"}]`, `
table-header: port | at.lat | depth | note
table-row: Faro | 37.01 | 1.50
table-row: Sines | 37.95 | 20 | new`},
		{"a table inside", "a.json", `{"count": 2, "data": [{"id": 1, "n": "a"}, {"id": 2, "n": "b"}]}`, `
list-item1: count: 2
heading2: data
table-header: id | n
table-row: 1 | a
table-row: 2 | b`},
		{"records that differ", "a.json", `[{"name": "Ann", "pets": [{"kind": "cat"}]}, {"size": 3}]`, `
heading2: Ann
list-item1: name: Ann
list-item1: pets[0].kind: cat
heading2: #2
list-item1: size: 3`},
		{"texts with titles", "a.json", `[{"id": 7, "title": "Buoy 7", "body": "<p>It is <b>red</b>.</p><h1>More</h1><p>Or not.</p>"}, {"title": "Chain", "text": "# Use\n\nPull."}, {"title": "Rope", "content": "One.\n\nTwo."}]`, `
heading2: Buoy 7
list-item1: id: 7
paragraph: It is red.
heading3: More
paragraph: Or not.
heading2: Chain
heading3: Use
paragraph: Pull.
heading2: Rope
paragraph: One.
paragraph: Two.`},
		{"a long value", "a.json", `{"note": "` + long + `"}`, "paragraph: note: " + strings.TrimSpace(long)},
		{"rows", "a.json", `[["Port", "Depth"], ["Faro", 4], ["Sines", 20]]`, "table-header: Port | Depth\ntable-row: Faro | 4\ntable-row: Sines | 20"},
		{"scalars", "a.json", `["one", "two", 3]`, "list-item1: one\nlist-item1: two\nlist-item1: 3"},
		{"a value a line", "a.jsonl", "{\"port\": \"Faro\", \"n\": 1}\n\n{\"port\": \"Sines\", \"n\": 2}\n", "table-header: port | n\ntable-row: Faro | 1\ntable-row: Sines | 2"},
		{"a value a line, called .json", "a.json", "{\"port\": \"Faro\", \"n\": 1}\n{\"port\": \"Sines\", \"n\": 2}\n", "table-header: port | n\ntable-row: Faro | 1\ntable-row: Sines | 2"},
		{"one value over many lines, called .jsonl", "a.jsonl", "{\n\"port\": \"Faro\"\n}\n", "list-item1: port: Faro"},
		{"UTF-16", "a.json", "\xff\xfe[\x00\"\x00a\x00\"\x00]\x00", "list-item1: a"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantOutline(t, parseData(t, tt.file, tt.data), tt.want) })
	}
}

func TestATableOfJSONTakesWhatComesLater(t *testing.T) {
	data := strings.Repeat(`{"port": "Faro", "n": 1}`+"\n", headerSample) + `{"port": "Sines", "n": 2, "berths": [{"id": 9}]}` + "\n" + `"just text"` + "\n"
	doc := parseData(t, "a.jsonl", data)
	last := doc.Pages[0].Blocks[headerSample+1:]
	if len(last) != 2 || last[0].Text != "Sines | 2 | berths[0].id: 9" || last[1].Text != "just text" {
		t.Errorf("got %v", last)
	}
}

func TestJSONLinesThatAreBrokenAreNamed(t *testing.T) {
	doc := parseData(t, "a.jsonl", "{\"port\": \"Faro\"}\n{\"port\": \n{\"port\": \"Sines\"}\n{} x\n")
	wantOutline(t, doc, "heading2: #1\nlist-item1: port: Faro\nheading2: #2\nlist-item1: port: Sines")
	if want := []string{"What is no valid JSON was not read: lines 2, 4."}; !slices.Equal(doc.Warnings, want) {
		t.Errorf("warnings are %q, want %q", doc.Warnings, want)
	}
}

func TestDataForProgramsAreLeftOutOfJSON(t *testing.T) {
	doc := parseData(t, "a.json", `{"name": "Ann", "photo": "`+strings.Repeat("iVBORw0KGgo", 100)+`", "vector": [`+strings.Repeat("0.5,", 400)+`1]}`)
	wantOutline(t, doc, "list-item1: name: Ann")
	if len(doc.Warnings) != 1 || !strings.Contains(doc.Warnings[0], "2 values") {
		t.Errorf("warnings are %q", doc.Warnings)
	}
}

func TestDeepJSONIsReadFast(t *testing.T) {
	wantOutline(t, parseData(t, "a.json", strings.Repeat("[", 150)+"1, 2"+strings.Repeat("]", 150)), "paragraph: 1, 2")
	deep := strings.Repeat(`{"a": [{"b": `, 50) + "1" + strings.Repeat("}]}", 50)
	if text := documentText(parseData(t, "a.json", deep)); !strings.Contains(text, ".b: 1") {
		t.Errorf("got %q", text)
	}
}

func TestInvalidJSONSaysWhere(t *testing.T) {
	for _, tt := range []struct{ name, data, want string }{
		{"a comma too many", "{\n  \"größe\": 1,\n}", "line 3, column 1: invalid character '}'"},
		{"cut off", "[{\"a\": 1},\n {\"b\": \"tex", "line 2, column 12: it ends in the middle"},
		{"cut off in an array", "[{\"a\": 1}\n", "line 1, column 10: it ends in the middle"},
		{"text behind it", "{\"a\": 1}\n\n nonsense", "line 3, column 3: invalid character 'o'"},
		{"no JSON", "Dear Ann", "line 1, column 1: invalid character 'D'"},
		{"too deep", strings.Repeat("[", 300) + strings.Repeat("]", 300), "nested more than 200 deep"},
	} {
		_, err := formats().parse(context.Background(), Input{Name: "a.json", Data: []byte(tt.data)}, 1<<30)
		if CodeOf(err) != Damaged || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	for _, data := range []string{"null", "{}", "[[], {}]", `""`, " \n"} {
		if got := codeFor("a.json", data); got != Empty {
			t.Errorf("%s gave %q", data, got)
		}
	}
}
