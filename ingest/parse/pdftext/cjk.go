package pdftext

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// predefined is a CMap that PDF readers are expected to know (ISO 32000-1, 9.7.5.2): its codes are the bytes of
// a character encoding.
type predefined struct {
	space    []codeRange
	encoding encoding.Encoding
	seven    bool // two bytes of seven bits: JIS rows and cells
}

// Code lengths of the encodings: a byte that can't begin a pair stands alone.
var (
	twoBytes   = []codeRange{{0, 0xffff, 2}}
	eucSpace   = []codeRange{{0, 0x80, 1}, {0x8ea0, 0x8edf, 2}, {0xa1a1, 0xfefe, 2}}
	gbkSpace   = []codeRange{{0, 0x80, 1}, {0x8140, 0xfefe, 2}}
	sjisSpace  = []codeRange{{0, 0x80, 1}, {0xa0, 0xdf, 1}, {0x8140, 0x9ffc, 2}, {0xe040, 0xfcfc, 2}}
	utf16Space = []codeRange{{0, 0xd7ff, 2}, {0xe000, 0xffff, 2}, {0xd800dc00, 0xdbffdfff, 4}}
)

// predefinedCMap returns the CMap of a name such as "UniGB-UTF16-H"; nil for Identity and what is not known.
func predefinedCMap(name string) *predefined {
	name = strings.TrimSuffix(strings.TrimSuffix(name, "-H"), "-V")
	big := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	switch {
	case name == "H" || name == "V":
		return &predefined{twoBytes, japanese.EUCJP, true}
	case strings.HasSuffix(name, "-UCS2") || strings.HasSuffix(name, "-UCS2-HW"):
		return &predefined{twoBytes, big, false}
	case strings.HasSuffix(name, "-UTF16"):
		return &predefined{utf16Space, big, false}
	case strings.HasSuffix(name, "-RKSJ"):
		return &predefined{sjisSpace, japanese.ShiftJIS, false}
	case name == "EUC":
		return &predefined{eucSpace, japanese.EUCJP, false}
	case strings.HasPrefix(name, "GBK2K"):
		return &predefined{gbkSpace, simplifiedchinese.GB18030, false}
	case strings.HasPrefix(name, "GB"):
		return &predefined{gbkSpace, simplifiedchinese.GBK, false}
	case name == "B5pc" || strings.HasPrefix(name, "ET") || strings.HasPrefix(name, "HKscs"):
		return &predefined{gbkSpace, traditionalchinese.Big5, false}
	case strings.HasPrefix(name, "KSC"):
		return &predefined{gbkSpace, korean.EUCKR, false}
	}
	return nil
}

// text of a code of n bytes; U+FFFD where there is none.
func (p *predefined) text(code uint32, n int) string {
	raw := make([]byte, n)
	for i := range raw {
		raw[n-1-i] = byte(code >> (8 * i))
		if p.seven {
			raw[n-1-i] |= 0x80
		}
	}
	text, err := p.encoding.NewDecoder().Bytes(raw)
	if r, _ := utf8.DecodeRune(text); err != nil || r < ' ' || r == utf8.RuneError {
		return "\ufffd"
	}
	return string(text)
}

// japan1 gives the characters of the glyph numbers of Adobe-Japan1, for fonts that are not embedded and have
// Identity as their encoding. The collection follows the rows and cells of JIS X 0208, so that the table is a
// list of stretches: first glyph number, row, first cell, count.
var japan1 = [...]struct{ cid, row, cell, count uint32 }{
	{633, 1, 1, 94}, {727, 2, 1, 14}, {741, 2, 26, 8}, {749, 2, 42, 7}, {756, 2, 60, 15}, {771, 2, 82, 8}, {779, 2, 94, 1},
	{780, 3, 16, 10}, {790, 3, 33, 26}, {816, 3, 65, 26}, {842, 4, 1, 83}, {925, 5, 1, 86},
	{1011, 6, 1, 24}, {1035, 6, 33, 24}, {1059, 7, 1, 33}, {1092, 7, 49, 33},
	{1125, 16, 1, 2965}, {4090, 48, 1, 3384}, {7474, 84, 1, 4}, {7479, 8, 1, 32}, {8284, 84, 5, 2},
	// The forms for vertical writing: punctuation, brackets, small kana.
	{7887, 1, 2, 2}, {7889, 1, 17, 2}, {7891, 1, 28, 3}, {7894, 1, 33, 5}, {7899, 1, 42, 18}, {7917, 1, 65, 1},
	{7918, 4, 1, 1}, {7919, 4, 3, 1}, {7920, 4, 5, 1}, {7921, 4, 7, 1}, {7922, 4, 9, 1}, {7923, 4, 35, 1},
	{7924, 4, 67, 1}, {7925, 4, 69, 1}, {7926, 4, 71, 1}, {7927, 4, 78, 1},
	{7928, 5, 1, 1}, {7929, 5, 3, 1}, {7930, 5, 5, 1}, {7931, 5, 7, 1}, {7932, 5, 9, 1}, {7933, 5, 35, 1},
	{7934, 5, 67, 1}, {7935, 5, 69, 1}, {7936, 5, 71, 1}, {7937, 5, 78, 1}, {7938, 5, 85, 2},
}

// japan1Text returns the character of a glyph number of Adobe-Japan1; U+FFFD for one outside JIS X 0208.
func japan1Text(cid uint32) string {
	switch {
	case cid >= 1 && cid <= 94:
		return string(rune(' ' + cid - 1))
	case cid >= 231 && cid <= 324: // the same, half as wide
		return string(rune(' ' + cid - 231))
	case cid >= 327 && cid <= 389:
		return string(rune(0xff61 + cid - 327))
	}
	for _, s := range japan1 {
		if n := cid - s.cid; cid >= s.cid && n < s.count {
			cell := s.row*94 + s.cell - 1 + n
			p := predefined{encoding: japanese.EUCJP, seven: true}
			return p.text((cell/94+0x20)<<8|(cell%94+0x21), 2)
		}
	}
	return "\ufffd"
}
