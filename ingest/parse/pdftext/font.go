package pdftext

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ledongthuc/pdf"
	"golang.org/x/text/encoding/charmap"
)

// font tells the text and the width of the codes in strings.
type font struct {
	composite bool
	vertical  bool
	bold      bool
	space     []codeRange // of a composite font
	encoding  *cmap       // of a composite font with an embedded one; nil: codes are glyph numbers
	widths    map[uint32]float64
	width     float64 // of codes that are not in widths
	toUnicode *cmap
	known     *predefined  // of a composite font whose codes are those of a character encoding
	japan1    bool         // codes are glyph numbers of Adobe-Japan1
	table     *[256]string // of a simple font, where toUnicode has nothing
	// scale is the width of a unit of widths in ems: 1/1000, or that of a Type 3 font's matrix.
	scale float64
}

// readFont reads a font dictionary. It does not fail: what is missing shows as undecoded glyphs.
func readFont(v pdf.Value) *font {
	f := &font{widths: map[uint32]float64{}, width: 500, scale: 0.001}
	name := v.Key("BaseFont").Name()
	f.bold = isBold(name, v)
	if data, ok := stream(v.Key("ToUnicode")); ok {
		f.toUnicode = readCMap(data)
	}
	if v.Key("Subtype").Name() == "Type0" {
		f.readComposite(v)
		return f
	}
	f.readSimple(v, name)
	return f
}

func isBold(name string, v pdf.Value) bool {
	descriptor := v.Key("FontDescriptor")
	if descriptor.IsNull() {
		descriptor = v.Key("DescendantFonts").Index(0).Key("FontDescriptor")
	}
	name = strings.ToLower(name)
	return strings.Contains(name, "bold") || strings.Contains(name, "black") || strings.Contains(name, "heavy") ||
		strings.Contains(name, "cmbx") || descriptor.Key("FontWeight").Float64() >= 600 || descriptor.Key("Flags").Int64()&(1<<18) != 0
}

func (f *font) readComposite(v pdf.Value) {
	f.composite, f.width = true, 1000
	encoding := v.Key("Encoding")
	name := encoding.Name()
	if data, ok := stream(encoding); ok {
		f.encoding = readCMap(data)
		f.space = f.encoding.space
		f.vertical = encoding.Key("WMode").Int64() == 1
	}
	f.vertical = f.vertical || strings.HasSuffix(name, "-V") || name == "V"
	descendant := v.Key("DescendantFonts").Index(0)
	if f.known = predefinedCMap(name); f.known != nil {
		f.space = f.known.space
		return // widths are those of glyph numbers, which only the CMap tells; the default is right for most
	}
	f.japan1 = f.encoding == nil && descendant.Key("CIDSystemInfo").Key("Ordering").RawString() == "Japan1"
	if w := descendant.Key("DW"); !w.IsNull() {
		f.width = w.Float64()
	}
	list := descendant.Key("W")
	for i := 0; i+1 < list.Len() && len(f.widths) < maxMapped; {
		first, second := list.Index(i), list.Index(i+1)
		if second.Kind() == pdf.Array {
			for j := range second.Len() {
				f.widths[uint32(first.Int64())+uint32(j)] = second.Index(j).Float64()
			}
			i += 2
			continue
		}
		w := list.Index(i + 2).Float64()
		for cid := first.Int64(); cid <= second.Int64() && len(f.widths) < maxMapped; cid++ {
			f.widths[uint32(cid)] = w
		}
		i += 3
	}
}

func (f *font) readSimple(v pdf.Value, name string) {
	if strings.Contains(name, "Courier") {
		f.width = 600
	}
	if w := v.Key("FontDescriptor").Key("MissingWidth"); w.Float64() > 0 {
		f.width = w.Float64()
	}
	if v.Key("Subtype").Name() == "Type3" {
		if a := v.Key("FontMatrix").Index(0).Float64(); a > 0 {
			f.scale = a
		}
	}
	first, list := v.Key("FirstChar").Int64(), v.Key("Widths")
	for i := range min(list.Len(), 256) {
		f.widths[uint32(first)+uint32(i)] = list.Index(i).Float64()
	}
	f.table = simpleTable(v, name)
}

// simpleTable returns the text of each code by the font's encoding and the names of its glyphs.
func simpleTable(v pdf.Value, name string) *[256]string {
	var table [256]string
	encoding := v.Key("Encoding")
	base := encoding.Name()
	if base == "" {
		base = encoding.Key("BaseEncoding").Name()
	}
	symbolic := v.Key("FontDescriptor").Key("Flags").Int64()&4 != 0
	switch {
	case strings.Contains(name, "ZapfDingbats") || strings.Contains(name, "Wingdings") || strings.Contains(name, "Symbol"):
		for i := range table { // their letters are pictures; a dot is what matters among them
			table[i] = "•"
		}
		table[' '] = " "
	case base == "MacRomanEncoding":
		fill(&table, charmap.Macintosh)
	case base == "WinAnsiEncoding" || base == "" && !symbolic:
		fill(&table, charmap.Windows1252)
	case base == "" && encoding.Kind() != pdf.Dict && v.Key("Subtype").Name() == "Type3":
		// codes of pictures
	default:
		fill(&table, charmap.Windows1252)
	}
	if base == "" {
		builtIn(v, &table)
	}
	differences := encoding.Key("Differences")
	if differences.Len() == 0 {
		return &table
	}
	names := (&pdf.Font{V: v}).Encoder()
	code := 0
	for i := range differences.Len() {
		d := differences.Index(i)
		if d.Kind() == pdf.Integer {
			code = int(d.Int64())
			continue
		}
		if code >= 0 && code < 256 {
			table[code] = glyphText(d.Name(), byte(code), names)
		}
		code++
	}
	return &table
}

