package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"grounded/eval"
	"grounded/eval/stat"
)

const unknown = "–"

// Markdown writes the tables of a report.
func Markdown(w io.Writer, r eval.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Evaluation of %s\n\n%d questions, collection %s, embeddings of %s, %s.\n", r.Header.Dataset, r.Header.Questions,
		r.Header.Collection, r.Header.Embedding.Model, r.Header.Created.Format("2006-01-02"))
	for _, t := range tables(r) {
		fmt.Fprintf(&b, "\n## %s\n\n", t.Title)
		row := func(cells []string) {
			for i, c := range cells {
				cells[i] = strings.ReplaceAll(strings.Join(strings.Fields(c), " "), "|", `\|`)
			}
			fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
		}
		row(t.Header)
		fmt.Fprintf(&b, "|%s\n", strings.Repeat("---|", len(t.Header)))
		for _, cells := range t.Rows {
			row(cells)
		}
		if t.Note != "" {
			fmt.Fprintf(&b, "\n%s\n", t.Note)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// CSV writes a row an item: model, arm, question id, error, answer, then each score, empty where it is not defined.
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

// table is one of a report's.
type table struct {
	Title  string
	Header []string
	Rows   [][]string
	Note   string
}

func tables(r eval.Report) []table {
	list := []table{qualityTable(r), costTable(r), comparisonTable(r)}
	for _, g := range r.Grounding {
		list = append(list, groundingTable(g, r.Metric), harmTable(g))
	}
	for _, g := range r.Judging {
		list = append(list, judgedTable(g), supportTable(g))
	}
	var filled []table
	for _, t := range list {
		if len(t.Rows) > 0 {
			filled = append(filled, t)
		}
	}
	if len(r.Agreement) > 0 || r.LabelsOfNothing > 0 {
		filled = append(filled, agreementTable(r))
	}
	return filled
}

// shown are the scores of the first table.
func shown() []string {
	return []string{eval.Exact, eval.F1, eval.Contains, eval.Right, eval.Abstained, eval.CitesPages, eval.PagesCited, eval.Faithful, eval.EvidenceGiven}
}

func qualityTable(r eval.Report) table {
	t := table{Title: "Answers", Header: []string{"model", "arm", "answered"}, Note: fmt.Sprintf(
		"Means with 95%% intervals (BCa bootstrap over the %ss); (n) is how many items have a score where some have none. "+
			"Right: contains an accepted answer, has an F1 of at least .5, or declines what the documents don't answer.", r.Unit)}
	for _, name := range shown() {
		t.Header = append(t.Header, strings.ReplaceAll(name, "_", " "))
	}
	for _, c := range r.Columns {
		row := []string{c.Model, c.Arm, fmt.Sprintf("%d of %d", c.Answered(), c.Items)}
		for _, name := range shown() {
			row = append(row, mean(c.Scores[name]))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func costTable(r eval.Report) table {
	t := table{Title: "Cost and time", Header: []string{"model", "arm", "way", "cost", "per right answer", "prompt tokens", "answer tokens", "first token P50", "P95", "whole P50", "P95", "P99"}}
	for _, c := range r.Columns {
		t.Rows = append(t.Rows, []string{c.Model, c.Arm, c.Way, dollars(c.CostUSD), dollars(c.PerRight), count(c.Scores[eval.PromptTokens].Mean), count(c.Scores[eval.CompletionTokens].Mean),
			seconds(c.FirstToken.P50), seconds(c.FirstToken.P95), seconds(c.Total.P50), seconds(c.Total.P95), seconds(c.Total.P99)})
	}
	return t
}

func comparisonTable(r eval.Report) table {
	t := table{Title: "Comparisons by " + r.Metric, Header: []string{"compared", "with", "questions", "difference", "95% interval", "p", "p (Holm)", "McNemar, right", "smallest detectable", "verdict"},
		Note: "p by randomisation of signs, adjusted for all comparisons here. " +
			"“Too few questions” means that a difference that matters could have been missed; the number that would show it is an estimate."}
	for _, c := range r.Comparisons {
		verdict := string(c.Verdict)
		if c.Verdict == stat.TooFewQuestions && c.Needed != nil && *c.Needed > c.Questions {
			verdict += fmt.Sprintf("; about %d would do", *c.Needed)
		}
		t.Rows = append(t.Rows, []string{c.Model + " " + c.Arm, c.Than + " " + c.Beside, fmt.Sprint(c.Questions), signed(c.Difference), interval(c.Interval),
			number(c.P), number(c.PHolm), number(c.McNemar), number(c.Detectable), verdict})
	}
	return t
}

func groundingTable(g eval.Grounding, metric string) table {
	t := table{Title: "What the documents changed for " + g.Model, Header: []string{"", ""}}
	add := func(name, value string) { t.Rows = append(t.Rows, []string{name, value}) }
	add("questions", fmt.Sprint(g.Pairs))
	add("wins, ties, losses by "+metric, fmt.Sprintf("%d, %d, %d", g.Wins, g.Ties, g.Losses))
	add("harmed: right without, wrong with documents", fmt.Sprintf("%d, %s of those right without", len(g.Harmed), percent(g.HarmRate)))
	add("rescued: wrong without, right with documents", fmt.Sprintf("%d, %s of those wrong without", len(g.Rescued), percent(g.RescueRate)))
	add("distance to oracle: what the right passages would add", signed(g.ToOracle))
	add("damage by distractors: what wrong passages take", signed(g.Distracted))
	add("declined what the documents don't answer", percent(g.DeclinedRightly))
	add("declined what they do answer", percent(g.DeclinedWrongly))
	add("added to a question", dollars(g.AddedUSD)+", "+seconds(g.AddedMS))
	add("cost of one more right answer", dollars(g.PerRightMore))
	return t
}

// harmTable lists right answers that the documents turned wrong.
func harmTable(g eval.Grounding) table {
	t := table{Title: "Harmed by the documents: " + g.Model, Header: []string{"id", "question", "without", "with documents", "misled by", "evidence given"}}
	for _, h := range g.Harmed {
		among := "no"
		if h.Evidence {
			among = "yes"
		}
		t.Rows = append(t.Rows, []string{h.ID, h.Question, h.Plain, h.Grounded, misledBy(h.Misled), among})
	}
	return t
}

// misledBy lists passages with the words of them that an answer rests on.
func misledBy(list []eval.Misled) string {
	texts := make([]string, len(list))
	for i, m := range list {
		texts[i] = m.Place
		if m.Quote != "" {
			texts[i] += ": “" + m.Quote + "”"
		}
	}
	return strings.Join(texts, "; ")
}

func mean(m eval.Mean) string {
	if m.Mean == nil {
		return unknown
	}
	text := number(m.Mean)
	if m.Interval != nil {
		text += fmt.Sprintf(" [%.2f, %.2f]", m.Interval.Low, m.Interval.High)
	}
	if m.Scored < m.Items {
		text += fmt.Sprintf(" (%d)", m.Scored)
	}
	return text
}

func number(v *float64) string {
	if v == nil {
		return unknown
	}
	return fmt.Sprintf("%.3f", *v)
}

func signed(v *float64) string {
	if v == nil {
		return unknown
	}
	return fmt.Sprintf("%+.3f", *v)
}

func percent(v *float64) string {
	if v == nil {
		return unknown
	}
	return fmt.Sprintf("%.0f%%", *v*100)
}

func interval(i *stat.Interval) string {
	if i == nil {
		return unknown
	}
	return fmt.Sprintf("%+.3f to %+.3f", i.Low, i.High)
}

func count(v *float64) string {
	if v == nil {
		return unknown
	}
	return fmt.Sprintf("%.0f", *v)
}

func seconds(ms *float64) string {
	if ms == nil {
		return unknown
	}
	return fmt.Sprintf("%.2f s", *ms/1000)
}

func dollars(v *float64) string {
	switch {
	case v == nil:
		return "unknown"
	case *v == 0:
		return "$0"
	}
	return fmt.Sprintf("$%.6f", *v)
}

// JSON writes all of a report but its items.
func JSON(w io.Writer, r eval.Report) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}
