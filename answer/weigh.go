package answer

import (
	"context"
	"strings"

	"grounded/model"
)

// Support says from which cosine similarity on a sentence and a quote, both embedded as queries, mean the same.
// Zero is never: then words alone decide.
type Support struct {
	Same   float64 // in one language, when they share some words but too few
	Across float64 // in two languages, when numbers and negation agree
	// Margin is how much more similar a quote in another language must be than the passages' other sentences in it
	// are on average: what says nothing in particular is a little like everything. Where the sentence has a number,
	// which the quote must have too, that says enough.
	Margin float64
}

// DefaultSupport is what is known of an embedding model, by its catalog id: of multilingual-e5-small (the id
// contains "e5-small"). On the labelled cases in testdata/support.jsonl, unrelated sentences reach .867 in one
// language and .797 in two; paraphrases begin at .902, translations at .829. Translations stand out from other
// sentences by .064 and more, unrelated ones by .028 and less, and what a small model babbles by .056.
func DefaultSupport(embeddingModel string) Support {
	if !strings.Contains(strings.ToLower(embeddingModel), "e5-small") {
		return Support{}
	}
	return Support{Same: .9, Across: .82, Margin: .06}
}

const (
	// comparedSentences are needed for a mean to say anything.
	comparedSentences = 3
	// tellingTerms are the content terms that a sentence without numbers must have to be compared across languages:
	// "That is not so" means the same as much.
	tellingTerms = 3
)

// pair is a claim and a window that an embedder compares.
type pair struct {
	row, passage int
	window       window
}

// weigh asks the embedder, where there is one, about the pairs that words can't decide: paraphrases, and
// passages in another language than the answer's. It enters what it finds in the table.
func (s *Service) weigh(ctx context.Context, table []row, all []evidence) (tokens *int, err error) {
	rule, err := s.supportRule(ctx)
	if rule == (Support{}) || err != nil {
		return nil, err
	}
	var pairs []pair
	var list textList
	for i, r := range table {
		for _, j := range r.undecided(all) {
			for _, w := range r.candidates(j, all[j]) {
				pairs = append(pairs, pair{i, j, w})
				list.place(r.claim.text)
				list.place(w.quote())
			}
		}
	}
	if len(pairs) == 0 {
		return nil, nil
	}
	embeddings, err := s.embedder.Embed(ctx, model.Query, list.texts)
	if err != nil {
		return nil, err
	}
	similarity := func(p pair) float64 {
		return cosine(embeddings.Vectors[list.place(table[p.row].claim.text)], embeddings.Vectors[list.place(p.window.quote())])
	}
	others := map[int]spread{} // by row: similarities across languages
	for _, p := range pairs {
		if all[p.passage].foreign {
			others[p.row] = others[p.row].with(similarity(p))
		}
	}
	for _, p := range pairs {
		is := similarity(p)
		same := rule.Same > 0 && is >= rule.Same
		if all[p.passage].foreign {
			same = rule.across(is, table[p.row].content, others[p.row])
		}
		m := &table[p.row].matches[p.passage]
		if same && is > m.similarity {
			*m = match{window: p.window, found: true, share: m.share, similar: true, similarity: is}
		}
	}
	return embeddings.Tokens, nil
}

// across decides whether a claim means the same as a quote in another language that is that similar, one of those
// whose similarities are spread.
func (r Support) across(is float64, claim content, all spread) bool {
	switch {
	case r.Across <= 0 || is < r.Across:
		return false
	case len(claim.numbers) > 0:
		return true
	case len(claim.terms) < tellingTerms || all.count-1 < comparedSentences:
		return false
	}
	mean := (all.sum - is) / float64(all.count-1)
	return is-mean >= r.Margin
}

// spread sums up similarities.
type spread struct {
	count int
	sum   float64
}

func (s spread) with(x float64) spread { return spread{s.count + 1, s.sum + x} }

func (s *Service) supportRule(ctx context.Context) (Support, error) {
	if s.embedder == nil {
		return Support{}, nil
	}
	if s.support != nil {
		return *s.support, nil
	}
	embedding, err := s.embedder.Embedding(ctx)
	return DefaultSupport(embedding.Model), err
}

// textList collects texts, each once.
type textList struct {
	texts []string
	index map[string]int
}

// place returns where in the list a text is, adding it if it is new.
func (l *textList) place(text string) int {
	if l.index == nil {
		l.index = map[string]int{}
	}
	at, seen := l.index[text]
	if !seen {
		at = len(l.texts)
		l.index[text] = at
		l.texts = append(l.texts, text)
	}
	return at
}

// candidates are the windows of a passage that an embedder should look at: the best by words, or across
// languages each sentence that has the claim's numbers and, like it, denies something or doesn't.
func (r row) candidates(j int, e evidence) []window {
	if !e.foreign {
		return []window{r.matches[j].window}
	}
	var list []window
	for _, w := range e.windows {
		if len(w.sentences) == 1 && w.content.denies == r.content.denies && includes(w.content.with(e.context).numbers, r.content.numbers) {
			list = append(list, w)
		}
	}
	return list
}

func cosine(a, b []float32) float64 {
	sum := 0.0
	for i := range min(len(a), len(b)) {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// addTokens adds counts of which any may be unknown: the sum of the known ones, nil when none is known.
func addTokens(counts ...*int) *int {
	var sum *int
	for _, n := range counts {
		if n == nil {
			continue
		}
		if sum == nil {
			sum = new(int)
		}
		*sum += *n
	}
	return sum
}
