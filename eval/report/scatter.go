package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"grounded/eval"
	"grounded/eval/stat"
)

// choice is a column in a plane of quality against what it takes.
type choice struct {
	x, y       float64
	sure       *stat.Interval
	model, arm string
	front      bool // nothing is both better and takes less
}

// longestLabel is how wide a name beside a dot may be.
const longestLabel = 200

// wideRange is the ratio from which an axis is logarithmic.
const wideRange = 20

func costScatter(r eval.Report) figure {
	return scatter(r, "Is it worth its price?", "US dollars for 1,000 questions", thousandCost, Dollars, func(v float64) string { return "$" + plain(v) })
}

func timeScatter(r eval.Report) figure {
	return scatter(r, "Is it worth the wait?", "median seconds to the whole answer", func(c eval.Column) *float64 { return c.Total.P50 }, seconds,
		func(ms float64) string { return plain(ms / 1000) })
}

// scatter draws quality against what it takes. Nothing is drawn when it takes nothing, or when there is no choice.
func scatter(r eval.Report, title, axis string, takes func(eval.Column) *float64, text func(*float64) string, tick func(float64) string) figure {
	choices, left0 := choicesOf(r, takes)
	if len(choices) < 2 || choices[len(choices)-1].x == 0 {
		return figure{}
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, c := range choices {
		low, high = min(low, c.y), max(high, c.y)
		if c.sure != nil {
			low, high = min(low, c.sure.Low), max(high, c.sure.High)
		}
	}
	first, last := choices[0].x, choices[len(choices)-1].x
	x := newScale(0, last, 5, left, plotWidth-right)
	if first > 0 && last/first > wideRange {
		x = newLogScale(first, last, left, plotWidth-right)
		axis += " (each step is a factor)"
	}
	p := newPlot(x, newScale(low, high, 5, plotHeight-bottom, top))
	p.axes(axis, "mean "+scoreName(r.Metric), tick, plain)
	var steps [][2]float64
	for _, c := range choices {
		if c.front {
			if n := len(steps); n > 0 {
				steps = append(steps, [2]float64{c.x, steps[n-1][1]})
			}
			steps = append(steps, [2]float64{c.x, c.y})
		}
	}
	p.path("front", steps)
	labels := newLabels(p)
	for i := 1; i < len(steps); i++ {
		labels.avoid(p.x.at(steps[i-1][0]), p.y.at(steps[i-1][1]), p.x.at(steps[i][0]), p.y.at(steps[i][1]))
	}
	var words []string
	for _, c := range choices {
		if c.sure != nil {
			p.line("whisker", p.x.at(c.x), p.y.at(c.sure.Low), p.x.at(c.x), p.y.at(c.sure.High))
			labels.avoid(p.x.at(c.x), p.y.at(c.sure.Low), p.x.at(c.x), p.y.at(c.sure.High))
		}
		labels.keepFree(p.x.at(c.x), p.y.at(c.y))
	}
	for _, c := range choices {
		kind, mark := "dot unsure", ""
		if c.front {
			kind, mark = "dot better", ", on the front"
		}
		said := fmt.Sprintf("%s: %s, %.3f%s", columnName(c.model, c.arm), text(&c.x), c.y, mark)
		p.dot(kind, p.x.at(c.x), p.y.at(c.y), said)
		labels.put(p.x.at(c.x), p.y.at(c.y), fittedColumn(c.model, c.arm, longestLabel))
		words = append(words, said)
	}
	note := "Up and to the left is better. Filled dots, joined by the line, are the Pareto front: nothing here is better and takes less. Hollow ones are beaten by another. Upright lines are 95% intervals: where they overlap, the order is not sure."
	if len(left0) > 0 {
		note += " Not known, and so not drawn: " + strings.Join(left0, ", ") + "."
	}
	return figure{title, p.svg(title, words), note}
}

// choicesOf lists what one could choose, what takes least first, and names those of which it is not known what they take.
func choicesOf(r eval.Report, takes func(eval.Column) *float64) (list []choice, unknown []string) {
	for _, c := range r.Columns {
		x, y := takes(c), c.Scores[r.Metric]
		switch {
		case c.Arm == eval.ArmOracle || c.Arm == eval.ArmDistractor: // given passages are nothing that one could choose
		case x == nil || y.Mean == nil:
			unknown = append(unknown, columnName(c.Model, c.Arm))
		default:
			list = append(list, choice{x: *x, y: *y.Mean, sure: y.Interval, model: c.Model, arm: c.Arm})
		}
	}
	slices.SortStableFunc(list, func(a, b choice) int {
		switch {
		case a.x < b.x || a.x == b.x && a.y > b.y:
			return -1
		case a.x == b.x && a.y == b.y:
			return 0
		}
		return 1
	})
	best := math.Inf(-1)
	for i := range list {
		if list[i].y > best {
			best, list[i].front = list[i].y, true
		}
	}
	return list, unknown
}

// box is a place that is taken.
type box struct{ x, y, width, height float64 }

func (b box) meets(o box) bool {
	return b.x < o.x+o.width && o.x < b.x+b.width && b.y < o.y+o.height && o.y < b.y+b.height
}

// labels puts names beside dots so that none covers another, nor a line where there is room beside it.
type labels struct {
	plot  *plot
	taken []box
	lines []box
}

func newLabels(p *plot) *labels { return &labels{plot: p} }

func (l *labels) keepFree(x, y float64) { l.taken = append(l.taken, box{x - 6, y - 6, 12, 12}) }

// avoid keeps names off an upright or level line.
func (l *labels) avoid(x1, y1, x2, y2 float64) {
	l.lines = append(l.lines, box{min(x1, x2) - 1, min(y1, y2) - 1, math.Abs(x2-x1) + 2, math.Abs(y2-y1) + 2})
}

// put writes a name in the nearest free place around a dot. If none is free the name is left to the dot's title and the
// table.
func (l *labels) put(x, y float64, name string) {
	if !l.putWithin(50, x, y, name, append(slices.Clone(l.taken), l.lines...)) {
		l.putWithin(150, x, y, name, l.taken)
	}
}

// putWithin writes a name where nothing stands that is taken, with a line to the dot where that is not beside it.
func (l *labels) putWithin(farthest, x, y float64, name string, taken []box) bool {
	const height = 14
	width := textWidth(name)
	for away := 9.0; away < farthest; away += 13 {
		for _, at := range [][2]float64{{1, 0}, {-1, 0}, {.7, -.7}, {.7, .7}, {-.7, -.7}, {-.7, .7}, {0, -1}, {0, 1}} {
			b := box{x + at[0]*away, y + at[1]*away - height/2, width, height}
			switch {
			case at[0] < 0:
				b.x -= width
			case at[0] == 0:
				b.x -= width / 2
			}
			if b.x < left+2 || b.x+b.width > plotWidth-2 || b.y < 0 || b.y+b.height > l.plot.height-bottom-2 || slices.ContainsFunc(taken, b.meets) {
				continue
			}
			l.taken = append(l.taken, b)
			if away > 20 {
				l.plot.line("leader", x, y, min(max(x, b.x), b.x+b.width), b.y+height/2)
			}
			l.plot.text("label halo", "start", b.x, b.y+height-3, name)
			return true
		}
	}
	return false
}
