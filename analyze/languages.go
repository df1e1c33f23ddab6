package analyze

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/arabic"
	"github.com/blevesearch/snowballstem/danish"
	"github.com/blevesearch/snowballstem/dutch"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/finnish"
	"github.com/blevesearch/snowballstem/french"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/hungarian"
	"github.com/blevesearch/snowballstem/italian"
	"github.com/blevesearch/snowballstem/norwegian"
	"github.com/blevesearch/snowballstem/portuguese"
	"github.com/blevesearch/snowballstem/romanian"
	"github.com/blevesearch/snowballstem/russian"
	"github.com/blevesearch/snowballstem/spanish"
	"github.com/blevesearch/snowballstem/swedish"
	"github.com/blevesearch/snowballstem/turkish"
)

// language is how words of one language are analysed. The zero value keeps every word as it is.
type language struct {
	stem         func(string) string
	stop         map[string]bool // case-folded
	decimalComma bool            // 3,5 is three and a half
}

// languages by ISO 639-1 code. The stemmers are Snowball's.
var languages = map[string]language{
	"ar": {stem: snowball(arabic.Stem)},
	"da": {stem: snowball(danish.Stem), stop: set(stopDanish), decimalComma: true},
	"de": {stem: snowball(german.Stem), stop: set(stopGerman), decimalComma: true},
	"en": {stem: snowball(english.Stem), stop: set(stopEnglish)},
	"es": {stem: snowball(spanish.Stem), stop: set(stopSpanish), decimalComma: true},
	"fi": {stem: snowball(finnish.Stem), stop: set(stopFinnish), decimalComma: true},
	"fr": {stem: snowball(french.Stem), stop: set(stopFrench), decimalComma: true},
	"hu": {stem: snowball(hungarian.Stem), decimalComma: true},
	"it": {stem: snowball(italian.Stem), stop: set(stopItalian), decimalComma: true},
	"nb": {stem: snowball(norwegian.Stem), stop: set(stopNorwegian), decimalComma: true},
	"nl": {stem: snowball(dutch.Stem), stop: set(stopDutch), decimalComma: true},
	"no": {stem: snowball(norwegian.Stem), stop: set(stopNorwegian), decimalComma: true},
	"pl": {stop: set(stopPolish), decimalComma: true},
	"pt": {stem: snowball(portuguese.Stem), stop: set(stopPortuguese), decimalComma: true},
	"ro": {stem: snowball(romanian.Stem), decimalComma: true},
	"ru": {stem: snowball(russian.Stem), stop: set(stopRussian), decimalComma: true},
	"sv": {stem: snowball(swedish.Stem), stop: set(stopSwedish), decimalComma: true},
	"tr": {stem: snowball(turkish.Stem), decimalComma: true},
}

// remembered is how many stems of a language are kept: text repeats its words.
const remembered = 1 << 14

func snowball(stem func(*snowballstem.Env) bool) func(string) string {
	var stems sync.Map
	var kept atomic.Int32
	return func(word string) string {
		if known, ok := stems.Load(word); ok {
			return known.(string)
		}
		word = strings.Clone(word) // else it would keep the text that it was cut from
		env := snowballstem.NewEnv(word)
		stem(env)
		stemmed := env.Current()
		if kept.Add(1) > remembered {
			stems.Clear()
			kept.Store(1)
		}
		stems.Store(word, stemmed)
		return stemmed
	}
}
