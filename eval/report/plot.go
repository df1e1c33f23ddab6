package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"slices"
	"strings"

	"grounded/eval"
)

// Plots are drawn as SVG in the page's own colours, so that they follow light, dark and paper.
const (
	plotWidth  = 640
	plotHeight = 300
	margin     = 46
)

// plot is one that is being drawn.
type plot struct {
	b              strings.Builder
	width, height  int
	left           int
	x0, x1, y0, y1 float64 // what the edges stand for
}

func newPlot(height, left int, x0, x1, y0, y1 float64) *plot {
	if x1 <= x0 {
		x1 = x0 + 1
	}
	if y1 <= y0 {
		y1 = y0 + 1
	}
	return &plot{width: plotWidth, height: height, left: left, x0: x0, x1: x1, y0: y0, y1: y1}
}

func (p *plot) x(v float64) float64 {
	return float64(p.left) + (v-p.x0)/(p.x1-p.x0)*float64(p.width-p.left-20)
}
func (p *plot) y(v float64) float64 {
	return float64(p.height-margin) - (v-p.y0)/(p.y1-p.y0)*float64(p.height-margin-14)
}

func (p *plot) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(&p.b, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, class, x1, y1, x2, y2)
}

func (p *plot) text(class, anchor string, x, y float64, text string) {
	fmt.Fprintf(&p.b, `<text class="%s" text-anchor="%s" x="%.1f" y="%.1f">%s</text>`, class, anchor, x, y, html.EscapeString(text))
}

func (p *plot) dot(x, y float64, title string) {
	fmt.Fprintf(&p.b, `<circle class="dot" cx="%.1f" cy="%.1f" r="5"><title>%s</title></circle>`, x, y, html.EscapeString(title))
}

func (p *plot) path(class string, points [][2]float64) {
	var d []string
	for _, at := range points {
		d = append(d, fmt.Sprintf("%.1f,%.1f", p.x(at[0]), p.y(at[1])))
	}
	fmt.Fprintf(&p.b, `<polyline class="%s" points="%s"/>`, class, strings.Join(d, " "))
}

// axes draws five ticks a side with their names.
func (p *plot) axes(x, y string, xText func(float64) string) {
	bottom := float64(p.height - margin)
	before := ""
	for i := range 5 {
		share := float64(i) / 4
		v, w := p.x0+share*(p.x1-p.x0), p.y0+share*(p.y1-p.y0)
		p.line("grid", p.x(v), 14, p.x(v), bottom)
		p.line("grid", float64(p.left), p.y(w), float64(p.width-20), p.y(w))
		if text := xText(v); text != before {
			p.text("tick", "middle", p.x(v), bottom+16, text)
			before = text
		}
		p.text("tick", "end", float64(p.left-6), p.y(w)+4, fmt.Sprintf("%.2f", w))
	}
	p.text("axis", "middle", float64(p.left+p.width-20)/2, float64(p.height-8), x)
	fmt.Fprintf(&p.b, `<text class="axis" text-anchor="middle" transform="translate(12 %.0f) rotate(-90)">%s</text>`, bottom/2+7, html.EscapeString(y))
}

func (p *plot) svg(title string) template.HTML {
	name := html.EscapeString(title)
	return template.HTML(fmt.Sprintf(`<figure><figcaption>%s</figcaption><svg viewBox="0 0 %d %d" role="img" aria-label="%s">%s</svg></figure>`,
		name, p.width, p.height, name, p.b.String()))
}

func plots(r eval.Report) (list []template.HTML) {
	for _, p := range []template.HTML{
		forest(r),
		scatter(r, "Quality against cost, with the Pareto front", "US dollars a question", eval.Column.CostPerQuestion,
			func(v float64) string { return fmt.Sprintf("%.3g", v) }),
		scatter(r, "Quality against latency, with the Pareto front", "median seconds to the whole answer", func(c eval.Column) *float64 { return c.Total.P50 },
			func(v float64) string { return fmt.Sprintf("%.2f", v/1000) }),
		evidenceCurve(r),
	} {
		if p != "" {
			list = append(list, p)
		}
	}
	for _, c := range r.Columns {
		if p := riskPlot(c); p != "" {
			list = append(list, p)
		}
	}
	return list
}

