package parse

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"

	"grounded/analyze"
)

// knownCharset is one in which texts of some languages are written without saying so.
type knownCharset struct {
	name      string
	encoding  encoding.Encoding
	languages []string
}

func knownCharsets() []knownCharset {
	list := func(s string) []string { return strings.Fields(s) }
	return []knownCharset{
		{"GB 18030", simplifiedchinese.GB18030, list("zh-Hans")},
		{"Big5", traditionalchinese.Big5, list("zh-Hant")},
		{"Shift JIS", japanese.ShiftJIS, list("ja")},
		{"EUC-JP", japanese.EUCJP, list("ja")},
		{"EUC-KR", korean.EUCKR, list("ko")},
		{"Windows-1252", charmap.Windows1252, list("de fr es it pt sv da nb no fi nl en")},
		{"Windows-1250", charmap.Windows1250, list("pl cs sk hu ro hr sl de")},
		{"ISO 8859-2", charmap.ISO8859_2, list("pl cs sk hu ro hr sl de")},
		{"Windows-1251", charmap.Windows1251, list("ru uk be bg sr mk")},
		{"KOI8", charmap.KOI8U, list("ru uk")},
		{"ISO 8859-5", charmap.ISO8859_5, list("ru bg sr mk")},
		{"code page 866", charmap.CodePage866, list("ru be")},
		{"Windows-1253", charmap.Windows1253, list("el")},
		{"Windows-1254", charmap.Windows1254, list("tr")},
		{"Windows-1255", charmap.Windows1255, list("he")},
		{"Windows-1256", charmap.Windows1256, list("ar fa")},
		{"Windows-1257", charmap.Windows1257, list("lt lv et")},
		{"Windows-874", charmap.Windows874, list("th")},
	}
}

const (
	charsetSample  = 32 << 10 // bytes with letters beyond ASCII that are looked at
	charsetFits    = .4       // of the letters beyond ASCII are frequent in the language, at least
	charsetLetters = 3        // that are frequent, at least
	charsetClear   = 8        // frequent letters leave no doubt
)

// charsetGuess is what the bytes are in; without an encoding if that can't be told.
type charsetGuess struct {
	charset  knownCharset
	doubtful bool
}

// reading of the sample in one of the charsets.
type charsetReading struct {
	knownCharset
	text string
	fit
}

// guessCharset decodes the bytes in each charset and looks whether the letters beyond ASCII are those that are
// frequent in a language that is written in it. The best must be clearly better than all others that give another
// text. If it is not, the words in ASCII around them tell the language.
func guessCharset(data []byte) charsetGuess {
	sample := charsetLines(data)
	var readings []charsetReading
	for _, c := range knownCharsets() {
		out, err := c.encoding.NewDecoder().Bytes(sample)
		if text := string(out); err == nil && !strings.Contains(text, "\ufffd") {
			readings = append(readings, charsetReading{c, text, fitOf(text, c.languages)})
		}
	}
	if len(readings) == 0 {
		return charsetGuess{}
	}
	best := slices.MaxFunc(readings, func(a, b charsetReading) int { return compareFloats(a.share(), b.share()) })
	margin := max(charsetLetters, best.frequent/20)
	clear := func(r charsetReading) bool { return r.text == best.text || best.points()-r.points() >= margin }
	others := slices.ContainsFunc(readings, func(r charsetReading) bool { return !clear(r) })
	if best.share() >= charsetFits && best.frequent >= charsetLetters && !others {
		return charsetGuess{best.knownCharset, best.frequent < charsetClear}
	}
	var fitting []charsetReading
	for _, r := range readings {
		if !slices.Contains(latinLanguages, r.languages[0]) && r.share() < charsetFits {
			continue // no words in ASCII tell
		}
		language := analyze.Language(r.text)
		if language != "" && slices.Contains(r.languages, language) && r.odd*20 <= r.letters && best.points()-r.points() < 2*margin+r.letters/4 {
			fitting = append(fitting, r)
		}
	}
	if len(fitting) > 0 && !slices.ContainsFunc(fitting, func(r charsetReading) bool { return r.text != fitting[0].text }) {
		return charsetGuess{fitting[0].knownCharset, true}
	}
	for _, r := range readings {
		language := analyze.Language(r.text)
		if r.encoding == charmap.Windows1252 && isWestern(r.text) && best.points()-r.points() < margin && (language == "" || slices.Contains(r.languages, language)) {
			return charsetGuess{r.knownCharset, true}
		}
	}
	return charsetGuess{}
}

