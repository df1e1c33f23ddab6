package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"grounded/eval"
)

// CSV writes a row an item: model, arm, question id, error, answer, then each score, empty where it is not defined. A text
// that a spreadsheet would take for a formula has an apostrophe before it.
func CSV(w io.Writer, r eval.Report) error {
	rows := csv.NewWriter(w)
	_ = rows.Write(append([]string{"model", "arm", "id", "question", "answer", "error"}, eval.ScoreNames()...)) // told by Error below
	for _, c := range r.Columns {
		for _, q := range r.Questions() {
			item, scores, ok := c.Item(q.ID)
			if !ok {
				continue
			}
			text := ""
			if item.Answer != nil {
				text = item.Answer.Text
			}
			row := []string{c.Model, c.Arm, q.ID, q.Question, text, item.Error}
			for i := range row {
				row[i] = noFormula(row[i])
			}
			for _, name := range eval.ScoreNames() {
				cell := ""
				if v, known := scores[name]; known {
					cell = strconv.FormatFloat(v, 'g', -1, 64)
				}
				row = append(row, cell)
			}
			_ = rows.Write(row)
		}
	}
	rows.Flush()
	return rows.Error()
}

func noFormula(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
