package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"grounded/answer"
	"grounded/eval"
	"grounded/eval/stat"
)

// origin is that of a model by its id.
func origin(r eval.Report, id string) string {
	for _, card := range r.Header.Models {
		if card.ID == id {
			return eval.Origin(card)
		}
	}
	return ""
}

// way is that of a column.
func way(r eval.Report, model, arm string) string {
	for _, c := range r.Columns {
		if c.Model == model && c.Arm == arm {
			return c.Way
		}
	}
	return ""
}

// notTried lists the ways that no column is.
func notTried(r eval.Report) (list []string) {
	for _, w := range []struct {
		name  string
		tried func(eval.Column) bool
	}{
		{eval.WayExamples, func(c eval.Column) bool { return c.Arm == answer.ArmFewShot }},
		{eval.WayRetrieval, func(c eval.Column) bool { return c.Arm == answer.ArmGrounded }},
		{"a " + eval.WayTuned, func(c eval.Column) bool { return origin(r, c.Model) == eval.WayTuned }},
		{"a " + eval.WayElsewhere, func(c eval.Column) bool { return origin(r, c.Model) == eval.WayElsewhere }},
	} {
		if !slices.ContainsFunc(r.Columns, w.tried) {
			list = append(list, w.name)
		}
	}
	return list
}

// overview puts all columns beside each other by what decides between them.
func overview(r eval.Report) table {
	t := table{ID: "ways", Title: "Side by side", Header: []string{"model · arm", "way"}}
	missing := slices.ContainsFunc(r.Columns, func(c eval.Column) bool { return c.Answered() < c.Items })
	if missing {
		t.Header = append(t.Header, "answered")
	}
	if r.Metric != eval.Right {
		t.Header = append(t.Header, scoreName(r.Metric))
	}
	t.Header = append(t.Header, "right", "than plain", "cost of 1,000 questions", "median time")
	for _, c := range r.Columns {
		row := cells(columnName(c.Model, c.Arm), c.Way)
		if missing {
			row = append(row, cell{Text: fmt.Sprintf("%d of %d", c.Answered(), c.Items)})
		}
		if r.Metric != eval.Right {
			row = append(row, cell{Text: number(c.Scores[r.Metric].Mean), Sure: mean(c.Scores[r.Metric]).Sure})
		}
		row = append(row, rights(c.Scores[eval.Right]), than(r, c), cell{Text: Dollars(thousandCost(c))}, cell{Text: seconds(c.Total.P50)})
		t.Rows = append(t.Rows, row)
	}
	t.Note = fewerAsked(r)
	return t
}

// fewerAsked names the arms with given passages where they were asked fewer questions than the others: only those with
// evidence have passages to give.
func fewerAsked(r eval.Report) string {
	most, fewest := 0, math.MaxInt
	var given []string
	for _, c := range r.Columns {
		most = max(most, c.Items)
		if c.Arm != eval.ArmOracle && c.Arm != eval.ArmDistractor {
			continue
		}
		fewest = min(fewest, c.Items)
		if !slices.Contains(given, c.Arm) {
			given = append(given, c.Arm)
		}
	}
	if len(given) == 0 || fewest == most {
		return ""
	}
	return fmt.Sprintf("Only questions with evidence are asked with given passages (%s): %d of %d here. Their scores are means of these, and differences are of the questions that both columns have.", strings.Join(given, ", "), fewest, most)
}

// rights counts right answers.
func rights(m eval.Mean) cell {
	if m.Mean == nil {
		return cell{Text: unknown}
	}
	c := cell{Text: fmt.Sprintf("%.0f of %d", *m.Mean*float64(m.Scored), m.Scored)}
	switch {
	case m.Interval == nil:
	case m.Interval.Low == m.Interval.High:
		c.Sure = alike
	default:
		c.Sure = fmt.Sprintf("%.0f to %.0f%%", 100*m.Interval.Low, 100*m.Interval.High)
	}
	return c
}

// than is a column's difference from the same model without anything.
func than(r eval.Report, c eval.Column) cell {
	compared, ok := compared(r, c.Model, c.Arm, c.Model, answer.ArmPlain)
	if !ok || compared.Difference == nil {
		return cell{Text: unknown}
	}
	return cell{Text: signed(compared.Difference), Sure: sign(compared.Verdict) + " " + string(compared.Verdict)}
}

// sign tells a verdict at a glance, and without colours.
func sign(v stat.Verdict) string {
	switch v {
	case stat.Better:
		return "▲"
	case stat.Worse:
		return "▼"
	case stat.NoDifferenceShown:
		return "≈"
	}
	return "?"
}

// compared finds a comparison.
func compared(r eval.Report, model, arm, than, beside string) (stat.Comparison, bool) {
	for _, c := range r.Comparisons {
		if c.Model == model && c.Arm == arm && c.Than == than && c.Beside == beside {
			return c.Comparison, true
		}
	}
	return stat.Comparison{}, false
}
