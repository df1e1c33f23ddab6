package parse

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTwoColumnsAreReadInOrder holds a paper of two columns against what a person reads: sentences that run from one
// line, column or page to the next, in this order, and tables a row at a time.
func TestTwoColumnsAreReadInOrder(t *testing.T) {
	path := filepath.Join(awkwardPDFs, "multicolumn_latex.pdf")
	if _, err := os.Stat(path); err != nil {
		t.Skip("no ../shared/data/pdf beside the checkout")
	}
	doc, err := formats().parse(t.Context(), Input{Path: path}, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	text := documentText(doc)
	at := 0
	for _, s := range []string{
		"Two-Column Document with Lorem Ipsum",
		"This is a sample document with two columns filled with Lorem Ipsum text.",
		"Lorem ipsum dolor sit amet, consectetuer adipiscing elit. Ut purus elit, vestibulum ut, placerat ac",
		"Duis nibh mi, congue eu, accumsan eleifend, sagittis quis, diam. Duis eget orci sit amet orci dignissim rutrum.",
		"Nam dui ligula, fringilla a, euismod sodales, sollicitudin vel, wisi.",
		"Aliquam tincidunt urna. Nulla ullamcorper vestibulum turpis. Pellentesque cursus luctus mauris.",
		"Nulla malesuada porttitor diam. Donec felis erat, congue non, volutpat at",
		"Quisque ullamcorper placerat ipsum. Cras nibh.",
		"Proin tempus nibh sit amet nisl. Vivamus quis tortor vitae risus porta vehicula.",
		"Fusce mauris. Vestibulum luctus nibh at lectus.",
		"Quisque egestas wisi eget nunc. Nam feugiat\nlacus vel est. Curabitur consectetuer.", // over the page's end
		"Sed commodo posuere pede. Mauris ut est.",
		"Pellentesque habitant morbi tristique senectus et netus et malesuada fames ac turpis egestas. Donec odio elit",
		"Morbi luctus, wisi viverra faucibus pretium, nibh est placerat odio, nec commodo wisi enim eget quam.",
		"Suspendisse vitae elit. Aliquam arcu neque, ornare in, ullamcorper quis, commodo eu, libero.",
		"Country | Population (millions) | Area (km2) | Capital | Official Language\nAustria | 8.9 | 83,879 | Vienna | German\nBelgium | 11.5 | 30,689 | Brussels | Dutch, French, German",
	} {
		i := strings.Index(text[at:], s)
		if i < 0 {
			t.Fatalf("%q does not follow in %q", s, text[at:min(len(text), at+400)])
		}
		at += i
	}
}

func TestColumnsThatAreDrawnALineAtATimeAreReadOneAfterTheOther(t *testing.T) {
	left := []string{
		"The left column is set in lines of nearly one", "length, as papers are, and goes on for some", "while about the weir, its gates and those who",
		"work there, until the foot of the page, where", "the text does not end but is continued at the", "head of the column on the right, which many a",
	}
	right := []string{
		"reader finds without thinking about it, since", "the eye knows the gutter between them. There", "the tale of the weir is told to its end, with",
		"the names of the keepers, the days when it was", "opened and closed, and the height of the water", "that was measured on each of those long days.",
	}
	page := ""
	for i := range left {
		page += at("F1", 10, 40, 700-12*i, left[i]) + at("F1", 10, 320, 700-12*i, right[i])
	}
	doc := parseData(t, "a.pdf", makePDF(page))
	if got, want := outline(doc.Pages), "paragraph: "+strings.Join(append(left, right...), " ")+"\n"; got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	// Rows of a table with long cells stay rows.
	table := ""
	for i, row := range [][2]string{{"Part", "What it is for"}, {"Gate", "Holds the water back as long as it is closed"}, {"Winch", "Opens the gate, by hand or with the motor"}, {"Key", "Keeps others from it"}} {
		table += at("F1", 10, 40, 700-14*i, row[0]) + at("F1", 10, 200, 700-14*i, row[1])
	}
	if got := outline(parseData(t, "a.pdf", makePDF(table)).Pages); !strings.Contains(got, "table-row: Winch | Opens the gate, by hand or with the motor") {
		t.Errorf("got %q", got)
	}
}
