package answer

import (
	"context"
	"slices"

	"grounded/corpus"
)

// checked is what an answer's text turned out to rest on.
type checked struct {
	citations   []corpus.Citation
	unsupported []string
	embedding   *int // tokens; nil when no embedder was asked or it did not say
}

// check compares each sentence of an answer that claims something with the passages.
//
// A passage that the model cited becomes a citation, verified when words of its stored text support the
// sentence. A marker that names no passage is passed over. When no cited passage supports the sentence, the one
// of all passages that supports it best is attributed to it; when none does, the sentence is unsupported, unless
// the passages that it cites support it together.
func (s *Service) check(ctx context.Context, scope corpus.Scope, text, language string, passages []corpus.Passage) (checked, error) {
	var out checked
	sentences := claims(text)
	if len(sentences) == 0 || len(passages) == 0 {
		for _, c := range sentences {
			out.unsupported = append(out.unsupported, c.text)
		}
		return out, nil
	}
	all, err := gather(ctx, s.pages, scope, passages, language)
	if err != nil {
		return out, err
	}
	table := make([]row, len(sentences))
	for i, c := range sentences {
		table[i] = newRow(c, language, all)
	}
	if out.embedding, err = s.weigh(ctx, table, all); err != nil {
		return out, err
	}
	earlier := map[string]int{}
	for _, r := range table {
		citations, supported := r.cite(all)
		for i := range citations {
			citations[i].Repeat = earlier[r.claim.text]
		}
		earlier[r.claim.text]++
		out.citations = append(out.citations, citations...)
		if !supported {
			out.unsupported = append(out.unsupported, r.claim.text)
		}
	}
	return out, nil
}

// row is a claim with its match in every passage.
type row struct {
	claim   claim
	content content
	cited   []int // passages by index
	matches []match
}

func newRow(c claim, language string, all []evidence) row {
	r := row{claim: c, content: contentOf(c.text, language), matches: make([]match, len(all))}
	for j, e := range all {
		r.matches[j] = matchIn(r.content, e)
		r.matches[j].contradicted = r.matches[j].contradicted || namesAnother(r.content, e, all)
	}
	for _, n := range c.numbers {
		if n >= 1 && n <= len(all) {
			r.cited = append(r.cited, n-1)
		}
	}
	return r
}

// best is the passage that supports the claim best, or -1.
func (r row) best() int {
	best := -1
	for j, m := range r.matches {
		if m.supports() && (best < 0 || m.strength() > r.matches[best].strength()) {
			best = j
		}
	}
	return best
}

// cite lists the citations of the claim, and whether anything supports it.
func (r row) cite(all []evidence) (citations []corpus.Citation, supported bool) {
	for _, j := range r.cited {
		citations = append(citations, r.citation(j, all[j], corpus.OriginModel))
		supported = supported || r.matches[j].supports()
	}
	if supported || r.together(all) {
		return citations, true
	}
	best := r.best()
	if best < 0 {
		return citations, false
	}
	return append(citations, r.citation(best, all[best], corpus.OriginAttributed)), true
}

// together reports whether the cited passages support the claim between them.
func (r row) together(all []evidence) bool {
	if len(r.cited) < 2 {
		return false
	}
	sum, context := content{}, content{}
	for _, j := range r.cited {
		m := r.matches[j]
		if !m.found || opposed(r.content, m.window.content) {
			return false
		}
		sum, context = sum.with(m.window.content), context.with(all[j].context)
	}
	return containment(r.content, sum, context) >= supportAbove && includes(sum.with(context).numbers, r.content.numbers)
}

func (r row) citation(j int, e evidence, origin string) corpus.Citation {
	m, p := r.matches[j], e.passage
	page := p.PageStart
	c := corpus.Citation{
		Marker: j + 1, ChunkID: p.ChunkID, Document: p.Document, Title: p.Title, Page: &page, PageLabel: e.labels[page],
		Origin: origin, Sentence: r.claim.text,
	}
	if !m.found || !m.supports() && m.share < doubtAbove {
		return c
	}
	c.Quote = corpus.Text(m.window.quote())
	if m.window.page > 0 {
		start, end := m.window.runes()
		page, c.Start, c.End = m.window.page, &start, &end
		c.PageLabel = e.labels[page]
		c.Verified = m.supports()
	}
	return c
}

// undecided lists the passages that an embedder should be asked about: those cited, and all when none supports
// the claim, as far as their words leave it open.
func (r row) undecided(all []evidence) []int {
	var list []int
	none := r.best() < 0
	for j, m := range r.matches {
		if m.supports() || !none && !slices.Contains(r.cited, j) {
			continue
		}
		if all[j].foreign || m.share >= doubtAbove && !m.contradicted {
			list = append(list, j)
		}
	}
	return list
}
