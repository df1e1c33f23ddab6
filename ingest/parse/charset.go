package parse

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	utf16 "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// decode returns the bytes as text, and adds what is doubtful about it to the document's warnings; see decodeWarned.
func (d *Document) decode(data []byte, declared string) (string, error) {
	text, warning, err := decodeWarned(data, declared)
	if warning != "" {
		d.Warnings = append(d.Warnings, warning)
	}
	return text, err
}

// decodeText is decodeWarned for what is part of a document.
func decodeText(data []byte, declared string) (string, error) {
	text, _, err := decodeWarned(data, declared)
	return text, err
}

// decodeWarned returns the bytes as text. A byte order mark decides, then whether it is UTF-8, then the charset
// that the document declares (empty for none), then in which charset the bytes are text of some language. Text whose
// letters could only be guessed is an UnsupportedCharset error. There is a warning, a sentence, where some doubt is
// left or letters were lost.
func decodeWarned(data []byte, declared string) (text, warning string, err error) {
	if e, name := wideEncoding(data); e != nil {
		return decodeWith(e, data, name)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if bytes.Contains(data, []byte("\x1b$B")) || bytes.Contains(data, []byte("\x1b$@")) {
		return decodeWith(japanese.ISO2022JP, data, "ISO-2022-JP")
	}
	if utf8.Valid(data) {
		return checkReplaced(string(data))
	}
	if declared != "" {
		e, name := charset.Lookup(declared)
		if e == nil {
			return "", "", errorf(UnsupportedCharset, "It declares the charset %q, which is not known; save it as UTF-8.", declared)
		}
		if name != "utf-8" {
			return decodeWith(e, data, declared)
		}
	}
	// A few bad bytes in a long UTF-8 text are damage, not another charset.
	if bad := invalidUTF8(data); bad*500 < len(data) && multibyte(data) > 4*bad {
		text, warning, err := checkReplaced(strings.ToValidUTF8(string(data), ""))
		if err == nil && warning == "" {
			warning = fmt.Sprintf("%d bytes of it are not valid UTF-8, and were left out.", bad)
		}
		return text, warning, err
	}
	g := guessCharset(data)
	if g.charset.encoding == nil {
		return "", "", errorf(UnsupportedCharset, "Its letters are in a charset that is neither UTF-8 nor declared, and too few to tell which; save it as UTF-8.")
	}
	text, warning, err = decodeWith(g.charset.encoding, data, g.charset.name)
	if g.doubtful && warning == "" {
		warning = fmt.Sprintf("It does not say in which charset it is; it was read as %s, which its few letters beyond ASCII fit best. Save it as UTF-8 if they are wrong.", g.charset.name)
	}
	return text, warning, err
}

func decodeWith(e encoding.Encoding, data []byte, name string) (text, warning string, err error) {
	out, err := e.NewDecoder().Bytes(data)
	if err != nil {
		return "", "", errorf(Damaged, "Its text is not valid %s.", name)
	}
	return checkReplaced(string(out))
}

// checkReplaced refuses text that consists of replacement characters to a good part, and drops a few.
func checkReplaced(text string) (kept, warning string, err error) {
	replaced := strings.Count(text, "\ufffd")
	if replaced == 0 {
		return text, "", nil
	}
	if replaced*50 > utf8.RuneCountInString(text) {
		return "", "", errorf(Damaged, "Its letters were lost when it was converted: it has %d replacement characters (U+FFFD). Get the original.", replaced)
	}
	return strings.ReplaceAll(text, "\ufffd", ""), fmt.Sprintf("%d of its letters were lost when it was converted (U+FFFD).", replaced), nil
}

// wideEncoding returns the encoding of UTF-16 or UTF-32, and its name, if the data begins with a byte order mark or
// can be nothing else; else nil.
func wideEncoding(data []byte) (encoding.Encoding, string) {
	little, big := utf16.UTF16(utf16.LittleEndian, utf16.IgnoreBOM), utf16.UTF16(utf16.BigEndian, utf16.IgnoreBOM)
	even, four := len(data)%2 == 0, len(data)%4 == 0
	switch {
	case four && bytes.HasPrefix(data, []byte{0xff, 0xfe, 0, 0}):
		return utf32.UTF32(utf32.LittleEndian, utf32.UseBOM), "UTF-32"
	case four && bytes.HasPrefix(data, []byte{0, 0, 0xfe, 0xff}):
		return utf32.UTF32(utf32.BigEndian, utf32.UseBOM), "UTF-32"
	case even && bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		return utf16.UTF16(utf16.LittleEndian, utf16.UseBOM), "UTF-16"
	case even && bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return utf16.UTF16(utf16.BigEndian, utf16.UseBOM), "UTF-16"
	case len(data) < 8 || !even:
		return nil, ""
	}
	sample := data[:min(len(data), 4096)]
	var zeros [4]int // by the place in four bytes
	for i, c := range sample {
		if c == 0 {
			zeros[i%4]++
		}
	}
	quarter := len(sample) / 4
	switch {
	case four && zeros[0] == 0 && zeros[3] == quarter && zeros[2] > quarter*9/10:
		return utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM), "UTF-32"
	case four && zeros[3] == 0 && zeros[0] == quarter && zeros[1] > quarter*9/10:
		return utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM), "UTF-32"
	case zeros[0]+zeros[2] == 0 && (zeros[1]+zeros[3])*10 > quarter*14:
		return little, "UTF-16"
	case zeros[1]+zeros[3] == 0 && (zeros[0]+zeros[2])*10 > quarter*14:
		return big, "UTF-16"
	case utf8.Valid(data) && bytes.IndexByte(sample, 0) < 0:
		return nil, ""
	case isLanguage(little, sample):
		return little, "UTF-16"
	case isLanguage(big, sample):
		return big, "UTF-16"
	}
	return nil, ""
}

func invalidUTF8(data []byte) int {
	bad := 0
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			bad++
		}
		data = data[size:]
	}
	return bad
}

func multibyte(data []byte) int {
	n := 0
	for len(data) > 0 {
		_, size := utf8.DecodeRune(data)
		if size > 1 {
			n++
		}
		data = data[size:]
	}
	return n
}
