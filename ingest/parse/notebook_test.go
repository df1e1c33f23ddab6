package parse

import (
	"fmt"
	"strings"
	"testing"
)

const notebook4 = `{"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"language": "Python"}, "authors": [{"name": "Ann"}]}, "cells": [
{"cell_type": "markdown", "source": ["# Tides\n", "High *water*:\n", "\n", "- springs\n"]},
{"cell_type": "code", "source": "x = 1\nprint(x)", "outputs": [{"output_type": "stream", "name": "stdout", "text": ["1\n", "\u001b[31mred\u001b[0m\n"]}]},
{"cell_type": "code", "source": ["df"], "outputs": [{"output_type": "execute_result", "data": {"text/plain": ["plain"], "text/html": "<style>td{}</style><table><thead><tr><th></th><th>a</th></tr></thead><tr><th>0</th><td>7</td></tr></table>"}},
 {"output_type": "display_data", "data": {"text/plain": "<Figure size 640x480 with 1 Axes>", "image/png": "iVBORw0KGgo=", "application/json": {"a": 1}}}]},
{"cell_type": "code", "source": "boom()", "outputs": [{"output_type": "error", "ename": "NameError", "evalue": "no boom", "traceback": ["\u001b[0;31m---"]}]},
{"cell_type": "raw", "source": "as it is"}]}`

func TestNotebookHasItsCells(t *testing.T) {
	doc := parseData(t, "a.ipynb", notebook4)
	wantOutline(t, doc, `
heading1: Tides
paragraph: High water:
list-item1: springs
code: x = 1⏎print(x)
code: 1⏎red
code: df
table-header: | a
table-row: 0 | 7
code: boom()
code: NameError: no boom
paragraph: as it is`)
	if doc.Title != "Tides" || doc.Metadata["programming_language"] != "python" || doc.Metadata["author"] != "Ann" {
		t.Errorf("title %q, metadata %v", doc.Title, doc.Metadata)
	}
	doc = parseData(t, "a.ipynb", `{"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "heading", "level": 2, "source": "Old"},
{"cell_type": "code", "language": "python", "input": ["y"], "outputs": [{"output_type": "pyout", "text": ["3"]}]}]}]}`)
	wantOutline(t, doc, "heading2: Old\ncode: y\ncode: 3")
}

func TestNotebookThatIsTooMuchOrTooLittle(t *testing.T) {
	doc := parseData(t, "a.ipynb", fmt.Sprintf(`{"nbformat": 4, "cells": [{"cell_type": "code", "source": "x", "outputs": [{"output_type": "stream", "text": %q}]}]}`, strings.Repeat("line\n", 5000)))
	if n := len(doc.Pages[0].Blocks[1].Text); n > notebookOutputLength || n < notebookOutputLength-10 || len(doc.Warnings) != 1 {
		t.Errorf("%d characters of an output kept, warnings %q", n, doc.Warnings)
	}
	for _, tt := range []struct {
		name, data string
		want       ErrorCode
	}{
		{"cut off", notebook4[:len(notebook4)-30], Damaged},
		{"no cells", `{"nbformat": 4, "cells": []}`, Empty},
		{"of another form", `{"nbformat": "four", "cells": 7}`, Damaged},
	} {
		if got := codeFor("a.ipynb", tt.data); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func FuzzNotebook(f *testing.F) {
	fuzz(f, "a.ipynb", notebook4)
}
