package report

import (
	"fmt"
	"math"
	"strings"

	"grounded/answer"
	"grounded/eval"
	"grounded/eval/stat"
)

// point is a question that is asked first, with what the figures say, a sentence or a few a line.
type point struct {
	Question string
	Lines    []line
}

// line is one of a point: about whom, where there are several, the answer in a word or a few, and the figures.
type line struct{ Of, Answer, Text string }

// summary answers what is asked first, in words.
func summary(r eval.Report) []point {
	list := []point{
		{"Did it get better?", betterThanBaseline(r)},
		{"Did the documents help?", documentsHelped(r)},
		{"How sure is that?", howSure(r)},
		{"What does it cost?", whatItCosts(r)},
		{"Which way is best?", whichWay(r)},
		{"Would better retrieval help?", betterRetrieval(r)},
	}
	var filled []point
	for _, p := range list {
		if len(p.Lines) > 0 {
			filled = append(filled, p)
		}
	}
	return filled
}

// of is a line about a model, which is named where there are several.
func of(r eval.Report, model, answer, text string) line {
	if len(r.Header.Models) < 2 {
		model = ""
	}
	return line{model, answer, text}
}

// betterThanBaseline compares runs beside each other.
func betterThanBaseline(r eval.Report) (lines []line) {
	if len(r.Header.Merged) == 0 {
		return nil
	}
	for _, c := range r.Comparisons {
		if c.Model != c.Than && c.Arm == c.Beside {
			answer, text := judged(r.Metric, c.Comparison, "Yes.", "No, it got worse.")
			lines = append(lines, line{columnName(c.Model, c.Arm) + " against " + columnName(c.Than, c.Beside), answer, text})
		}
	}
	return lines
}

func documentsHelped(r eval.Report) (lines []line) {
	for _, g := range r.Grounding {
		c, ok := compared(r, g.Model, answer.ArmGrounded, g.Model, answer.ArmPlain)
		if !ok {
			continue
		}
		before, after, n := rightBoth(r, g.Model)
		verdict, text := judged(r.Metric, c, "Yes.", "No, they made the answers worse.")
		if n > 0 {
			text += fmt.Sprintf(" Right answers went from %d to %d of %d: %d rescued, %d harmed.", before, after, n, len(g.Rescued), len(g.Harmed))
		}
		lines = append(lines, of(r, g.Model, verdict, text))
	}
	if len(lines) == 0 {
		return []line{{Answer: "This run can't tell:", Text: "that takes answers with documents and without, grounded eval run --arms plain,grounded."}}
	}
	return lines
}

// judged says a verdict in words, and what it rests on.
func judged(metric string, c stat.Comparison, yes, no string) (answer, text string) {
	if c.Difference == nil {
		return "Can't be told:", "there is no question that both have answered."
	}
	figures := fmt.Sprintf("%s on %s", signed(c.Difference), plural(c.Questions, "question"))
	if c.Interval != nil {
		figures = fmt.Sprintf("%s (%s) on the same %s", signed(c.Difference), interval(c.Interval), plural(c.Questions, "question"))
	}
	name := scoreName(metric)
	switch c.Verdict {
	case stat.Better:
		return yes, fmt.Sprintf("%s is higher: %s.", name, figures)
	case stat.Worse:
		return no, fmt.Sprintf("%s is lower: %s.", name, figures)
	case stat.NoDifferenceShown:
		return "No difference shown.", fmt.Sprintf("%s differs by %s.", name, figures)
	}
	text = fmt.Sprintf("%s differs by %s.", name, figures)
	if c.Needed != nil && *c.Needed > c.Questions {
		text += fmt.Sprintf(" About %d would do.", *c.Needed)
	}
	return "Too few questions to tell.", text
}

