package parse

import (
	_ "embed"
	"strings"
	"sync"
)

// lettersTable has a language a line, and behind a tab its frequent letters beyond ASCII: characters of Chinese,
// Japanese and Korean, else pairs of neighbours, a blank being the edge of a word. They were counted over the
// translations of programs; each list has most of what its language's texts have.
//
//go:embed letters.tsv
var lettersTable string

// letterSet has the frequent letters of a language.
type letterSet struct {
	single bool // they are characters and not pairs
	has    map[string]bool
}

// latinLanguages are those of the table that are written in Latin letters.
var latinLanguages = strings.Fields("de fr es it pt sv da nb no fi nl en pl cs sk hu ro hr sl tr lt lv et")

var frequentLetters = sync.OnceValue(func() map[string]letterSet {
	sets := map[string]letterSet{}
	for line := range strings.Lines(lettersTable) {
		language, all, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		set := letterSet{has: map[string]bool{}}
		size := 2
		switch language {
		case "zh-Hans", "zh-Hant", "ja", "ko":
			set.single, size = true, 1
		}
		letters := []rune(all)
		for i := 0; i+size <= len(letters); i += size {
			set.has[string(letters[i:i+size])] = true
		}
		sets[language] = set
	}
	return sets
})
