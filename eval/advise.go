package eval

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"grounded/corpus"
	"grounded/eval/stat"
	"grounded/model"
)

// Weights say what matters. Only their proportions count.
type Weights struct {
	Quality float64 `json:"quality"`
	Cost    float64 `json:"cost"`
	Latency float64 `json:"latency"`
}

// Wanted are the conditions of an advice. Zero values set none.
type Wanted struct {
	Weights      Weights
	MaxLatencyMS float64 // to the whole answer, for 95 of 100 questions
	MaxCostUSD   float64 // a question
	Access       string  // open or proprietary
	License      string  // in the license, in any case
	Arms         []string
	Rule         stat.Rule
}

// Candidate is a model by an arm that meets the conditions.
type Candidate struct {
	Model   string   `json:"model"`
	Arm     string   `json:"arm"`
	Worth   float64  `json:"worth"` // weighed mean: quality less cost and latency as shares of the dearest and the slowest
	Quality *float64 `json:"quality"`
	CostUSD *float64 `json:"cost_per_question_usd"`
	TotalMS *float64 `json:"total_ms_p95"`
	// Beaten says how the best one compares with it; nil for the best itself.
	Beaten *stat.Comparison `json:"best_compared"`

	column *Column
}

// Excluded is a model by an arm that does not meet the conditions.
type Excluded struct {
	Model string `json:"model"`
	Arm   string `json:"arm"`
	Why   string `json:"why"` // a sentence
}

// Advice names a model by an arm, or says why it can't.
type Advice struct {
	Chosen     *Candidate  `json:"chosen"` // nil when the figures can't tell
	Reason     string      `json:"reason"`
	Candidates []Candidate `json:"candidates"` // the best first
	Excluded   []Excluded  `json:"excluded"`
}

// leastAnswered is the share of a dataset that a candidate must have answered.
const leastAnswered = 0.95

// defaultEffect is the difference in worth that matters.
const defaultEffect = 0.1

// Advise weighs the columns of a report against each other, question by question. One is chosen when it is better than
// each other candidate by a paired comparison of what it is worth, adjusted for all of them; otherwise the reason names
// those that it can't be told from. Weights that are negative or all 0, a cost or an effect that can't be, and arms that nobody
// can choose are corpus.ErrInvalid.
func Advise(r Report, w Wanted) (Advice, error) {
	sum := w.Weights.Quality + w.Weights.Cost + w.Weights.Latency
	if w.Weights.Quality < 0 || w.Weights.Cost < 0 || w.Weights.Latency < 0 || sum <= 0 || math.IsInf(sum, 0) || math.IsNaN(sum) {
		return Advice{}, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "advise: weights are numbers from 0, and one is above"), "such as quality=3,cost=1,latency=1")
	}
	if err := w.check(); err != nil {
		return Advice{}, err
	}
	w.Weights = Weights{w.Weights.Quality / sum, w.Weights.Cost / sum, w.Weights.Latency / sum}
	if w.Rule.Effect == 0 {
		w.Rule.Effect = defaultEffect
	}
	a := Advice{Candidates: []Candidate{}, Excluded: []Excluded{}}
	for i := range r.Columns {
		c := &r.Columns[i]
		if c.Arm == ArmOracle || c.Arm == ArmDistractor || len(w.Arms) > 0 && !slices.Contains(w.Arms, c.Arm) {
			continue
		}
		if why := w.exclude(r, *c); why != "" {
			a.Excluded = append(a.Excluded, Excluded{c.Model, c.Arm, why})
			continue
		}
		a.Candidates = append(a.Candidates, Candidate{Model: c.Model, Arm: c.Arm, Quality: c.mean(r.Metric), CostUSD: c.CostPerQuestion(), TotalMS: c.Total.P95, column: c})
	}
	if len(a.Candidates) == 0 {
		a.Reason = "No measured model meets the conditions."
		return a, nil
	}
	worth := w.worth(r, a.Candidates)
	for i := range a.Candidates {
		a.Candidates[i].Worth = r.meanOf(*a.Candidates[i].column, worth)
	}
	slices.SortStableFunc(a.Candidates, func(x, y Candidate) int {
		switch {
		case x.Worth > y.Worth:
			return -1
		case x.Worth < y.Worth:
			return 1
		}
		return 0
	})
	a.decide(r, w, worth)
	return a, nil
}

// check refuses conditions that can't be met.
func (w Wanted) check() error {
	for _, arm := range w.Arms {
		if arm == ArmOracle || arm == ArmDistractor {
			return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "advise: nobody can choose the arm %s: its passages are picked by the known answers", arm), "choose from plain, few-shot and grounded")
		}
	}
	if !(w.MaxCostUSD >= 0) || math.IsInf(w.MaxCostUSD, 0) {
		return corpus.Errorf(corpus.ErrInvalid, "advise: the most that a question may cost is a number of US dollars from 0, not %g", w.MaxCostUSD)
	}
	if !(w.Rule.Effect >= 0 && w.Rule.Effect <= 1) {
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "advise: the difference that matters is between 0 and 1, not %g", w.Rule.Effect), "such as 0.1")
	}
	return nil
}