func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// charsetLines returns lines that are not ASCII, up to charsetSample bytes.
func charsetLines(data []byte) []byte {
	var sample []byte
	for line := range bytes.Lines(data) {
		if !slices.ContainsFunc(line, func(c byte) bool { return c >= 0x80 }) {
			continue
		}
		if room := charsetSample - len(sample); len(line) > room {
			if len(sample) > 0 {
				break
			}
			line = line[:room]
			if end := bytes.LastIndexFunc(line, func(r rune) bool { return r < 0x40 }); end > 0 { // such bytes end no character
				line = line[:end]
			}
		}
		sample = append(sample, line...)
	}
	return sample
}

// isLanguage reports whether the sample is in the encoding and in a language that is not written in ASCII.
func isLanguage(e encoding.Encoding, sample []byte) bool {
	out, err := e.NewDecoder().Bytes(sample)
	text := strings.TrimSuffix(string(out), "\ufffd") // cut in a character
	if err != nil || strings.Contains(text, "\ufffd") || strings.ContainsRune(text, 0) {
		return false
	}
	f := fitOf(text, []string{"zh-Hans", "zh-Hant", "ja", "ko", "ru", "uk", "el", "he", "ar", "th"})
	return f.share() >= charsetFits && f.frequent >= charsetClear && f.odd*20 <= f.letters && f.letters*2 > utf8.RuneCountInString(text)
}

// fit tells how well a text's letters beyond ASCII fit a language.
type fit struct {
	letters  int // characters, or pairs of letters next to each other
	frequent int // of them
	odd      int // signs that no text has, such as drawn lines or letters of two scripts in one word
}

// share is how many of the letters are frequent, from 0 to 1.
func (f fit) share() float64 {
	if f.letters == 0 {
		return 0
	}
	return float64(f.frequent) / float64(f.letters+2*f.odd)
}

// points compare readings of the same bytes.
func (f fit) points() int { return 2*f.frequent - f.letters - 2*f.odd }

// usualSigns are those beyond ASCII that texts have besides letters.
const usualSigns = "“”‘’„‚«»‹›–—…•€°§£©®\u00a0¿¡²³½·№\u3000、。，．：；？！（）「」『』【】《》・～×±µ¼¾™†ºª¹→←"

// fitOf returns the fit of the language that fits best.
func fitOf(text string, languages []string) fit {
	var best fit
	for _, l := range languages {
		if f := fitOfLanguage(text, frequentLetters()[l], !slices.Contains(latinLanguages, l)); best.letters == 0 || f.share() > best.share() {
			best = f
		}
	}
	return best
}

// fitOfLanguage counts by the frequent letters of a language: single ones if they are many, else pairs.
func fitOfLanguage(text string, frequent letterSet, foreign bool) fit {
	var f fit
	before, beforeSmall := ' ', false
	for _, r := range text {
		letter := unicode.IsLetter(r) || unicode.Is(unicode.Mn, r)
		if r >= 0x80 && !letter && !strings.ContainsRune(usualSigns, r) && (r < 0xff01 || r > 0xff5e) || r >= 0xe000 && r < 0xf900 || r >= 0xff61 && r < 0xffa0 {
			f.odd++
		}
		small := ' '
		if letter {
			small = unicode.ToLower(r)
		}
		if frequent.single {
			if letter && r >= 0x80 {
				f.letters++
				if frequent.has[string(r)] {
					f.frequent++
				}
			}
			continue
		}
		if small >= 0x80 || before >= 0x80 {
			f.letters++
			if frequent.has[string(before)+string(small)] && (!beforeSmall || !unicode.IsUpper(r)) {
				f.frequent++
			}
			if foreign && (small >= 'a' && small <= 'z' || before >= 'a' && before <= 'z') {
				f.odd++
			}
		}
		before, beforeSmall = small, letter && r >= 0x80 && unicode.IsLower(r)
	}
	return f
}

// isWestern reports whether each letter beyond ASCII is one of Western Europe's, in a word of ASCII letters.
func isWestern(text string) bool {
	runes := []rune(text)
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
