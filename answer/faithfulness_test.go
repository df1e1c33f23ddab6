package answer

import (
	"math"
	"testing"

	"grounded/corpus"
	"grounded/model/local/localtest"
)

// TestFaithfulnessErrsAsOftenAsItIsSaidTo measures the check of an answer's sentences, by words and the local embedder, on
// labelled pairs of a sentence and its passage in English and Chinese: on those of faithfulness.jsonl, that nothing was
// fitted to, and on the harder ones of hard.jsonl, which differ in a name, a number or a negation.
func TestFaithfulnessErrsAsOftenAsItIsSaidTo(t *testing.T) {
	embedder := localtest.Embedder(t)
	for _, c := range []struct {
		file, language string
		most           int // errors
	}{{"faithfulness", "en", 6}, {"faithfulness", "zh", 6}, {"hard", "en", 5}, {"hard", "zh", 9}} {
		wrong, missed, all := 0, 0, 0
		for _, pair := range supportCases(t, "testdata/"+c.file+".jsonl") {
			if pair.Language != c.language {
				continue
			}
			all++
			pages := shelf{"d": {{Number: 1, Text: pair.Passage}}}
			service := Service{embedder: embedder, pages: pages}
			got, err := service.check(t.Context(), corpus.Scope{}, pair.Claim+" [1]", pair.Language, []corpus.Passage{pages.passage(t, "d", 1, pair.Passage, 1)})
			if err != nil {
				t.Fatal(err)
			}
			switch supported := len(got.unsupported) == 0; {
			case supported && !pair.Supported:
				wrong++
				t.Logf("wrongly supported: %s", pair.Claim)
			case !supported && pair.Supported:
				missed++
				t.Logf("missed: %s", pair.Claim)
			}
		}
		errors := float64(wrong + missed)
		low, high := wilson(errors, float64(all))
		t.Logf("%s, %s: %d of %d wrong: error rate %.3f (95%%: %.3f to %.3f); %d wrongly supported, %d missed", c.file, c.language, wrong+missed, all, errors/float64(all), low, high, wrong, missed)
		if all < 30 || wrong+missed > c.most {
			t.Errorf("%s, %s: %d errors on %d pairs; at most %d are said to be there", c.file, c.language, wrong+missed, all, c.most)
		}
	}
}

// wilson is the score interval of a share (Wilson, 1927).
func wilson(k, n float64) (low, high float64) {
	const z = 1.959964
	centre, half := (k+z*z/2)/(n+z*z), z/(n+z*z)*math.Sqrt(k*(n-k)/n+z*z/4)
	return centre - half, centre + half
}
