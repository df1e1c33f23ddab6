package report

import (
	"fmt"
	"slices"
	"strings"

	"grounded/answer"
	"grounded/eval"
)

// curve is a line with the columns that have it.
type curve struct {
	names  []string
	points [][2]float64
}

// together puts equal curves into one: models that were given the same passages have the same.
func together(list []curve, name string, points [][2]float64) []curve {
	for i := range list {
		if slices.Equal(list[i].points, points) {
			list[i].names = append(list[i].names, name)
			return list
		}
	}
	return append(list, curve{[]string{name}, points})
}

// curves draws them, each with its dashes and its name in a line above the plot.
func (p *plot) curves(list []curve) {
	p.above = float64(14*len(list) + 4)
	for i, c := range list {
		kind := fmt.Sprintf("curve c%d", i%6)
		p.path(kind, c.points)
		y := float64(-14*(len(list)-i)) + 6
		p.line(kind, left, y, left+28, y)
		p.text("label", "start", left+34, y+4, fitted(strings.Join(c.names, ", "), plotWidth-right-left-34))
	}
}

// evidenceCurves draws the share of questions whose evidence is among the first k passages that grounded answers were
// made from.
func evidenceCurves(r eval.Report) figure {
	var list []curve
	longest := 0
	for _, c := range r.Columns {
		if c.Arm != answer.ArmGrounded {
			continue
		}
		var points [][2]float64
		for i, v := range evidenceAt(r, c) {
			points = append(points, [2]float64{float64(i + 1), v})
		}
		if len(points) > 0 {
			list = together(list, c.Model, points)
			longest = max(longest, len(points))
		}
	}
	if len(list) == 0 {
		return figure{}
	}
	x := scale{low: 1, high: max(2, float64(longest)), from: left + 8, to: plotWidth - right}
	for k := 1; k <= longest; k += 1 + longest/12 {
		x.ticks = append(x.ticks, float64(k))
	}
	p := newPlot(x, newScale(0, 1, 5, plotHeight-bottom, top))
	p.axes("first passages", "questions with evidence", plain, asPercent)
	var words []string
	for _, c := range list {
		for _, at := range c.points {
			p.dot("small", p.x.at(at[0]), p.y.at(at[1]), fmt.Sprintf("%s: among the first %.0f for %.0f%%", strings.Join(c.names, ", "), at[0], 100*at[1]))
		}
		last := c.points[len(c.points)-1]
		words = append(words, fmt.Sprintf("%s: the first passage is evidence for %.0f%% of the questions, one of %.0f is for %.0f%%", strings.Join(c.names, ", "), 100*c.points[0][1], last[0], 100*last[1]))
	}
	p.curves(list)
	title := "Was the evidence found?"
	return figure{title, p.svg(title, words), "Share of the questions with evidence where a passage of it is among the first so many that the answer was made from. Where the line is flat, more passages add nothing."}
}

func evidenceAt(r eval.Report, c eval.Column) []float64 {
	var found []int
	questions := 0
	for _, q := range r.Questions() {
		item, _, ok := c.Item(q.ID)
		if !ok || item.Answer == nil || len(q.Evidence) == 0 {
			continue
		}
		questions++
		for i, passage := range item.Answer.Passages {
			if len(found) <= i {
				found = append(found, 0)
			}
			if eval.HasEvidence(passage, q) {
				found[i]++
				break
			}
		}
	}
	shares, sum := make([]float64, len(found)), 0
	for i, n := range found {
		sum += n
		shares[i] = float64(sum) / float64(questions)
	}
	return shares
}

// fewForRisk is how many points a curve of risk must have to say anything.
const fewForRisk = 10

// riskCurves draw how often grounded answers are wrong against how many questions are answered, when those with the
// lowest dense scores are declined.
func riskCurves(r eval.Report) figure {
	var list []curve
	var words []string
	p := newPlot(newScale(0, 1, 5, left, plotWidth-right), newScale(0, 1, 5, plotHeight-bottom, top))
	p.axes("answered questions", "wrong among the answered", asPercent, asPercent)
	for _, k := range r.Calibration {
		if len(k.Curve) < fewForRisk {
			continue
		}
		var points [][2]float64
		for _, at := range k.Curve {
			points = append(points, [2]float64{at.Coverage, at.Risk})
		}
		list = together(list, k.Model, points)
		words = append(words, k.Model+": "+strings.TrimSuffix(k.Advice, "."))
		if k.At != nil {
			x, y := p.x.at(k.At.Coverage), p.y.at(k.At.Risk)
			p.line("zero", x, top, x, plotHeight-bottom)
			p.dot("dot better", x, y, fmt.Sprintf("%s, abstain_below: %.3f: %.0f%% answered, %.0f%% of these wrong", k.Model, *k.Below, 100*k.At.Coverage, 100*k.At.Risk))
		}
	}
	if len(list) == 0 {
		return figure{}
	}
	p.curves(list)
	title := "When should it decline?"
	return figure{title, p.svg(title, words), "The questions whose best passage scores lowest are declined first: all are answered at the right, few at the left. A line that falls to the left is worth a threshold; the dot is the recommended one."}
}
