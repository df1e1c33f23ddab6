package pdftext

import (
	"bytes"
	"math"
)

// A content stream is a sequence of operands and operators (ISO 32000-1, 7.8.2).

type operandKind uint8

const (
	opNumber operandKind = iota
	opString
	opName
	opArrayStart
	opArrayEnd
	opDictStart
	opDictEnd
	opOther // true, false, null
)

type operand struct {
	kind   operandKind
	number float64
	text   []byte // of a string or name; valid until the next operator
}

// scanner splits a content stream or a CMap into operands and operators. It reads whatever bytes there are
// without failing.
type scanner struct {
	data  []byte
	at    int
	arena []byte // of decoded strings
}

const maxOperands = 1 << 16

// next returns the operands up to the next operator and that operator; an empty operator is the end.
func (s *scanner) next(operands []operand) ([]operand, string) {
	operands, s.arena = operands[:0], s.arena[:0]
	for {
		s.skipSpace()
		if s.at >= len(s.data) {
			return operands, ""
		}
		if len(operands) >= maxOperands {
			operands = operands[:0]
		}
		c := s.data[s.at]
		switch {
		case c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.':
			operands = append(operands, operand{kind: opNumber, number: s.number()})
		case c == '(':
			operands = append(operands, operand{kind: opString, text: s.literal()})
		case c == '<' && s.peek(1) == '<':
			s.at += 2
			operands = append(operands, operand{kind: opDictStart})
		case c == '>' && s.peek(1) == '>':
			s.at += 2
			operands = append(operands, operand{kind: opDictEnd})
		case c == '<':
			operands = append(operands, operand{kind: opString, text: s.hex()})
		case c == '/':
			operands = append(operands, operand{kind: opName, text: s.name()})
		case c == '[':
			s.at++
			operands = append(operands, operand{kind: opArrayStart})
		case c == ']':
			s.at++
			operands = append(operands, operand{kind: opArrayEnd})
		case isDelimiter(c):
			s.at++
		default:
			word := s.word()
			switch word {
			case "true", "false", "null":
				operands = append(operands, operand{kind: opOther})
			case "BI":
				s.skipInlineImage()
				return operands, "BI"
			default:
				return operands, word
			}
		}
	}
}

func (s *scanner) peek(n int) byte {
	if s.at+n < len(s.data) {
		return s.data[s.at+n]
	}
	return 0
}

func (s *scanner) skipSpace() {
	for s.at < len(s.data) {
		switch c := s.data[s.at]; {
		case isSpace(c):
			s.at++
		case c == '%':
			for s.at < len(s.data) && s.data[s.at] != '\n' && s.data[s.at] != '\r' {
				s.at++
			}
		default:
			return
		}
	}
}

// number reads a real number; what follows the digits without a space, as in "1.2-3", is ignored as other
// readers do.
func (s *scanner) number() float64 {
	sign, value, scale, seen := 1.0, 0.0, 0.0, false
	for ; s.at < len(s.data); s.at++ {
		c := s.data[s.at]
		switch {
		case c >= '0' && c <= '9':
			seen = true
			if scale == 0 {
				value = value*10 + float64(c-'0')
			} else {
				value += float64(c-'0') * scale
				scale /= 10
			}
		case c == '.' && scale == 0:
			scale = 0.1
		case c == '-' && !seen:
			sign = -1
		case c == '+' || c == '-' || c == '.':
		default:
			return sign * math.Min(value, 1e9)
		}
	}
	return sign * math.Min(value, 1e9)
}

func (s *scanner) word() string {
	start := s.at
	for s.at < len(s.data) && !isSpace(s.data[s.at]) && !isDelimiter(s.data[s.at]) {
		s.at++
	}
	return string(s.data[start:s.at])
}

func (s *scanner) name() []byte {
	s.at++
	start := s.at
	escaped := false
	for s.at < len(s.data) && !isSpace(s.data[s.at]) && !isDelimiter(s.data[s.at]) {
		escaped = escaped || s.data[s.at] == '#'
		s.at++
	}
	raw := s.data[start:s.at]
	if !escaped {
		return raw
	}
	begin := len(s.arena)
	for i := 0; i < len(raw); i++ {
		if raw[i] == '#' && i+2 < len(raw) && unhex(raw[i+1]) >= 0 && unhex(raw[i+2]) >= 0 {
			s.arena = append(s.arena, byte(unhex(raw[i+1])<<4|unhex(raw[i+2])))
			i += 2
			continue
		}
		s.arena = append(s.arena, raw[i])
	}
	return s.arena[begin:len(s.arena):len(s.arena)]
}

func (s *scanner) literal() []byte {
	s.at++
	begin, depth := len(s.arena), 1
	for ; s.at < len(s.data); s.at++ {
		c := s.data[s.at]
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				s.at++
				return s.arena[begin:len(s.arena):len(s.arena)]
			}
		case '\\':
			s.escape()
			continue
		}
		s.arena = append(s.arena, c)
	}
	return s.arena[begin:len(s.arena):len(s.arena)]
}

// escape reads what follows a backslash and leaves s.at on its last byte.
func (s *scanner) escape() {
	s.at++
	c := s.peek(0)
	switch c {
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case '\r':
		if s.peek(1) == '\n' {
			s.at++
		}
		return
	case '\n':
		return
	}
	if c >= '0' && c <= '7' && s.peek(0) == c {
		value := 0
		for n := 0; n < 3 && s.peek(0) >= '0' && s.peek(0) <= '7'; n++ {
			value = value<<3 | int(s.peek(0)-'0')
			s.at++
		}
		s.at--
		c = byte(value)
	}
	s.arena = append(s.arena, c)
}

func (s *scanner) hex() []byte {
	s.at++
	begin := len(s.arena)
	high := -1
	for ; s.at < len(s.data) && s.data[s.at] != '>'; s.at++ {
		x := unhex(s.data[s.at])
		switch {
		case x < 0:
		case high < 0:
			high = x
		default:
			s.arena = append(s.arena, byte(high<<4|x))
			high = -1
		}
	}
	s.at++
	if high >= 0 {
		s.arena = append(s.arena, byte(high<<4))
	}
	return s.arena[begin:len(s.arena):len(s.arena)]
}

// skipInlineImage moves behind the EI that ends an inline image, whose bytes can be anything.
func (s *scanner) skipInlineImage() {
	for {
		i := bytes.Index(s.data[s.at:], []byte("EI"))
		if i < 0 {
			s.at = len(s.data)
			return
		}
		before, after := s.data[s.at+max(i-1, 0)], byte(' ')
		if s.at+i+2 < len(s.data) {
			after = s.data[s.at+i+2]
		}
		s.at += i + 2
		if isSpace(before) && isSpace(after) && plausibleContent(s.data[s.at:]) {
			return
		}
	}
}

// plausibleContent reports whether the bytes look like operators and not like picture data.
func plausibleContent(data []byte) bool {
	for _, c := range data[:min(len(data), 24)] {
		if c >= 0x80 || c < ' ' && !isSpace(c) {
			return false
		}
	}
	return true
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelimiter(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