// exclude says why a column does not meet the conditions, or "".
func (w Wanted) exclude(r Report, c Column) string {
	var card model.Card
	for _, m := range r.Header.Models {
		if m.ID == c.Model {
			card = m
		}
	}
	total, cost := c.Total.P95, c.CostPerQuestion()
	switch {
	case w.Access != "" && card.Access != w.Access:
		return "It is " + orNot(card.Access) + ", not " + w.Access + "."
	case w.License != "" && !strings.Contains(strings.ToLower(card.License), strings.ToLower(w.License)):
		return "Its license is " + orNot(card.License) + "."
	case float64(c.Answered()) < leastAnswered*float64(c.Items):
		return fmt.Sprintf("It answered %d of %d questions.", c.Answered(), c.Items)
	case c.mean(r.Metric) == nil:
		return "Its " + r.Metric + " is not known."
	case w.MaxCostUSD > 0 && cost == nil:
		return "Its price is not known."
	case w.Weights.Cost > 0 && cost == nil:
		return "Its price is not known; a weight of cost=0 leaves the cost out."
	case (w.Weights.Latency > 0 || w.MaxLatencyMS > 0) && total == nil:
		return "Its latency is not known."
	case w.MaxLatencyMS > 0 && *total > w.MaxLatencyMS:
		return fmt.Sprintf("5 of 100 answers take more than %.2f s.", *total/1000)
	case w.MaxCostUSD > 0 && *cost > w.MaxCostUSD:
		return fmt.Sprintf("A question costs $%.6f.", *cost)
	}
	return ""
}

func orNot(text string) string {
	if text == "" {
		return "not known"
	}
	return text
}

// worth weighs one answer: the metric, less cost and time as shares of the dearest and of the slowest candidate's mean.
// Where a part that counts is not known, so is the whole.
func (w Wanted) worth(r Report, candidates []Candidate) func(Scores) *float64 {
	dearest, slowest := 0.0, 0.0
	for _, c := range candidates {
		if v := c.column.CostPerQuestion(); v != nil {
			dearest = max(dearest, *v)
		}
		if v := c.column.mean(TotalMS); v != nil {
			slowest = max(slowest, *v)
		}
	}
	return func(s Scores) *float64 {
		total := 0.0
		for _, part := range []struct {
			name          string
			weight, scale float64
		}{{r.Metric, w.Weights.Quality, 1}, {CostUSD, -w.Weights.Cost, dearest}, {TotalMS, -w.Weights.Latency, slowest}} {
			if part.weight == 0 || part.scale == 0 {
				continue
			}
			v := s.get(part.name)
			if v == nil {
				return nil
			}
			total += part.weight * *v / part.scale
		}
		return &total
	}
}

// decide compares the best candidate with the others and says what came of it.
func (a *Advice) decide(r Report, w Wanted, worth func(Scores) *float64) {
	best := &a.Candidates[0]
	var samples []stat.Sample
	for _, c := range a.Candidates[1:] {
		samples = append(samples, r.samples(*best.column, *c.column, worth))
	}
	var tied []string
	for i, compared := range stat.Compare(samples, w.Rule) {
		c := &a.Candidates[i+1]
		c.Beaten = &compared
		if compared.Verdict != stat.Better {
			text := string(compared.Verdict)
			if compared.Needed != nil && *compared.Needed > compared.Questions {
				text += fmt.Sprintf("; about %d questions could tell a difference of %g", *compared.Needed, w.Rule.Effect)
			}
			tied = append(tied, fmt.Sprintf("%s %s (%s)", c.Model, c.Arm, text))
		}
	}
	figures := best.figures(r.Metric)
	switch {
	case len(a.Candidates) == 1:
		a.Chosen = best
		a.Reason = fmt.Sprintf("%s %s is the only one that meets the conditions (%s).", best.Model, best.Arm, figures)
	case len(tied) == 0:
		a.Chosen = best
		next := a.Candidates[1]
		a.Reason = fmt.Sprintf("%s %s (%s) is better by these weights than each of the others; than the next, %s %s, by %.3f (%.3f to %.3f) on %d questions.",
			best.Model, best.Arm, figures, next.Model, next.Arm, *next.Beaten.Difference, next.Beaten.Interval.Low, next.Beaten.Interval.High, next.Beaten.Questions)
	default:
		a.Reason = fmt.Sprintf("The figures can't tell %s %s (%s) by these weights from %s.", best.Model, best.Arm, figures, strings.Join(tied, ", "))
	}
}

// figures are what a candidate is weighed by, in words.
func (c Candidate) figures(metric string) string {
	parts := []string{fmt.Sprintf("%s %.3f", metric, *c.Quality)}
	switch {
	case c.CostUSD == nil:
	case *c.CostUSD == 0:
		parts = append(parts, "free")
	default:
		parts = append(parts, fmt.Sprintf("$%.6f a question", *c.CostUSD))
	}
	if c.TotalMS != nil {
		parts = append(parts, fmt.Sprintf("P95 %.2f s", *c.TotalMS/1000))
	}
	return strings.Join(parts, ", ")
}
