package answer

import (
	"math"

	"grounded/analyze"
	"grounded/corpus"
)

const (
	// focusPassages are shown to a small model, of each about focusBytes: 45 words of English, 90 characters of
	// Chinese. On the questions about the made-up company in testdata, SmolLM2's F1 was .16 with that, .14 with three
	// passages or twice the text of each, and .05 without any.
	focusPassages = 2
	focusBytes    = 280
)

// focus cuts the best passages down to the sentences in a row that hold most of what the question asks for: small
// models lose the thread in more, and are slow to read it. Words that few sentences have weigh more.
func focus(passages []corpus.Passage, question, language string) []corpus.Passage {
	passages = passages[:min(len(passages), focusPassages)]
	asked := termsOf(question, language)
	all := make([][]focused, len(passages))
	frequency := map[string]float64{}
	sentences := 0.0
	for i, p := range passages {
		for _, span := range analyze.Sentences(p.Text) {
			s := focused{span, map[string]bool{}}
			for _, term := range termsOf(p.Text[span.Start:span.End], language) {
				s.terms[term] = true
			}
			all[i] = append(all[i], s)
			sentences++
			for _, term := range asked {
				if s.terms[term] {
					frequency[term]++
				}
			}
		}
	}
	weight := func(term string) float64 { return math.Log(1 + sentences/(1+frequency[term])) }
	short := make([]corpus.Passage, len(passages))
	for i, p := range passages {
		if from, to := bestRun(all[i], asked, weight); to > from {
			p.Text = p.Text[all[i][from].Start:all[i][to-1].End]
		}
		short[i] = p
	}
	return short
}

// focused is a sentence of a passage with its terms.
type focused struct {
	analyze.Span
	terms map[string]bool
}

// bestRun returns the first of the runs of sentences, none longer than focusBytes but for a single one, whose terms
// weigh most.
func bestRun(sentences []focused, asked []string, weight func(string) float64) (from, to int) {
	best := -1.0
	for i := range sentences {
		j := i + 1
		for j < len(sentences) && sentences[j].End-sentences[i].Start <= focusBytes {
			j++
		}
		sum := 0.0
		for _, term := range asked {
			for _, s := range sentences[i:j] {
				if s.terms[term] {
					sum += weight(term)
					break
				}
			}
		}
		if sum > best {
			best, from, to = sum, i, j
		}
	}
	return from, to
}
