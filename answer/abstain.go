package answer

import (
	"context"
	"strings"

	"grounded/analyze"
	"grounded/corpus"
)

// Abstention is the rule by which a question is refused before a model is asked. The best passage's dense score
// (or a reranker's, where there is one) is judged, never a fused score, which says how passages rank and not
// whether any is good.
//
// Dense scores alone tell badly whether a passage answers: a model that squeezes its cosines, like e5, gives
// .73 to .83 to anything. So the share of the question's content words that the first five passages hold is
// added with a weight. Across languages there are no common words; there Across is added instead.
type Abstention struct {
	Below       *float64 // confidence: dense score + Coverage × share of words; nil: the dense score is not judged
	Coverage    float64  // weight of the share
	Across      float64  // added when the best passage is in another language than the question
	BelowRerank *float64 // score of the reranker, which is judged instead of the dense one if it is there; nil: not judged
}

// judgedPassages are looked through for the words of the question.
const judgedPassages = 5

// DefaultAbstention is the rule for an embedding model, by its catalog id. It is known for multilingual-e5-small
// (the id contains "e5-small"); any other model has none until it is configured: nothing is refused.
//
// For e5-small, 4 bits, with passages of about 150 words, .875 lets 100% of 201 answerable questions about a
// company's handbooks pass, 97% of 1,190 English and 99% of the same Chinese questions about encyclopedic
// paragraphs. Of English questions put to the other corpus, which has no answer, it refuses 97 to 99%; of questions
// whose own paragraph was taken out but its neighbours stay, 60%. Across languages it refuses only what is far
// away, since there the scores of answerable and other questions overlap (AUC .70): the model has to notice.
func DefaultAbstention(embeddingModel string) Abstention {
	if !strings.Contains(strings.ToLower(embeddingModel), "e5-small") {
		return Abstention{}
	}
	below := .875
	return Abstention{Below: &below, Coverage: .1, Across: .13}
}

// tooFar reports whether the passages are not good enough to answer from.
func (s *Service) tooFar(ctx context.Context, question string, passages []corpus.Passage) (bool, error) {
	if len(passages) == 0 {
		return true, nil
	}
	rule, err := s.abstention(ctx)
	if err != nil {
		return false, err
	}
	return rule.refuses(question, passages), nil
}

func (s *Service) abstention(ctx context.Context) (Abstention, error) {
	if s.rule != nil {
		return *s.rule, nil
	}
	if s.embedder == nil {
		return Abstention{}, nil
	}
	embedding, err := s.embedder.Embedding(ctx)
	return DefaultAbstention(embedding.Model), err
}

func (a Abstention) refuses(question string, passages []corpus.Passage) bool {
	if reranked, best := highest(passages, func(p corpus.Passage) *float64 { return p.Scores.Rerank }); reranked != nil {
		return a.BelowRerank != nil && best < *a.BelowRerank
	}
	nearest, best := highest(passages, func(p corpus.Passage) *float64 { return p.Scores.Dense })
	if nearest == nil || a.Below == nil {
		return false
	}
	return best+a.bonus(question, *nearest, passages) < *a.Below
}

// bonus is what the words of the question add to the dense score of the nearest passage.
func (a Abstention) bonus(question string, nearest corpus.Passage, passages []corpus.Passage) float64 {
	language, passageLanguage := analyze.Language(question), nearest.Chunk.Language
	if passageLanguage == "" {
		passageLanguage = analyze.Language(nearest.Text)
	}
	if language != "" && passageLanguage != "" && language != passageLanguage {
		return a.Across
	}
	if language == "" {
		language = passageLanguage
	}
	asked := termsOf(question, language)
	if len(asked) == 0 {
		return 0
	}
	there := map[string]bool{}
	for _, p := range passages[:min(len(passages), judgedPassages)] {
		for _, term := range termsOf(string(p.Title)+"\n"+string(p.Heading)+"\n"+p.Text, language) {
			there[term] = true
		}
	}
	shared := 0
	for _, term := range asked {
		if there[term] {
			shared++
		}
	}
	return a.Coverage * float64(shared) / float64(len(asked))
}

func highest(passages []corpus.Passage, score func(corpus.Passage) *float64) (*corpus.Passage, float64) {
	var best *corpus.Passage
	top := 0.0
	for i := range passages {
		if s := score(passages[i]); s != nil && (best == nil || *s > top) {
			best, top = &passages[i], *s
		}
	}
	return best, top
}
