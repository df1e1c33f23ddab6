package answer

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// negations are the words of each language that turn a statement around.
var negations = map[string]map[string]bool{
	"en": words("not no never none nothing neither nor cannot without nobody"),
	"de": words("nicht kein keine keinen keinem keiner keines nie niemals ohne weder nichts niemand"),
	"fr": words("ne pas jamais sans aucun aucune ni rien personne"),
	"es": words("no nunca jamás sin ningún ninguna ninguno tampoco nada ni"),
	"it": words("non mai senza nessun nessuno nessuna né niente"),
	"pt": words("não nunca jamais sem nenhum nenhuma nem nada"),
	"nl": words("niet geen nooit zonder niets noch"),
	"sv": words("inte ej ingen inget inga aldrig utan"),
	"pl": words("nie nigdy bez żaden żadna żadne nic ani"),
	"ru": words("не нет ни никогда без нельзя"),
	"uk": words("не немає ні ніколи без"),
}

// isNegation tells by the rules of the language; of one without rules, by those of English.
func isNegation(word, language string) bool {
	word = strings.ToLower(word)
	list, known := negations[language]
	if !known {
		list = negations["en"]
	}
	return list[word] || strings.HasSuffix(word, "n't") || strings.HasSuffix(word, "n’t") ||
		language == "fr" && (strings.HasPrefix(word, "n'") || strings.HasPrefix(word, "n’"))
}

// numberWords are numbers that are written out. "One" is left out: it is more often an article or a pronoun.
var numberWords = func() map[string]string {
	m := map[string]string{}
	for _, list := range []string{
		"two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen",
		"zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn",
		"deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze",
		"dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince",
	} {
		for i, word := range strings.Fields(list) {
			m[word] = strconv.Itoa(i + 2)
		}
	}
	for _, list := range []string{
		"twenty thirty forty fifty sixty seventy eighty ninety hundred",
		"zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig hundert",
		"vingt trente quarante cinquante soixante - - - cent",
		"veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa cien",
	} {
		for i, word := range strings.Fields(list) {
			m[word] = strconv.Itoa((i + 2) * 10)
		}
	}
	return m
}()

func words(list string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(list) {
		m[w] = true
	}
	return m
}

// ideographReach is how many terms (pairs of characters) behind a Chinese negation it takes in.
const ideographReach = 3

var (
	// ideographNegation is 不 and its like, where they negate: 不同, 不仅, 未来, 无论, 非常 and such don't.
	ideographNegation = regexp.MustCompile(`(不同|不仅|不僅|不但|不过|不過|不断|不斷|不少|不久|不论|不論|不管|未来|未來|无论|無論|非常|除非|差不多)|没有|沒有|禁止|不得|不能|不会|不可|不予|[不没沒无無未勿]`)
	ideographNumber   = regexp.MustCompile(`([一二两兩三四五六七八九十百千]+)[个個]?(?:天|日|周|週|月|年|岁|歲|小时|小時|分钟|分鐘|元|欧元|歐元|美元|次|人|倍|名|位|项|項|工作日|倍)`)
)

func hasIdeograph(s string) bool {
	for _, r := range s {
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) {
			return true
		}
	}
	return false
}

// splitIdeographs cuts a run of characters at its negations: each part but the first follows one.
func splitIdeographs(s string) []string {
	var parts []string
	last := 0
	for _, m := range ideographNegation.FindAllStringSubmatchIndex(s, -1) {
		if m[2] >= 0 {
			continue
		}
		parts = append(parts, s[last:m[0]])
		last = m[1]
	}
	return append(parts, s[last:])
}

// ideographNumbers reads numbers written in characters before a unit: 三十天 is 30.
func ideographNumbers(s string) []string {
	var numbers []string
	for _, m := range ideographNumber.FindAllStringSubmatch(s, -1) {
		numbers = append(numbers, strconv.Itoa(readIdeographs(m[1])))
	}
	return numbers
}

func readIdeographs(s string) int {
	total, digit := 0, 0
	for _, r := range s {
		unit := map[rune]int{'十': 10, '百': 100, '千': 1000}[r]
		switch {
		case unit > 0:
			total += max(digit, 1) * unit
			digit = 0
		case r == '两' || r == '兩':
			digit = 2
		default:
			digit = strings.IndexRune("一二三四五六七八九", r)/len("一") + 1
		}
	}
	return total + digit
}
