package report

import (
	"fmt"

	"grounded/eval"
)

// judgedTable shows which answers a judge prefers, and how far it can be believed.
func judgedTable(g eval.Judging) table {
	t := table{ID: "judged", Title: "Judged by " + g.Judge, Header: []string{"compared", "with", "questions", "better", "tie", "worse", "flips", "first preferred", "difference", "p (Holm)", "verdict"},
		Note: fmt.Sprintf("Each pair was judged in both orders; what changes with the order (flips) is a tie. A judge that looks at the answers alone prefers the first as often as the second. The difference is that of better and worse, as shares. Cost: %s; %s failed or could not be read.",
			Dollars(g.CostUSD), plural(g.Unreadable, "judgement"))}
	if g.OtherPrompts > 0 {
		t.Note += fmt.Sprintf(" %s by another version of the prompt are left out.", plural(g.OtherPrompts, "judgement"))
	}
	for _, p := range g.Pairs {
		text := verdict(p.Comparison)
		if !p.Used {
			text = p.Why
		}
		row := cells(columnName(p.Model, p.Arm), columnName(p.Than, p.Beside), fmt.Sprint(p.Questions), fmt.Sprint(p.Wins), fmt.Sprint(p.Ties), fmt.Sprint(p.Losses),
			percent(p.FlipRate), percent(p.FirstRate), signed(p.Difference), Chance(p.PHolm), text)
		if p.Interval != nil {
			row[8].Sure = interval(p.Interval)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// supportTable shows how many sentences a judge finds supported.
func supportTable(g eval.Judging) table {
	t := table{ID: "judged-faithful", Title: "Faithful by " + g.Judge, Header: []string{"model · arm", "sentences of an answer that its passages support"},
		Note: "A mean share from 0 to 1; (n) is how many answers were judged where not all were."}
	for _, f := range g.Faithful {
		t.Rows = append(t.Rows, []cell{{Text: columnName(f.Model, f.Arm)}, mean(f.Mean)})
	}
	return t
}

func agreementTable(r eval.Report) table {
	t := table{ID: "agreement", Title: "Agreement with people", Header: []string{"by", "of", "labels", "same", "Cohen's kappa"},
		Note: "Kappa is agreement beyond chance: 0 is what guessing would reach, 1 is always the same."}
	if r.LabelsOfNothing > 0 {
		t.Note += fmt.Sprintf(" %s of sentences or pairs that were not judged.", labelsAre(r.LabelsOfNothing))
	}
	for _, a := range r.Agreement {
		t.Rows = append(t.Rows, cells(a.By, a.Of, fmt.Sprint(a.Labels), fmt.Sprint(a.Same), number(a.Kappa)))
	}
	return t
}

func labelsAre(n int) string {
	if n == 1 {
		return "1 label is"
	}
	return fmt.Sprintf("%d labels are", n)
}
