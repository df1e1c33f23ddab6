package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"

	"grounded/eval"
)

// Plots are drawn as SVG in the page's own colours, so that they follow light, dark and paper. They are narrow, so that
// their text can still be read on a phone.
const (
	plotWidth  = 480
	plotHeight = 300
	left       = 52 // of what is drawn, in the units of plotWidth
	right      = 16
	top        = 12
	bottom     = 44
	letter     = 6.6 // width of a narrow letter
)

// figure is a plot with what is said beneath it.
type figure struct {
	Title string
	SVG   template.HTML
	Note  string
}

// scale maps values to a length.
type scale struct {
	low, high float64 // values at the ends
	from, to  float64 // where the ends are
	log       bool
	ticks     []float64
}

func (s scale) at(v float64) float64 {
	low, high := s.low, s.high
	if s.log {
		v, low, high = math.Log(v), math.Log(low), math.Log(high)
	}
	return s.from + (v-low)/(high-low)*(s.to-s.from)
}

// newScale widens a range to round numbers, about so many steps of them.
func newScale(low, high float64, steps int, from, to float64) scale {
	if high <= low {
		high = low + 1e-9
	}
	step := roundUp((high - low) / float64(steps))
	s := scale{low: math.Floor(low/step+1e-9) * step, from: from, to: to}
	for i := 0; ; i++ {
		s.high = s.low + float64(i)*step
		s.ticks = append(s.ticks, s.high)
		if i > 0 && s.high >= high-step*1e-9 {
			return s
		}
	}
}

// roundUp is the next 1, 2 or 5 of a power of ten.
func roundUp(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if v <= m*power*(1+1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// newLogScale covers powers of ten, with 2 and 5 between them where they are few.
func newLogScale(low, high, from, to float64) scale {
	s := scale{low: low / 1.5, high: high * 1.5, from: from, to: to, log: true}
	steps := []float64{1, 2, 5}
	if high/low > 1000 {
		steps = steps[:1]
	}
	for power := math.Pow(10, math.Floor(math.Log10(s.low))); power <= s.high; power *= 10 {
		for _, m := range steps {
			if v := m * power; v >= s.low && v <= s.high {
				s.ticks = append(s.ticks, v)
			}
		}
	}
	return s
}

// plot is one that is being drawn.
type plot struct {
	b      strings.Builder
	height float64
	above  float64 // room over it for the names of curves
	x, y   scale
}

func newPlot(x, y scale) *plot { return &plot{height: plotHeight, x: x, y: y} }

func (p *plot) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(&p.b, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, class, x1, y1, x2, y2)
}

func (p *plot) text(class, anchor string, x, y float64, text string) {
	fmt.Fprintf(&p.b, `<text class="%s" text-anchor="%s" x="%.1f" y="%.1f">%s</text>`, class, anchor, x, y, html.EscapeString(text))
}

func (p *plot) dot(class string, x, y float64, title string) {
	fmt.Fprintf(&p.b, `<circle class="%s" cx="%.1f" cy="%.1f" r="5"><title>%s</title></circle>`, class, x, y, html.EscapeString(title))
}

func (p *plot) path(class string, points [][2]float64) {
	var d []string
	for _, at := range points {
		d = append(d, fmt.Sprintf("%.1f,%.1f", p.x.at(at[0]), p.y.at(at[1])))
	}
	fmt.Fprintf(&p.b, `<polyline class="%s" points="%s"/>`, class, strings.Join(d, " "))
}

// axes draws the ticks of both sides with their names.
func (p *plot) axes(x, y string, xText, yText func(float64) string) {
	floor := p.height - bottom
	for _, v := range p.x.ticks {
		p.line("grid", p.x.at(v), top, p.x.at(v), floor)
		p.text("tick", "middle", p.x.at(v), floor+15, xText(v))
	}
	for _, w := range p.y.ticks {
		p.line("grid", left, p.y.at(w), plotWidth-right, p.y.at(w))
		p.text("tick", "end", left-5, p.y.at(w)+4, yText(w))
	}
	p.text("axis", "middle", (left+plotWidth-right)/2, p.height-8, x)
	fmt.Fprintf(&p.b, `<text class="axis" text-anchor="middle" transform="translate(11 %.0f) rotate(-90)">%s</text>`, (top+floor)/2, html.EscapeString(y))
}

// svg ends the plot. What it says in words is for those who can't see it.
func (p *plot) svg(title string, words []string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 %.0f %d %.0f" role="img" aria-label="%s">%s</svg>`,
		-p.above, plotWidth, p.height+p.above, html.EscapeString(title+". "+strings.Join(words, "; ")+"."), p.b.String()))
}

// fitted cuts a text to a width.
func fitted(text string, width float64) string {
	return runewidth.Truncate(strings.Join(strings.Fields(text), " "), int(width/letter), "…")
}

// fittedColumn names a column in so much room: it is the model's name that gets shorter.
func fittedColumn(model, arm string, width float64) string {
	return columnName(shortened(model, width-textWidth(columnName("", arm))), arm)
}

// shortened cuts a name to a width in its middle: versions stand at the end of it.
func shortened(name string, width float64) string {
	name = strings.Join(strings.Fields(name), " ")
	whole := runewidth.StringWidth(name)
	if float64(whole)*letter <= width {
		return name
	}
	room := max(4, int(width/letter)) - 1
	return runewidth.Truncate(name, (room+1)/2, "") + "…" + runewidth.TruncateLeft(name, whole-room/2, "")
}

func textWidth(text string) float64 { return float64(runewidth.StringWidth(text)) * letter }

func asPercent(v float64) string { return fmt.Sprintf("%.0f%%", 100*v) }

// plain shows a tick without zeros that say nothing.
func plain(v float64) string {
	if math.Abs(v) < 1e-12 {
		return "0"
	}
	text := significant(v, 12)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

func figures(r eval.Report) (list []figure) {
	list = append(list, forest(r), costScatter(r), timeScatter(r), evidenceCurves(r), riskCurves(r))
	return slices.DeleteFunc(list, func(f figure) bool { return f.Title == "" })
}
