package report

import (
	"fmt"

	"grounded/eval"
)

// judgedTable shows which answers a judge prefers, and how far it can be believed.
func judgedTable(g eval.Judging) table {
	t := table{Title: "Judged by " + g.Judge, Header: []string{"compared", "with", "questions", "better", "tie", "worse", "flips", "first preferred", "difference", "95% interval", "p (Holm)", "verdict"},
		Note: fmt.Sprintf("Each pair was judged in both orders; what changes with the order (flips) is a tie. The difference is that of better and worse, as shares. Cost: %s; %d judgements failed or could not be read.", dollars(g.CostUSD), g.Unreadable)}
	if g.OtherPrompts > 0 {
		t.Note += fmt.Sprintf(" %d judgements by another version of the prompt are left out.", g.OtherPrompts)
	}
	for _, p := range g.Pairs {
		verdict := string(p.Verdict)
		if !p.Used {
			verdict = p.Why
		}
		t.Rows = append(t.Rows, []string{p.Model + " " + p.Arm, p.Than + " " + p.Beside, fmt.Sprint(p.Questions), fmt.Sprint(p.Wins), fmt.Sprint(p.Ties), fmt.Sprint(p.Losses),
			percent(p.FlipRate), percent(p.FirstRate), signed(p.Difference), interval(p.Interval), number(p.PHolm), verdict})
	}
	return t
}

// supportTable shows how many sentences a judge finds supported.
func supportTable(g eval.Judging) table {
	t := table{Title: "Faithful by " + g.Judge, Header: []string{"model", "arm", "share of an answer's sentences that its passages support"}}
	for _, f := range g.Faithful {
		t.Rows = append(t.Rows, []string{f.Model, f.Arm, mean(f.Mean)})
	}
	return t
}

func agreementTable(r eval.Report) table {
	t := table{Title: "Agreement with people", Header: []string{"by", "of", "labels", "same", "Cohen's kappa"}}
	if r.LabelsOfNothing > 0 {
		t.Note = fmt.Sprintf("%d labels are of sentences or pairs that were not judged.", r.LabelsOfNothing)
	}
	for _, a := range r.Agreement {
		t.Rows = append(t.Rows, []string{a.By, a.Of, fmt.Sprint(a.Labels), fmt.Sprint(a.Same), number(a.Kappa)})
	}
	return t
}
