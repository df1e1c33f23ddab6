package pdftext

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/ledongthuc/pdf"
)

// matrix is {a, b, c, d, e, f} of ISO 32000-1, 8.3.3.
type matrix [6]float64

var identity = matrix{1, 0, 0, 1, 0, 0}

// times returns the transformation that does m first and then n.
func (m matrix) times(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3],
		m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

// graphics is the part of the graphics state that text depends on.
type graphics struct {
	ctm               matrix
	font              *font
	size              float64
	charSpace, spaces float64 // Tc, Tw
	stretch           float64 // Tz as a factor
	leading, rise     float64
}

// interpreter runs content streams and collects what they draw.
type interpreter struct {
	file      *File
	out       *Drawing
	state     graphics
	stack     []graphics
	text      matrix // Tm
	line      matrix // Tlm
	marks     []markedContent
	active    map[string]bool // form XObjects that are being drawn
	forms     int
	area      float64 // of the page, in square points
	resources pdf.Value
	fonts     map[string]*font // of resources, by name
}

// markedContent is an open BMC or BDC.
type markedContent struct {
	artifact bool
	actual   string // replaces the text inside
	replaces bool
	used     bool
}

const (
	maxForms  = 2000
	maxGlyphs = 2_000_000
	maxDepth  = 12
)

// Page draws the page with this number, from 0. It never fails: see Drawing.Failed.
func (f *File) Page(i int) Drawing {
	entry := f.pages[i]
	in := &interpreter{file: f, out: &Drawing{}, active: map[string]bool{}, area: entry.area}
	in.state = graphics{ctm: rotation(entry.rotate), stretch: 1}
	content, ok := pageContent(entry.value)
	in.out.Failed = !ok
	in.run(content, entry.resources, 0)
	return *in.out
}

func rotation(degrees int) matrix {
	switch degrees {
	case 90:
		return matrix{0, -1, 1, 0, 0, 0}
	case 180:
		return matrix{-1, 0, 0, -1, 0, 0}
	case 270:
		return matrix{0, 1, -1, 0, 0, 0}
	}
	return identity
}

// pageContent returns the page's content streams as one.
func pageContent(page pdf.Value) (data []byte, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	contents := page.Key("Contents")
	switch contents.Kind() {
	case pdf.Null:
		return nil, true
	case pdf.Array:
		ok = true
		for i := range contents.Len() {
			part, fine := stream(contents.Index(i))
			data, ok = append(append(data, part...), '\n'), ok && fine
		}
		return data, ok
	}
	return stream(contents)
}

// run interprets a content stream. What the library panics on ends only that stream.
func (in *interpreter) run(content []byte, resources pdf.Value, depth int) {
	defer func() {
		if recover() != nil {
			in.out.Failed = true
		}
	}()
	in.resources, in.fonts = resources, map[string]*font{}
	s := scanner{data: content}
	var operands []operand
	for len(in.out.Glyphs) < maxGlyphs {
		var operator string
		operands, operator = s.next(operands)
		if operator == "" {
			return
		}
		in.do(operator, operands, depth)
	}
}

// do executes one operator; operands that it lacks count as 0.
func (in *interpreter) do(operator string, args []operand, depth int) {
	g := &in.state
	num := func(i int) float64 {
		if i < len(args) {
			return args[i].number
		}
		return 0
	}
	name := func() string {
		if len(args) > 0 {
			return string(args[0].text)
		}
		return ""
	}
	switch operator {
	case "q":
		if len(in.stack) < 1000 {
			in.stack = append(in.stack, *g)
		}
	case "Q":
		if n := len(in.stack); n > 0 {
			*g, in.stack = in.stack[n-1], in.stack[:n-1]
		}
	case "cm":
		g.ctm = matrix{num(0), num(1), num(2), num(3), num(4), num(5)}.times(g.ctm)
	case "BT":
		in.text, in.line = identity, identity
	case "Tf":
		g.font, g.size = in.font(name()), num(1)
	case "Tc":
		g.charSpace = num(0)
	case "Tw":
		g.spaces = num(0)
	case "Tz":
		g.stretch = num(0) / 100
	case "TL":
		g.leading = num(0)
	case "Ts":
		g.rise = num(0)
	case "Td":
		in.move(num(0), num(1))
	case "TD":
		g.leading = -num(1)
		in.move(num(0), num(1))
	case "Tm":
		in.line = matrix{num(0), num(1), num(2), num(3), num(4), num(5)}
		in.text = in.line
	case "T*":
		in.move(0, -g.leading)
	case "Tj", "TJ":
		in.show(args)
	case "'":
		in.move(0, -g.leading)
		in.show(args)
	case "\"":
		g.spaces, g.charSpace = num(0), num(1)
		in.move(0, -g.leading)
		in.show(args[min(2, len(args)):])
	case "BMC", "BDC":
		in.beginMarked(args)
	case "EMC":
		if n := len(in.marks); n > 0 {
			in.marks = in.marks[:n-1]
		}
	case "f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "sh":
		in.out.Paths++
	case "BI":
		in.image()
	case "Do":
		in.object(name(), depth)
	}
}

func (in *interpreter) move(x, y float64) {
	in.line = matrix{1, 0, 0, 1, x, y}.times(in.line)
	in.text = in.line
}

