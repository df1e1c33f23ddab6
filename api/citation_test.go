package api

import (
	"testing"

	"grounded/corpus"
)

func TestTheSpanOfACitationIsItsSentenceInTheAnswer(t *testing.T) {
	for _, test := range []struct{ name, text, sentence, want string }{
		{"marker before the stop", "First. Everyone has 27 days [1]. More.", "Everyone has 27 days .", "Everyone has 27 days [1]."},
		{"marker behind the stop", "Everyone has 27 days.[1][2] More.", "Everyone has 27 days.", "Everyone has 27 days.[1][2]"},
		{"emphasis and list", "Rules:\n- **Everyone** has 27 days [1]\n- Others", "Everyone has 27 days", "Everyone** has 27 days [1]"},
		{"Chinese", "规定如下。每人每年有27天假期【1】。其他。", "每人每年有27天假期。", "每人每年有27天假期【1】。"},
		{"digits of a marker", "In 2024 [1] it rose [2].", "In 2024 it rose .", "In 2024 [1] it rose [2]."},
		{"not there", "Something else.", "Everyone has 27 days.", "Something else."},
		{"empty", "", "x", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			start, end := span(test.text, corpus.Citation{Marker: 1, Sentence: test.sentence})
			if got := string([]rune(test.text)[start:end]); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestSentencesThatAreRepeatedHaveTheirOwnPlaces(t *testing.T) {
	text := "27天 [1]. Then: 27天 [1]. End."
	for after, want := range [][2]int{{0, 8}, {15, 23}, {15, 23}} {
		if start, end := span(text, corpus.Citation{Marker: 1, Sentence: "27天 .", Repeat: after}); [2]int{start, end} != want {
			t.Errorf("after %d: from %d to %d, want %v", after, start, end, want)
		}
	}
	server := &Server{config: Config{PublicURL: "http://h"}}
	first, second := corpus.Citation{Marker: 1, Sentence: "27天 ."}, corpus.Citation{Marker: 2, Sentence: "27天 .", Repeat: 1}
	list := server.annotations(&call{}, "c", corpus.Answer{Text: text, Citations: []corpus.Citation{first, second}})
	if list[0].URLCitation.StartIndex != 0 || list[1].URLCitation.StartIndex != 15 || list[1].Index != 23 {
		t.Errorf("got %+v", list)
	}
}
