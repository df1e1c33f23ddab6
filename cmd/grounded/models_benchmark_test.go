package main

import (
	"bytes"
	"strings"
	"testing"

	"grounded/eval"
)

// Ten models cost and answer the same, five cost nothing, and one's cost is not known.
func TestATradeOffShowsEachModelOnce(t *testing.T) {
	var r eval.Report
	r.Metric = eval.F1
	best, most, none := .8, .01, 0.
	for i := range 16 {
		c := eval.Column{Model: mark(i), Scores: map[string]eval.Mean{eval.F1: {Mean: &best}, eval.CostUSD: {Mean: &most}}}
		switch {
		case i == 15:
			c.Scores[eval.CostUSD] = eval.Mean{}
		case i >= 10:
			c.Scores[eval.CostUSD] = eval.Mean{Mean: &none}
		}
		r.Columns = append(r.Columns, c)
	}
	var out bytes.Buffer
	p := &program{stdout: &out}
	p.printTradeOff(r, "$ a question", eval.Column.CostPerQuestion, func(float64) string { return "" })
	plot := strings.Split(out.String(), "\n")[2]
	for i := range 15 {
		if strings.Count(plot, mark(i)) != 1 {
			t.Errorf("%s is there %d times in %q", mark(i), strings.Count(plot, mark(i)), plot)
		}
	}
	if strings.Contains(plot, mark(15)) {
		t.Errorf("one whose cost is not known is in %q", plot)
	}
	if !strings.Contains(plot, "│klmno") || !strings.HasSuffix(plot, "jihgfedcba") {
		t.Errorf("the cheap are not to the left of the dear in %q", plot)
	}
}
