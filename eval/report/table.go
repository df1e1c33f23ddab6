package report

import (
	"fmt"
	"slices"
	"strings"

	"grounded/eval"
	"grounded/eval/stat"
)

// table is one of a report's. The first cell of a row names it.
type table struct {
	ID     string // of the section
	Title  string
	Header []string
	Rows   [][]cell
	Note   string // what the figures mean
}

// cell is a figure, and how sure it is.
type cell struct{ Text, Sure string }

func cells(texts ...string) []cell {
	row := make([]cell, len(texts))
	for i, text := range texts {
		row[i] = cell{Text: text}
	}
	return row
}

// tables are the figures in full, behind the overview.
func tables(r eval.Report) []table {
	list := []table{scoreTable(r), comparisonTable(r), costTable(r)}
	for _, g := range r.Grounding {
		list = append(list, groundingTable(g, r.Metric))
	}
	for _, g := range r.Judging {
		list = append(list, judgedTable(g), supportTable(g))
	}
	list = append(list, agreementTable(r), settingsTable(r))
	return slices.DeleteFunc(list, func(t table) bool { return len(t.Rows) == 0 && (t.ID != "agreement" || r.LabelsOfNothing == 0) })
}

// shown are the scores of their table.
func shown() []string {
	return []string{eval.Exact, eval.F1, eval.Contains, eval.Right, eval.Abstained, eval.CitesPages, eval.PagesCited, eval.Faithful, eval.EvidenceGiven}
}