// forest draws each comparison's difference with its interval around 0.
func forest(r eval.Report) template.HTML {
	low, high := -.1, .1
	var drawn []eval.Comparison
	for _, c := range r.Comparisons {
		if c.Difference != nil && c.Interval != nil {
			drawn = append(drawn, c)
			low, high = min(low, c.Interval.Low), max(high, c.Interval.High)
		}
	}
	if len(drawn) == 0 {
		return ""
	}
	pad := (high - low) * .05
	p := newPlot(margin+26*len(drawn)+14, 250, low-pad, high+pad, 0, 1)
	for i, c := range drawn {
		y := float64(22 + 26*i)
		p.text("tick", "end", float64(p.left-8), y-1, c.Model+" "+c.Arm)
		p.text("faint", "end", float64(p.left-8), y+9, "with "+c.Than+" "+c.Beside)
		p.line("bar", p.x(c.Interval.Low), y, p.x(c.Interval.High), y)
		p.dot(p.x(*c.Difference), y, fmt.Sprintf("%+.3f (%+.3f to %+.3f): %s", *c.Difference, c.Interval.Low, c.Interval.High, c.Verdict))
	}
	bottom := float64(p.height - margin)
	p.line("zero", p.x(0), 8, p.x(0), bottom)
	for i := range 5 {
		v := p.x0 + float64(i)/4*(p.x1-p.x0)
		p.text("tick", "middle", p.x(v), bottom+16, fmt.Sprintf("%+.2f", v))
	}
	return p.svg("Differences of " + r.Metric + " on the same questions, with 95% intervals")
}

// scatter draws quality against what it takes; the front joins what nothing is better and cheaper than.
func scatter(r eval.Report, title, axis string, takes func(eval.Column) *float64, text func(float64) string) template.HTML {
	type point struct {
		x, y float64
		name string
	}
	var points []point
	top := 0.0
	for _, c := range r.Columns {
		x, y := takes(c), c.Scores[r.Metric].Mean
		// What is given the right or wrong passages is nothing that one could choose.
		if x == nil || y == nil || c.Arm == eval.ArmOracle || c.Arm == eval.ArmDistractor {
			continue
		}
		points = append(points, point{*x, *y, c.Model + " " + c.Arm})
		top = max(top, *x)
	}
	if len(points) < 2 || top == 0 {
		return ""
	}
	p := newPlot(plotHeight, 60, 0, top*1.1, 0, 1)
	p.axes(axis, r.Metric, text)
	slices.SortFunc(points, func(a, b point) int {
		switch {
		case a.x < b.x || a.x == b.x && a.y > b.y:
			return -1
		}
		return 1
	})
	var front [][2]float64
	best := math.Inf(-1)
	for _, at := range points {
		if at.y > best {
			best = at.y
			front = append(front, [2]float64{at.x, at.y})
		}
	}
	p.path("front", front)
	for _, at := range points {
		p.dot(p.x(at.x), p.y(at.y), fmt.Sprintf("%s: %s %.3f", at.name, text(at.x), at.y))
		anchor := "start"
		shift := 8.0
		if p.x(at.x) > float64(p.width)*.6 {
			anchor, shift = "end", -8
		}
		p.text("tick", anchor, p.x(at.x)+shift, p.y(at.y)-8, at.name)
	}
	return p.svg(title)
}

// evidenceCurve draws, for each grounded column, the share of questions whose evidence is among the first k passages that
// the answer was made from.
func evidenceCurve(r eval.Report) template.HTML {
	longest, curves := 0, map[string][]float64{}
	for _, c := range r.Columns {
		if c.Arm != "grounded" {
			continue
		}
		if curve := evidenceAt(r, c); len(curve) > 0 {
			curves[c.Model] = curve
			longest = max(longest, len(curve))
		}
	}
	if len(curves) == 0 {
		return ""
	}
	p := newPlot(plotHeight, 60, 1, float64(longest), 0, 1)
	p.axes("passages", "questions with evidence", func(v float64) string { return fmt.Sprintf("%.0f", v) })
	for _, c := range r.Columns {
		curve := curves[c.Model]
		if c.Arm != "grounded" || curve == nil {
			continue
		}
		var points [][2]float64
		for i, v := range curve {
			points = append(points, [2]float64{float64(i + 1), v})
		}
		p.path("curve", points)
		p.text("tick", "end", p.x(float64(len(curve))), p.y(curve[len(curve)-1])-6, c.Model)
	}
	return p.svg("Retrieval: evidence among the first passages of grounded answers")
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
	curve, sum := make([]float64, len(found)), 0
	for i, n := range found {
		sum += n
		curve[i] = float64(sum) / float64(questions)
	}
	return curve
}

// riskPlot draws how often a grounded answer is wrong against how many questions are answered, when those with the
// lowest dense scores are declined.
func riskPlot(c eval.Column) template.HTML {
	calibration := eval.Calibrate(c)
	if len(calibration.Curve) < 10 {
		return ""
	}
	p := newPlot(plotHeight, 60, 0, 1, 0, 1)
	p.axes("coverage: share of the questions that is answered", "risk: share of those that is wrong", func(v float64) string { return fmt.Sprintf("%.2f", v) })
	var points [][2]float64
	for _, at := range calibration.Curve {
		points = append(points, [2]float64{at.Coverage, at.Risk})
	}
	p.path("curve", points)
	return p.svg("Abstention of " + c.Model + ": risk against coverage. " + calibration.Advice)
}