// rightBoth counts right answers without and with documents, on the questions where both are judged.
func rightBoth(r eval.Report, model string) (before, after, n int) {
	var plain, grounded eval.Column
	for _, c := range r.Columns {
		switch {
		case c.Model != model:
		case c.Arm == answer.ArmPlain:
			plain = c
		case c.Arm == answer.ArmGrounded:
			grounded = c
		}
	}
	for _, q := range r.Questions() {
		_, s, _ := plain.Item(q.ID)
		_, t, _ := grounded.Item(q.ID)
		x, known := s[eval.Right]
		y, both := t[eval.Right]
		if known && both {
			before, after, n = before+int(x), after+int(y), n+1
		}
	}
	return before, after, n
}

func howSure(r eval.Report) (lines []line) {
	tests := 0
	for _, c := range r.Comparisons {
		if c.P != nil {
			tests++
		}
	}
	for _, g := range r.Grounding {
		c, ok := compared(r, g.Model, answer.ArmGrounded, g.Model, answer.ArmPlain)
		if !ok || c.Difference == nil {
			continue
		}
		said := of(r, g.Model, "", sureOf(c, tests))
		if n := len(lines) - 1; n >= 0 && lines[n].Text == said.Text {
			lines[n].Of += ", " + said.Of
			continue
		}
		lines = append(lines, said)
	}
	if len(lines) > 0 {
		lines = append(lines, line{Text: "Brackets hold the true difference with 95% confidence: what " + others(r.Unit) + " would give."})
	}
	if lost := lostAnswers(r); lost != "" {
		lines = append(lines, line{Text: lost})
	}
	return lines
}

// others says what an interval speaks of, by what it resamples.
func others(unit string) string {
	if unit == eval.UnitDocument {
		return "such questions about other documents"
	}
	return "other questions about the same documents"
}

func sureOf(c stat.Comparison, tests int) string {
	switch {
	case c.Verdict == stat.Better || c.Verdict == stat.Worse:
		often := "in less than 0.1%"
		if *c.PHolm >= .001 {
			often = fmt.Sprintf("in %.1f%%", 100**c.PHolm)
		}
		adjusted := ""
		if tests > 1 {
			adjusted = fmt.Sprintf(", adjusted for the %d comparisons here", tests)
		}
		return fmt.Sprintf("Chance alone would give such a difference %s of evaluations like this one (p %s%s).", often, Chance(c.PHolm), adjusted)
	case c.Detectable == nil || math.IsNaN(*c.Detectable):
		return "Not at all: there are too few questions for an interval."
	case c.Verdict == stat.TooFewQuestions && c.Clusters < 20:
		return fmt.Sprintf("Not at all: fewer than 20 independent questions are never enough, and there are %d.", c.Clusters)
	}
	return fmt.Sprintf("A true difference of %s or more would have been found four times out of five; a smaller one can be there all the same.", number(c.Detectable))
}

// lostAnswers counts what failed or was not asked.
func lostAnswers(r eval.Report) string {
	failed, missing, items := 0, 0, 0
	for _, c := range r.Columns {
		failed, missing, items = failed+c.Failed, missing+c.Missing, items+c.Items
	}
	if failed+missing == 0 {
		return ""
	}
	return fmt.Sprintf("Of %d answers %d failed and %d are missing. They count neither as right nor as wrong: if what fails is harder, the figures flatter.", items, failed, missing)
}

func whatItCosts(r eval.Report) (lines []line) {
	for _, g := range r.Grounding {
		var parts []string
		switch {
		case g.AddedUSD == nil:
			parts = append(parts, "The price of "+g.Model+" is not known")
		case *g.AddedUSD == 0:
			parts = append(parts, "No money more with documents")
		case *g.AddedUSD > 0:
			parts = append(parts, Dollars(thousand(g.AddedUSD))+" more for 1,000 questions with documents")
		default:
			saved := -*g.AddedUSD
			parts = append(parts, Dollars(thousand(&saved))+" less for 1,000 questions with documents")
		}
		switch {
		case g.AddedMS == nil:
		case *g.AddedMS >= 0:
			parts = append(parts, seconds(g.AddedMS)+" longer for one (median)")
		default:
			saved := -*g.AddedMS
			parts = append(parts, seconds(&saved)+" less time for one (median)")
		}
		text := strings.Join(parts, ", ") + "."
		if g.PerRightMore != nil && *g.PerRightMore > 0 {
			text += " One more right answer costs " + Dollars(g.PerRightMore) + "."
		}
		lines = append(lines, of(r, g.Model, "", text))
	}
	return lines
}

