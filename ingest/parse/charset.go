package parse

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	utf16 "golang.org/x/text/encoding/unicode"
)

// decodeText returns the bytes as text. A byte order mark decides, then whether it is UTF-8, then the charset
// that the document declares (empty for none), then what the bytes can be without doubt. Text whose letters
// could only be guessed is an UnsupportedCharset error, never mojibake.
func decodeText(data []byte, declared string) (string, error) {
	if order := utf16Order(data); order != nil {
		return decodeWith(order, data, "UTF-16")
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if utf8.Valid(data) {
		return checkReplaced(string(data))
	}
	if declared != "" {
		e, name := charset.Lookup(declared)
		if e == nil {
			return "", errorf(UnsupportedCharset, "It declares the charset %q, which is not known; save it as UTF-8.", declared)
		}
		if name != "utf-8" {
			return decodeWith(e, data, declared)
		}
	}
	// A few bad bytes in a long UTF-8 text are damage, not another charset.
	if bad := invalidUTF8(data); bad*500 < len(data) && multibyte(data) > 4*bad {
		return checkReplaced(strings.ToValidUTF8(string(data), ""))
	}
	if e, ok := guess(data); ok {
		return decodeWith(e, data, "")
	}
	return "", errorf(UnsupportedCharset, "Its letters are in a charset that is neither UTF-8 nor declared; save it as UTF-8.")
}

func decodeWith(e encoding.Encoding, data []byte, name string) (string, error) {
	out, err := e.NewDecoder().Bytes(data)
	if err != nil {
		return "", errorf(Damaged, "Its text is not valid %s.", name)
	}
	return checkReplaced(string(out))
}

// checkReplaced refuses text that consists of replacement characters to a good part, and drops a few.
func checkReplaced(text string) (string, error) {
	replaced := strings.Count(text, "\ufffd")
	if replaced == 0 {
		return text, nil
	}
	if replaced*50 > utf8.RuneCountInString(text) {
		return "", errorf(Damaged, "Its letters were lost when it was converted: it has %d replacement characters (U+FFFD). Get the original.", replaced)
	}
	return strings.ReplaceAll(text, "\ufffd", ""), nil
}

// utf16Order returns the UTF-16 encoding of data that begins with a byte order mark or has the zero bytes of
// Latin letters in UTF-16 on one side only; else nil.
func utf16Order(data []byte) encoding.Encoding {
	little := utf16.UTF16(utf16.LittleEndian, utf16.UseBOM)
	big := utf16.UTF16(utf16.BigEndian, utf16.UseBOM)
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}) && len(data)%2 == 0:
		return little
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}) && len(data)%2 == 0:
		return big
	case len(data) < 8 || len(data)%2 != 0:
		return nil
	}
	sample := data[:min(len(data), 4096)]
	var zeros [2]int
	for i, c := range sample {
		if c == 0 {
			zeros[i%2]++
		}
	}
	half := len(sample) / 2
	switch {
	case zeros[0] == 0 && zeros[1]*10 > half*7:
		return utf16.UTF16(utf16.LittleEndian, utf16.IgnoreBOM)
	case zeros[1] == 0 && zeros[0]*10 > half*7:
		return utf16.UTF16(utf16.BigEndian, utf16.IgnoreBOM)
	}
	return nil
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

// guess recognises the charsets that leave no doubt: Windows-1252 (and with it Latin-1), when each byte above
// 127 is a letter inside a word of ASCII letters or usual punctuation; GB18030, when its pairs are frequent
// Chinese characters.
func guess(data []byte) (encoding.Encoding, bool) {
	if isWestern(data) {
		return charmap.Windows1252, true
	}
	if isChinese(data) {
		return simplifiedchinese.GB18030, true
	}
	return nil, false
}

func isWestern(data []byte) bool {
	text, err := charmap.Windows1252.NewDecoder().Bytes(data)
	if err != nil {
		return false
	}
	runes := []rune(string(text))
	high, odd, ascii := 0, 0, 0
	for i, r := range runes {
		if r < 0x80 {
			if unicode.IsLetter(r) {
				ascii++
			}
			continue
		}
		high++
		neighbours := i > 0 && unicode.IsLetter(runes[i-1]) && runes[i-1] < 0x80 ||
			i+1 < len(runes) && unicode.IsLetter(runes[i+1]) && runes[i+1] < 0x80
		usual := strings.ContainsRune("äöüÄÖÜßéèêëàâáçîïíóòôúùûñÉÈÀÇÑÁåøæÅØÆãõìý", r) && neighbours
		if !usual && !strings.ContainsRune("“”‘’„«»–—…•€°§£©®\u00a0¿¡²³½", r) {
			odd++
		}
	}
	return odd*20 <= high && ascii > 4*high
}

// frequentChinese are the characters that make up a third of ordinary Chinese text.
const frequentChinese = "的一是不了在有人我他这为之大来以个中上们到说国和地也子时道出而要于就下得可你年生自会那后能对着事其里所去行过家十用发天如然作方成者多日都三小军二无同么经法当起与好看学进种将还分此心前面又定见只主没公从工使情明性知全第两女理些间"

func isChinese(data []byte) bool {
	text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data)
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) {
		return false
	}
	han, frequent := 0, 0
	for _, r := range string(text) {
		if unicode.Is(unicode.Han, r) {
			han++
			if strings.ContainsRune(frequentChinese, r) {
				frequent++
			}
		} else if r >= 0x80 && !unicode.IsPunct(r) && !unicode.IsSpace(r) && !unicode.IsSymbol(r) && !unicode.IsLetter(r) {
			return false
		}
	}
	return han >= 8 && frequent*8 >= han
}
