package report

import (
	"fmt"
	"math"

	"grounded/eval"
	"grounded/eval/stat"
)

// forest draws each comparison's difference with its interval around 0.
func forest(r eval.Report) figure {
	low, high := -.02, .02
	var drawn []eval.Comparison
	for _, c := range r.Comparisons {
		if c.Difference != nil && c.Interval != nil {
			drawn = append(drawn, c)
			low, high = min(low, c.Interval.Low), max(high, c.Interval.High)
		}
	}
	if len(drawn) == 0 {
		return figure{}
	}
	const row, inset = 38, 14
	p := newPlot(newScale(low, high, 5, inset+6, plotWidth-inset-6), scale{})
	p.height = float64(row*len(drawn) + bottom + 6)
	floor := p.height - bottom
	for _, v := range p.x.ticks {
		p.line("grid", p.x.at(v), 4, p.x.at(v), floor)
		text := fmt.Sprintf("%+.3g", v)
		if v > -1e-9 && v < 1e-9 {
			text = "0"
		}
		p.text("tick", "middle", p.x.at(v), floor+15, text)
	}
	p.line("zero", p.x.at(0), 4, p.x.at(0), floor)
	var words []string
	for i, c := range drawn {
		y := float64(row*i) + 16
		verdict := sign(c.Verdict) + " " + string(c.Verdict)
		room := plotWidth - 2*inset - textWidth(verdict) - 10
		p.text("label halo", "start", inset, y, pair(c, room))
		p.text("label halo "+class(c.Verdict), "end", plotWidth-inset, y, verdict)
		p.line("bar "+class(c.Verdict), p.x.at(c.Interval.Low), y+11, p.x.at(c.Interval.High), y+11)
		said := fmt.Sprintf("%s: %s (%s), %s", pair(c, math.Inf(1)), signed(c.Difference), interval(c.Interval), c.Verdict)
		p.dot("dot "+class(c.Verdict), p.x.at(*c.Difference), y+11, said)
		words = append(words, said)
	}
	p.text("axis", "middle", plotWidth/2, p.height-8, "← worse · difference of "+scoreName(r.Metric)+" · better →")
	title := "How sure are the differences?"
	return figure{title, p.svg(title, words), "Each dot is a mean difference on the same questions, each bar its 95% interval. A bar that crosses 0 can be chance; so can one beside many others, which the verdict allows for."}
}

// pair names what is compared in so much room, shortly where only the model or only the arm is another.
func pair(c eval.Comparison, room float64) string {
	const with = " with "
	switch {
	case c.Model == c.Than:
		arms := ": " + c.Arm + with + c.Beside
		return shortened(c.Model, room-textWidth(arms)) + arms
	case c.Arm == c.Beside:
		one, other := shared(c.Model, c.Than, room-textWidth(c.Arm+": "+with))
		return c.Arm + ": " + one + with + other
	}
	one, other := shared(c.Model, c.Than, room-textWidth(columnName("", c.Arm)+with+columnName("", c.Beside)))
	return columnName(one, c.Arm) + with + columnName(other, c.Beside)
}

// shared fits two names into a room: what a short one leaves, a long one gets.
func shared(a, b string, room float64) (string, string) {
	half := room / 2
	a = shortened(a, max(half, room-textWidth(b)))
	return a, shortened(b, room-textWidth(a))
}

// class colours a verdict.
func class(v stat.Verdict) string {
	switch v {
	case stat.Better:
		return "better"
	case stat.Worse:
		return "worse"
	}
	return "unsure"
}