// whichWay names the column with the best answers, and why others can't be chosen.
func whichWay(r eval.Report) (lines []line) {
	advice, err := eval.Advise(r, eval.Wanted{Weights: eval.Weights{Quality: 1}})
	if err != nil {
		return nil
	}
	if len(advice.Candidates) > 0 {
		lines = append(lines, bestOf(r, advice.Candidates))
	} else if len(advice.Excluded) > 0 {
		lines = append(lines, line{Answer: "Can't be told:", Text: "nothing here was measured well enough to choose."})
	}
	for _, e := range advice.Excluded {
		lines = append(lines, line{Text: fmt.Sprintf("Left out is %s: %s", columnName(e.Model, e.Arm), e.Why)})
	}
	if left := notTried(r); len(left) > 0 {
		lines = append(lines, line{Text: "Not tried here: " + strings.Join(left, ", ") + "."})
	}
	return lines
}

// bestOf names the first of those that one could choose, or those that it can't be told from.
func bestOf(r eval.Report, candidates []eval.Candidate) line {
	best := candidates[0]
	name, how := columnName(best.Model, best.Arm), "("+way(r, best.Model, best.Arm)+")"
	var tied []eval.Candidate
	for _, c := range candidates[1:] {
		if c.Beaten.Verdict != stat.Better {
			tied = append(tied, c)
		}
	}
	switch {
	case len(candidates) == 1:
		return line{Text: "Only " + name + " " + how + " is there to choose from."}
	case len(tied) == 0:
		return line{"", name, fmt.Sprintf("%s: its %s of %s is better than that of all others.", how, scoreName(r.Metric), number(best.Quality))}
	}
	return line{"", name, fmt.Sprintf("%s has the highest %s, %s, but the figures can't tell it from %s.%s", how, scoreName(r.Metric), number(best.Quality), names(tied), cheapest(append(tied, best)))}
}

// names lists candidates, the first ones by name.
func names(list []eval.Candidate) string {
	const most = 3
	var parts []string
	for i, c := range list {
		if i == most && len(list) > most+1 {
			parts = append(parts, fmt.Sprintf("%d more", len(list)-most))
			break
		}
		parts = append(parts, columnName(c.Model, c.Arm))
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}

// cheapest names the cheapest of those that are as good, where all have a price and not all the same.
func cheapest(list []eval.Candidate) string {
	low, high := list[0], list[0]
	for _, c := range list {
		if c.CostUSD == nil {
			return ""
		}
		if *c.CostUSD < *low.CostUSD {
			low = c
		}
		if *c.CostUSD > *high.CostUSD {
			high = c
		}
	}
	if *low.CostUSD == *high.CostUSD {
		return ""
	}
	return fmt.Sprintf(" The cheapest of these is %s: %s for 1,000 questions.", columnName(low.Model, low.Arm), Dollars(thousand(low.CostUSD)))
}

func betterRetrieval(r eval.Report) (lines []line) {
	for _, g := range r.Grounding {
		c, ok := compared(r, g.Model, eval.ArmOracle, g.Model, answer.ArmGrounded)
		if !ok {
			continue
		}
		answer, text := judged(r.Metric, c, "Yes.", "No.")
		lines = append(lines, of(r, g.Model, answer, "With the right passages (oracle) instead of the found ones, "+text))
	}
	return lines
}
