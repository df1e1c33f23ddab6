package dataset_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"grounded/corpus"
	"grounded/eval/dataset"
)

// wide is a text as Excel's "Unicode text" has it.
func wide(text string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		b.WriteByte(byte(unit))
		b.WriteByte(byte(unit >> 8))
	}
	return b.String()
}

func TestTablesAreReadAsSpreadsheetsSaveThem(t *testing.T) {
	want := []dataset.Question{
		{ID: "1", Question: "Was sagt die \"Richtlinie\",\nund wann?", Answers: []string{"38,50 €"}, Answerable: true,
			Evidence: []dataset.Evidence{{Document: "a.pdf", Page: 2, Quote: "38,50 €; netto"}}},
		{ID: "2", Question: "年假有多少天？"},
	}
	rows := "Nr;Question;Answers;Document;Page;Quote;Answerable\r\n" +
		"1;\"Was sagt die \"\"Richtlinie\"\",\nund wann?\";38,50 €;a.pdf;2;\"38,50 €; netto\";WAHR\r\n;;;;;;\r\n\r\n2;年假有多少天？;;;;;FALSCH\r\n"
	folder := write(t, map[string]string{
		"semicolons.csv": "\ufeff" + rows,
		"declared.csv":   "sep=;\r\n" + rows,
		"unicode.txt":    wide(strings.ReplaceAll(strings.ReplaceAll(rows, "€; netto", "€# netto"), ";", "\t")),
		"short.csv":      "question\n\"What, then?\"\n",
	})
	for _, name := range []string{"semicolons.csv", "declared.csv", "unicode.txt"} {
		made, err := dataset.Import("csv", filepath.Join(folder, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if name == "unicode.txt" {
			made.Questions[0].Evidence[0].Quote = strings.ReplaceAll(made.Questions[0].Evidence[0].Quote, "#", ";")
		}
		if diff := cmp.Diff(want, made.Questions); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if made, err := dataset.Import("csv", filepath.Join(folder, "short.csv")); err != nil || made.Questions[0].Question != "What, then?" {
		t.Errorf("one column: %+v, %v", made, err)
	}
	for word, answerable := range map[string]bool{"TRUE": true, "ja": true, "VRAI": true, "是": true, "1": true, "FALSE": false, "Nein": false, "FAUX": false, "否": false, "0": false} {
		path := filepath.Join(write(t, map[string]string{"a.csv": "question,answerable\nQ?," + word + "\n"}), "a.csv")
		if made, err := dataset.Import("csv", path); err != nil || made.Questions[0].Answerable != answerable {
			t.Errorf("%s: %+v, %v", word, made.Questions, err)
		}
	}
}

func TestWhatIsWrongAboutATableIsSaidAtOnceAndWithWhatToDo(t *testing.T) {
	folder := write(t, map[string]string{
		"faults.csv":   "question,page,document,answerable\nQ?,three,a,\nR?,2,a,perhaps\nS?,2,a,yes,more\n",
		"gbk.csv":      "question,answers\n\xc4\xea\xbc\xd9\xa3\xbf,30\n",
		"workbook.csv": "PK\x03\x04\x14\x00",
		"german.csv":   "Frage;Antwort\nWas?;Das\n",
		"open.csv":     "question,answers\nA \"b\" c,\"x\ny,z\n",
		"clash.csv":    "question,answers,answerable\nQ?,not in the documents,no\n",
	})
	for _, c := range []struct {
		file string
		want []string
	}{
		{"faults.csv", []string{`line 2: page "three" is not a number from 1`, `line 3: answerable is "perhaps"`, "line 4: there are 5 cells and 4 columns"}},
		{"gbk.csv", []string{"is not in UTF-8", "CSV UTF-8"}},
		{"workbook.csv", []string{"is a workbook", "CSV UTF-8"}},
		{"german.csv", []string{`no column is the question; the columns are "Frage", "Antwort"`, "only question is needed"}},
		{"open.csv", []string{"line 2", "twice"}},
		{"clash.csv", []string{"line 2", "is said not to be answerable", "leave its answers empty"}},
		{"", []string{"is a folder"}},
	} {
		_, err := dataset.Import("csv", filepath.Join(folder, c.file))
		text := ""
		if err != nil {
			text = err.Error() + "\n" + corpus.HintOf(err)
		}
		for _, want := range c.want {
			if !errors.Is(err, corpus.ErrInvalid) || !strings.Contains(text, want) {
				t.Errorf("%s: error is %s, want one with %q", c.file, text, want)
			}
		}
	}
}