// font returns the font of the current resources with this name. Fonts are read once for a file: pages name
// equal dictionaries, whose description includes the numbers of the objects they consist of.
func (in *interpreter) font(name string) *font {
	if f, ok := in.fonts[name]; ok {
		return f
	}
	v := in.resources.Key("Font").Key(name)
	key := v.String()
	f, ok := in.file.fonts[key]
	if !ok {
		f = readFont(v)
		in.file.fonts[key] = f
	}
	in.fonts[name] = f
	return f
}

// show draws strings, and moves by the numbers between them.
func (in *interpreter) show(args []operand) {
	g := &in.state
	if g.font == nil {
		return
	}
	for _, a := range args {
		switch a.kind {
		case opString:
			g.font.decode(a.text, in.glyph)
		case opNumber:
			in.advance(-a.number / 1000 * g.size)
		}
	}
}

// advance moves the pen along the direction of writing, in text space before horizontal scaling.
func (in *interpreter) advance(by float64) {
	if in.state.font.vertical {
		in.text = matrix{1, 0, 0, 1, 0, by}.times(in.text)
		return
	}
	in.text = matrix{1, 0, 0, 1, by * in.state.stretch, 0}.times(in.text)
}

// glyph draws one glyph, whose width is in ems, and moves on.
func (in *interpreter) glyph(text string, width float64, wordSpace bool) {
	g := &in.state
	trm := matrix{g.size * g.stretch, 0, 0, g.size, 0, g.rise}.times(in.text).times(g.ctm)
	step := width*g.size + g.charSpace
	if wordSpace {
		step += g.spaces
	}
	across, along := math.Hypot(trm[2], trm[3]), math.Hypot(trm[0], trm[1])
	out := Glyph{Text: text, X: trm[4], Y: trm[5], Size: across, Bold: g.font.bold}
	if g.size != 0 {
		out.Advance = step / math.Abs(g.size) * along
	}
	out.Dir = direction(trm[0], trm[1])
	if g.font.vertical {
		// The origin of an upright glyph is above its middle; a column counts by its middle.
		step = -(g.size + g.charSpace)
		out.Dir, out.Advance = Vertical, along
	}
	in.advance(step)
	if in.replaced(&out) {
		return
	}
	if text == "\ufffd" {
		in.out.Undecoded++
		out.Text = ""
	}
	in.out.Glyphs = append(in.out.Glyphs, out)
}

func direction(a, b float64) Direction {
	switch {
	case math.Abs(a) >= math.Abs(b) && a >= 0:
		return Right
	case math.Abs(a) >= math.Abs(b):
		return Left
	case b > 0:
		return Up
	}
	return Down
}

// replaced applies the marked content around the glyph: it reports whether the glyph is replaced by a text that
// an earlier one carries.
func (in *interpreter) replaced(g *Glyph) bool {
	for i := range in.marks {
		m := &in.marks[i]
		if m.artifact {
			g.Mark = Artifact
		}
		if !m.replaces {
			continue
		}
		if m.used {
			return true
		}
		m.used = true
		g.Text = m.actual
	}
	return false
}

func (in *interpreter) beginMarked(args []operand) {
	var m markedContent
	if len(args) > 0 && string(args[0].text) == "Artifact" {
		for _, a := range args[1:] {
			switch string(a.text) {
			case "Pagination", "Header", "Footer":
				m.artifact = true
			}
		}
	}
	for i, a := range args {
		if a.kind == opName && string(a.text) == "ActualText" && i+1 < len(args) && args[i+1].kind == opString {
			m.actual, m.replaces = textString(args[i+1].text), true
		}
	}
	if len(in.marks) < 1000 {
		in.marks = append(in.marks, m)
	}
}

// textString decodes a text string (ISO 32000-1, 7.9.2.2).
func textString(s []byte) string {
	switch {
	case len(s) >= 2 && s[0] == 0xfe && s[1] == 0xff:
		return utf16Text(s[2:])
	case utf8.Valid(s):
		return strings.TrimPrefix(string(s), "\ufeff")
	}
	runes := make([]rune, len(s))
	for i, c := range s {
		runes[i] = rune(c)
	}
	return string(runes)
}

// object draws an external object: it counts an image, and runs a form once at a time.
func (in *interpreter) object(name string, depth int) {
	v := in.resources.Key("XObject").Key(name)
	switch v.Key("Subtype").Name() {
	case "Image":
		in.image()
		return
	case "Form":
	default:
		return
	}
	id := v.String()
	if in.forms++; in.forms > maxForms || depth >= maxDepth || in.active[id] {
		return
	}
	content, ok := stream(v)
	if !ok {
		in.out.Failed = true
		return
	}
	in.active[id] = true
	outer := *in
	in.state.ctm = formMatrix(v).times(in.state.ctm)
	resources := v.Key("Resources")
	if resources.IsNull() {
		resources = in.resources
	}
	in.stack, in.marks = nil, append([]markedContent(nil), in.marks...)
	in.run(content, resources, depth+1)
	in.state, in.stack, in.text, in.line = outer.state, outer.stack, outer.text, outer.line
	in.marks, in.resources, in.fonts = outer.marks, outer.resources, outer.fonts
	delete(in.active, id)
}

// image notes a picture, which fills the unit square.
func (in *interpreter) image() {
	in.out.Images++
	m := in.state.ctm
	in.out.Covered = math.Max(in.out.Covered, math.Abs(m[0]*m[3]-m[1]*m[2])/in.area)
}

func formMatrix(v pdf.Value) matrix {
	list := v.Key("Matrix")
	if list.Len() != 6 {
		return identity
	}
	var m matrix
	for i := range m {
		m[i] = list.Index(i).Float64()
	}
	return m
}
