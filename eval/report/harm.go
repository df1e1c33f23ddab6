package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"grounded/eval"
)

// Of a harmed question so much is shown, and of so many: the rest is among the questions.
const (
	mostHarmed  = 20
	mostMisled  = 3
	longestHarm = 300 // bytes of a text
)

// harm is a question whose right answer the documents turned wrong.
type harm struct {
	ID, Question, Plain, Grounded string
	Misled                        []misled
	Evidence                      bool
}

// misled is a passage that the wrong answer is made from.
type misled struct{ Place, Quote string }

// harmed lists those of a model, the first ones.
func harmed(g eval.Grounding) (list []harm) {
	for _, h := range g.Harmed[:min(len(g.Harmed), mostHarmed)] {
		shown := harm{ID: h.ID, Question: short(h.Question), Plain: short(h.Plain), Grounded: short(h.Grounded), Evidence: h.Evidence}
		for _, m := range h.Misled[:min(len(h.Misled), mostMisled)] {
			shown.Misled = append(shown.Misled, misled{placeOf(m.Place), short(m.Quote)})
		}
		list = append(list, shown)
	}
	return list
}

// placeOf says document#page for people.
func placeOf(item string) string {
	at := strings.LastIndexByte(item, '#')
	if at < 0 {
		return item
	}
	if page := item[at+1:]; page != "0" {
		return fmt.Sprintf("%s, page %s", item[:at], page)
	}
	return item[:at]
}

// short is a text's beginning.
func short(text string) string { return cut(text, longestHarm) }

// cut shortens a text to so many bytes, at a whole character, and shows that it did.
func cut(text string, longest int) string {
	if len(text) <= longest {
		return text
	}
	for longest > 0 && !utf8.RuneStart(text[longest]) {
		longest--
	}
	return text[:longest] + " …"
}