// builtInEntry is a line of the encoding that a Type 1 font program begins with.
var builtInEntry = regexp.MustCompile(`dup\s+(\d{1,3})\s*/(\S+)\s+put`)

// builtIn fills in the codes that the embedded Type 1 font program itself gives names that tell.
func builtIn(v pdf.Value, table *[256]string) {
	program, ok := stream(v.Key("FontDescriptor").Key("FontFile"))
	if !ok {
		return
	}
	for _, m := range builtInEntry.FindAllSubmatch(program[:min(len(program), 1<<15)], 256) {
		code, _ := strconv.Atoi(string(m[1]))
		if text := glyphText(string(m[2]), 0, noNames{}); text != "" && code < 256 {
			table[code] = text
		}
	}
}

// noNames knows no names of glyphs.
type noNames struct{}

func (noNames) Decode(string) string { return "" }

func fill(table *[256]string, m *charmap.Charmap) {
	for i := range table {
		if r := m.DecodeByte(byte(i)); r != utf8.RuneError && (r >= ' ' || r == '\t') {
			table[i] = string(r)
		}
	}
}

// glyphText returns the text of a glyph by its name (Adobe Glyph List, section 6), or "" for one that says
// nothing, such as "g12".
func glyphText(name string, code byte, names pdf.TextEncoding) string {
	base, _, _ := strings.Cut(name, ".")
	switch base {
	case "", "notdef":
		return ""
	case "space", "nbspace":
		return " "
	case "ff", "fi", "fl", "ffi", "ffl":
		return base
	case "f_f", "f_i", "f_l", "f_f_i", "f_f_l", "T_h", "t_t":
		return strings.ReplaceAll(base, "_", "")
	}
	if hex, ok := strings.CutPrefix(base, "uni"); ok && len(hex) >= 4 {
		if text := hexText(hex); text != "" {
			return text
		}
	}
	if hex, ok := strings.CutPrefix(base, "u"); ok && len(hex) >= 4 && len(hex) <= 6 {
		if r, err := strconv.ParseUint(hex, 16, 32); err == nil && utf8.ValidRune(rune(r)) {
			return string(rune(r))
		}
	}
	if len(base) == 1 && unicode.IsLetter(rune(base[0])) {
		return base
	}
	if base != name {
		return ""
	}
	if text, ok := commonNames[base]; ok {
		return text
	}
	text := names.Decode(string([]byte{code}))
	if r, _ := utf8.DecodeRuneInString(text); r == rune(code) && !namesASCII(base) {
		return "" // the library gives the code back for a name that it does not know
	}
	return text
}

// commonNames are names of signs as Type 1 fonts have them in the places of other letters.
var commonNames = map[string]string{
	"quoteright": "’", "quoteleft": "‘", "quotedblleft": "“", "quotedblright": "”", "endash": "–", "emdash": "—",
	"bullet": "•", "dotlessi": "ı", "germandbls": "ß", "ae": "æ", "oe": "œ", "oslash": "ø", "AE": "Æ", "OE": "Œ", "Oslash": "Ø",
	"hyphen": "-", "period": ".", "comma": ",", "quotesingle": "'", "quotedbl": "\"", "periodcentered": "·", "asteriskmath": "∗",
}

// namesASCII reports whether the name is an ordinary word for a sign, such as "hyphen" or "seven", and not a
// letter with a number.
func namesASCII(name string) bool {
	for _, r := range name {
		if !unicode.IsLetter(r) {
			return false
		}
	}
	return len(name) > 2
}

func hexText(hex string) string {
	var b strings.Builder
	for len(hex) >= 4 {
		r, err := strconv.ParseUint(hex[:4], 16, 32)
		if err != nil || !utf8.ValidRune(rune(r)) {
			return ""
		}
		b.WriteRune(rune(r))
		hex = hex[4:]
	}
	return b.String()
}

// decode calls glyph for each code in s, with its text, its width in ems, and whether it is a one-byte space,
// to which word spacing applies.
func (f *font) decode(s []byte, glyph func(text string, width float64, wordSpace bool)) {
	for len(s) > 0 {
		n := 1
		if f.composite {
			n = codeLength(f.space, s)
		}
		code := number(s[:n])
		s = s[n:]
		cid := code
		if f.encoding != nil {
			cid = f.encoding.cid(code)
		}
		width, ok := f.widths[cid]
		if !ok {
			width = f.width
		}
		if f.known != nil && n == 1 {
			width /= 2
		}
		glyph(f.text(code, n), width*f.scale, n == 1 && code == ' ')
	}
}

// text of a code of n bytes; U+FFFD where nothing tells.
func (f *font) text(code uint32, n int) string {
	if f.toUnicode != nil {
		if text, ok := f.toUnicode.text[code]; ok && meaningful(text) {
			return text
		}
	}
	if f.table != nil && code < 256 && f.table[code] != "" {
		return f.table[code]
	}
	switch {
	case f.known != nil:
		return f.known.text(code, n)
	case f.japan1:
		return japan1Text(code)
	}
	return "\ufffd"
}

// meaningful reports whether a ToUnicode entry tells anything: some maps are full of zeros.
func meaningful(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return r > 0 && r != utf8.RuneError || text == ""
}