func scoreTable(r eval.Report) table {
	t := table{ID: "scores", Title: "Scores", Header: []string{"model · arm", "answered"}, Note: fmt.Sprintf(
		"Each is a mean from 0 to 1, with the interval that holds it with 95%% confidence (BCa bootstrap over the %ss); (n) is how many answers have a score where some have none. "+
			"Where all are alike, resampling gives no interval. "+
			"Right: contains an accepted answer, has an F1 of at least .5, or declines what the documents don't answer. Declined: says that it can't answer. "+
			"Cites pages: share of the cited pages that are evidence; pages cited: share of the evidence that is cited. "+
			"Faithful: share of the sentences that a passage supports, by words and meaning. Evidence given: share of the evidence that was among the passages.", r.Unit)}
	var names []string
	for _, name := range shown() {
		if slices.ContainsFunc(r.Columns, func(c eval.Column) bool { return c.Scores[name].Mean != nil }) {
			names, t.Header = append(names, name), append(t.Header, scoreName(name))
		}
	}
	for _, c := range r.Columns {
		row := cells(columnName(c.Model, c.Arm), fmt.Sprintf("%d of %d", c.Answered(), c.Items))
		for _, name := range names {
			row = append(row, mean(c.Scores[name]))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// alike stands for an interval where all scores are the same: resampling them can't tell how sure they are.
const alike = "all alike"

func mean(m eval.Mean) cell {
	if m.Mean == nil {
		return cell{Text: unknown}
	}
	c := cell{Text: number(m.Mean)}
	switch {
	case m.Interval == nil:
	case m.Interval.Low == m.Interval.High:
		c.Sure = alike
	default:
		c.Sure = fmt.Sprintf("%.3f to %.3f", m.Interval.Low, m.Interval.High)
	}
	if m.Scored < m.Items {
		c.Text += fmt.Sprintf(" (%d)", m.Scored)
	}
	return c
}

func costTable(r eval.Report) table {
	t := table{ID: "cost", Title: "Cost and time", Header: []string{"model · arm", "cost of all", "of 1,000 questions", "of a right answer", "prompt tokens", "answer tokens", "first token P50", "P95", "whole answer P50", "P95", "P99"},
		Note: "Tokens are means of a question. P50 is the median: half of the answers took longer; 5 of 100 took longer than P95. A cost is unknown when a price is."}
	for _, c := range r.Columns {
		t.Rows = append(t.Rows, cells(columnName(c.Model, c.Arm), Dollars(c.CostUSD), Dollars(thousandCost(c)), Dollars(c.PerRight), count(c.Scores[eval.PromptTokens].Mean), count(c.Scores[eval.CompletionTokens].Mean),
			seconds(c.FirstToken.P50), seconds(c.FirstToken.P95), seconds(c.Total.P50), seconds(c.Total.P95), seconds(c.Total.P99)))
	}
	return t
}

// thousandCost is what 1,000 questions cost by the mean of those that were answered; nil when the cost of one is not known.
func thousandCost(c eval.Column) *float64 { return thousand(c.CostPerQuestion()) }

// thousand turns what a question costs, which is too little to be read, into the cost of 1,000.
func thousand(v *float64) *float64 {
	if v == nil {
		return nil
	}
	all := 1000 * *v
	return &all
}

func comparisonTable(r eval.Report) table {
	t := table{ID: "comparisons", Title: "Comparisons by " + scoreName(r.Metric), Header: []string{"compared", "with", "questions", "difference", "p", "p (Holm)", "McNemar, right", "smallest detectable", "verdict"},
		Note: "On the questions that both have answered: mean of the differences, and the interval that holds it with 95% confidence. p: how often chance alone would give a difference as large (randomisation of signs); " +
			"p (Holm) is adjusted for all comparisons here, since of twenty one is lucky. McNemar tests the same of right and wrong alone. " +
			"Smallest detectable: the difference that so many questions find four times out of five. “Too few questions” means that a difference that matters could have been missed; how many would show it is an estimate."}
	for _, c := range r.Comparisons {
		row := cells(columnName(c.Model, c.Arm), columnName(c.Than, c.Beside), fmt.Sprint(c.Questions), signed(c.Difference),
			Chance(c.P), Chance(c.PHolm), Chance(c.McNemar), number(c.Detectable), verdict(c.Comparison))
		if c.Interval != nil {
			row[3].Sure = interval(c.Interval)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func verdict(c stat.Comparison) string {
	text := string(c.Verdict)
	if c.Verdict == stat.TooFewQuestions && c.Needed != nil && *c.Needed > c.Questions {
		text += fmt.Sprintf("; about %d would do", *c.Needed)
	}
	return text
}

func groundingTable(g eval.Grounding, metric string) table {
	t := table{ID: "grounding", Title: "What the documents changed for " + g.Model, Header: []string{"grounded against plain", "on " + plural(g.Pairs, "question")},
		Note: "A win or a loss is a difference of more than .05; the rest are ties."}
	add := func(name, value string) { t.Rows = append(t.Rows, cells(name, value)) }
	add("wins, ties, losses by "+scoreName(metric), fmt.Sprintf("%d, %d, %d", g.Wins, g.Ties, g.Losses))
	add("harmed: right without, wrong with documents", fmt.Sprintf("%d, %s of those right without", len(g.Harmed), percent(g.HarmRate)))
	add("rescued: wrong without, right with documents", fmt.Sprintf("%d, %s of those wrong without", len(g.Rescued), percent(g.RescueRate)))
	add("distance to oracle: what the right passages would add", signed(g.ToOracle))
	add("damage by distractors: what wrong passages take", signed(g.Distracted))
	add("declined what the documents don't answer", percent(g.DeclinedRightly))
	add("declined what they do answer", percent(g.DeclinedWrongly))
	add("added: cost of 1,000 questions, median time of one", Dollars(thousand(g.AddedUSD))+", "+seconds(g.AddedMS))
	add("cost of one more right answer", Dollars(g.PerRightMore))
	return t
}

// settingsTable says how the answers were made; of several runs it has a column each, and marks where they differ.
func settingsTable(r eval.Report) table {
	runs := r.Header.Merged
	if len(runs) == 0 {
		runs = []eval.MergedRun{{Name: "this run", Header: r.Header}}
	}
	t := table{ID: "settings", Title: "Settings", Header: []string{"setting"}}
	if len(runs) > 1 {
		t.Note = "≠ marks what the runs differ in: not all of a difference need be the models'."
	}
	for _, run := range runs {
		t.Header = append(t.Header, run.Name)
	}
	for _, s := range []struct {
		name string
		of   func(eval.Header) string
	}{
		{"begun", func(h eval.Header) string { return h.Created.UTC().Format("2006-01-02 15:04 MST") }},
		{"questions", func(h eval.Header) string { return fmt.Sprintf("%d of %s (%s)", h.Questions, h.Dataset, h.DatasetHash) }},
		{"arms", func(h eval.Header) string { return strings.Join(h.Arms, ", ") }},
		{"collection", func(h eval.Header) string { return h.Collection }},
		{"embeddings", func(h eval.Header) string { return h.Embedding.Model + " (" + h.Fingerprint + ")" }},
		{"passages", func(h eval.Header) string { return fmt.Sprintf("%d, %s", h.TopK, h.Mode) }},
		{"tokens of an answer", func(h eval.Header) string {
			if h.MaxTokens == 0 {
				return "the model's default"
			}
			return fmt.Sprint("at most ", h.MaxTokens)
		}},
		{"temperature", func(h eval.Header) string { return given(h.Temperature) }},
		{"seed", func(h eval.Header) string { return given(h.Seed) }},
		{"examples", func(h eval.Header) string { return fmt.Sprint(len(h.Examples)) }},
		{"prompts", func(h eval.Header) string {
			var versions []string
			for name, version := range h.Prompts {
				versions = append(versions, name+" "+version)
			}
			slices.Sort(versions)
			return strings.Join(versions, ", ")
		}},
	} {
		row := cells(s.name)
		differ := false
		for _, run := range runs {
			row = append(row, cell{Text: s.of(run.Header)})
			differ = differ || row[len(row)-1] != row[1]
		}
		if differ && s.name != "begun" {
			row[0].Text += " ≠"
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func given[T any](v *T) string {
	if v == nil {
		return "the model's default"
	}
	return fmt.Sprint(*v)
}
