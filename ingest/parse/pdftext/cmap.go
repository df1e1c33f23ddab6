package pdftext

import (
	"unicode/utf16"
)

// codeRange is a range of character codes of one length.
type codeRange struct {
	low, high uint32
	length    int // in bytes
}

// cmap maps the codes in strings to text (ToUnicode) or to glyph numbers (the encoding of a composite font).
type cmap struct {
	space []codeRange
	text  map[uint32]string
	cids  []cidRange
}

type cidRange struct {
	low, high uint32
	cid       uint32
}

const maxMapped = 1 << 17 // entries of one CMap: more than Unicode's basic plane has

// readCMap reads an embedded CMap. Whatever is malformed in it is passed over.
func readCMap(data []byte) *cmap {
	m := &cmap{text: map[uint32]string{}}
	s := scanner{data: data}
	var operands []operand
	for {
		var operator string
		operands, operator = s.next(operands)
		switch operator {
		case "":
			return m
		case "endcodespacerange":
			for i := 0; i+1 < len(operands); i += 2 {
				if n := len(operands[i].text); n > 0 && n <= 4 && n == len(operands[i+1].text) {
					m.space = append(m.space, codeRange{number(operands[i].text), number(operands[i+1].text), n})
				}
			}
		case "endbfchar":
			for i := 0; i+1 < len(operands); i += 2 {
				m.put(number(operands[i].text), utf16Text(operands[i+1].text))
			}
		case "endbfrange":
			m.ranges(operands)
		case "endcidchar":
			for i := 0; i+1 < len(operands); i += 2 {
				code := number(operands[i].text)
				m.cids = append(m.cids, cidRange{code, code, uint32(max(0, operands[i+1].number))})
			}
		case "endcidrange":
			for i := 0; i+2 < len(operands); i += 3 {
				m.cids = append(m.cids, cidRange{number(operands[i].text), number(operands[i+1].text), uint32(max(0, operands[i+2].number))})
			}
		}
	}
}

// ranges reads entries of a bfrange: low, high, and the first text or an array with each.
func (m *cmap) ranges(operands []operand) {
	for i := 0; i+2 < len(operands); {
		low, high := number(operands[i].text), number(operands[i+1].text)
		i += 2
		if operands[i].kind == opArrayStart {
			i++
			for code := low; i < len(operands) && operands[i].kind != opArrayEnd; i, code = i+1, code+1 {
				m.put(code, utf16Text(operands[i].text))
			}
			i++
			continue
		}
		units := utf16Units(operands[i].text)
		i++
		if len(units) == 0 {
			continue
		}
		for code := low; code <= high && len(m.text) < maxMapped; code++ {
			m.put(code, string(utf16.Decode(units)))
			units[len(units)-1]++
			if code == 1<<32-1 {
				break
			}
		}
	}
}

func (m *cmap) put(code uint32, text string) {
	if len(m.text) < maxMapped {
		m.text[code] = text
	}
}

// cid returns the glyph number of a code.
func (m *cmap) cid(code uint32) uint32 {
	for _, r := range m.cids {
		if r.low <= code && code <= r.high {
			return r.cid + code - r.low
		}
	}
	return 0
}

// codeLength returns how many bytes the next code in s has.
func codeLength(space []codeRange, s []byte) int {
	for n := 1; n <= 4 && n <= len(s); n++ {
		code := number(s[:n])
		for _, r := range space {
			if r.length == n && r.low <= code && code <= r.high {
				return n
			}
		}
	}
	if len(space) > 0 {
		return min(space[0].length, len(s))
	}
	return min(2, len(s))
}

func number(s []byte) uint32 {
	var x uint32
	for _, c := range s {
		x = x<<8 | uint32(c)
	}
	return x
}

func utf16Units(s []byte) []uint16 {
	if len(s) == 1 {
		return []uint16{uint16(s[0])}
	}
	units := make([]uint16, len(s)/2)
	for i := range units {
		units[i] = uint16(s[2*i])<<8 | uint16(s[2*i+1])
	}
	return units
}

func utf16Text(s []byte) string { return string(utf16.Decode(utf16Units(s))) }
