package parse

import (
	"archive/zip"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// zipNames returns the members' names as text. Those that are not UTF-8 are in the charset of the machine that packed
// them, one for all, which nothing names: it is told from the bytes.
func zipNames(files []*zip.File) []string {
	names := make([]string, len(files))
	var unknown []byte
	for i, f := range files {
		names[i] = f.Name
		if n, ok := unicodeName(f); ok {
			names[i] = n
		} else if !utf8.ValidString(f.Name) {
			unknown = append(append(unknown, f.Name...), '/')
		}
	}
	if len(unknown) == 0 {
		return names
	}
	e := nameCharset(unknown)
	for i, name := range names {
		if utf8.ValidString(name) {
			continue
		}
		if decoded, err := e.NewDecoder().String(name); err == nil {
			names[i] = decoded
		}
	}
	return names
}

// unicodeName returns the name in Info-ZIP's Unicode Path field (APPNOTE.TXT, 4.6.9), if it is of the name.
func unicodeName(f *zip.File) (string, bool) {
	extra, ok := extraField(f.Extra, 0x7075)
	if !ok || len(extra) < 6 || extra[0] != 1 || binary.LittleEndian.Uint32(extra[1:]) != crc32.ChecksumIEEE([]byte(f.Name)) || !utf8.Valid(extra[5:]) {
		return "", false
	}
	return string(extra[5:]), true
}

// nameCharset tells in which charset names are: code page 437 or Windows-1252 for Western letters among others, the
// code pages of Chinese and Japanese Windows when most of the bytes are frequent characters there.
func nameCharset(names []byte) encoding.Encoding {
	switch {
	case western(names, func(b byte) bool { return b < 0x9b || b >= 0xa0 && b <= 0xa5 || b == 0xe1 }):
		return charmap.CodePage437
	case western(names, func(b byte) bool { return b >= 0xc0 && b != 0xd7 && b != 0xf7 }):
		return charmap.Windows1252
	}
	for _, c := range []struct {
		encoding encoding.Encoding
		fits     func(lead, trail byte) bool
	}{
		{simplifiedchinese.GB18030, func(lead, trail byte) bool { // GB 2312's punctuation and characters
			return (lead >= 0xb0 && lead <= 0xf7 || lead >= 0xa1 && lead <= 0xa3) && trail >= 0xa1
		}},
		{japanese.ShiftJIS, func(lead, trail byte) bool { // kana, and the characters of JIS X 0208
			return (lead >= 0x81 && lead <= 0x84 || lead >= 0x88 && lead <= 0x9f || lead >= 0xe0 && lead <= 0xea) && trail >= 0x40
		}},
		{traditionalchinese.Big5, func(lead, trail byte) bool { return lead >= 0xa1 && lead <= 0xf9 && trail >= 0x40 }},
	} {
		text, err := c.encoding.NewDecoder().Bytes(names)
		if err == nil && !strings.ContainsRune(string(text), utf8.RuneError) && mostPairs(names, c.fits) {
			return c.encoding
		}
	}
	return charmap.CodePage437
}

// western reports whether all bytes above 127 are letters and stand beside ASCII letters.
func western(names []byte, letter func(byte) bool) bool {
	for i, b := range names {
		if b < 0x80 {
			continue
		}
		beside := i > 0 && isASCIILetter(names[i-1]) || i+1 < len(names) && isASCIILetter(names[i+1])
		if !letter(b) || !beside {
			return false
		}
	}
	return true
}

func isASCIILetter(b byte) bool { return b < 0x80 && unicode.IsLetter(rune(b)) }

// mostPairs reports whether the bytes above 127 begin pairs of which four in five fit.
func mostPairs(data []byte, fits func(lead, trail byte) bool) bool {
	pairs, fitting := 0, 0
	for i := 0; i < len(data); i++ {
		if data[i] < 0x80 {
			continue
		}
		pairs++
		if i+1 < len(data) && fits(data[i], data[i+1]) {
			fitting++
		}
		i++
	}
	return fitting*5 >= pairs*4
}
