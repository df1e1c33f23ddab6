package answer

import "maps"

// with returns what two texts say together. A term is negated when it is in both or in the only one that has it.
func (c content) with(d content) content {
	sum := content{terms: map[string]float64{}, numbers: map[string]bool{}, negated: map[string]bool{}, denies: c.denies || d.denies}
	maps.Copy(sum.terms, c.terms)
	maps.Copy(sum.numbers, c.numbers)
	for term, weight := range d.terms {
		sum.terms[term] = max(sum.terms[term], weight)
	}
	maps.Copy(sum.numbers, d.numbers)
	for term := range sum.terms {
		_, inC := c.terms[term]
		_, inD := d.terms[term]
		sum.negated[term] = (c.negated[term] || !inC) && (d.negated[term] || !inD)
	}
	return sum
}

// Parameters of support, fitted to the labelled cases in testdata/support.jsonl, and on them measured by
// TestSupportIsJudgedAsPeopleDo.
const (
	supportAbove = .6  // share of a claim's terms by weight that the quote must have
	doubtAbove   = .25 // from here to supportAbove an embedder is asked, if there is one
	contextShare = .8  // what a term counts that is only in title or headings
	longerCosts  = .04 // a quote's score loses for each sentence after the first
	numberSlack  = .34 // how much worse than the best sentence the one that has the number may match
)

// containment is the share of a claim's terms, by weight, that a text has; terms of its context count less.
func containment(claim, text, context content) float64 {
	total, found := 0.0, 0.0
	for term, weight := range claim.terms {
		total += weight
		if _, ok := text.terms[term]; ok {
			found += weight
		} else if _, ok := context.terms[term]; ok {
			found += weight * contextShare
		}
	}
	if total == 0 {
		return 0
	}
	return found / total
}

// match is how well a passage supports a claim, and the words of it that do so best.
type match struct {
	window window
	found  bool    // there is a window
	share  float64 // containment
	// contradicted: a number of the claim is not in the words that speak of it, or a term is negated in one of
	// both only.
	contradicted bool
	similar      bool    // an embedder says that they mean the same
	similarity   float64 // cosine, if so
}

func (m match) supports() bool {
	return m.found && !m.contradicted && (m.similar || m.share >= supportAbove)
}

// strength compares matches that support.
func (m match) strength() float64 { return max(m.share, m.similarity) }

// matchIn finds the window of a passage that supports a claim best.
func matchIn(claim content, e evidence) match {
	best := match{}
	bestScore := -1.0
	agreed := numbersAgree(claim, e)
	for _, w := range e.windows {
		numbers := w.content.with(e.context).numbers
		share := containment(claim, w.content, e.context)
		if len(claim.terms) == 0 && agreed && includes(numbers, claim.numbers) {
			share = 1
		}
		m := match{window: w, found: true, share: share}
		m.contradicted = !agreed || !includes(numbers, claim.numbers) || opposed(claim, w.content)
		m.share -= longerCosts * float64(len(w.sentences)-1)
		score := m.share
		if !m.contradicted {
			score++ // any that agrees before any that does not
		}
		if score > bestScore {
			best, bestScore = m, score
		}
	}
	return best
}

// numbersAgree reports whether each number of the claim is in a sentence that matches the claim's words about
// as well as any. A number that only a sentence about something else has is taken from there.
func numbersAgree(claim content, e evidence) bool {
	closest := 0.0
	for _, s := range e.sentences {
		closest = max(closest, containment(claim, s.content, content{}))
	}
	for number := range claim.numbers {
		agreed := e.context.numbers[number]
		for _, s := range e.sentences {
			if s.content.numbers[number] && containment(claim, s.content, content{}) >= closest-numberSlack {
				agreed = true
				break
			}
		}
		if !agreed {
			return false
		}
	}
	return true
}

// namesAnother reports whether a name of the claim is nowhere in the passage, and is in another: then that one is
// about it, and this one about something of its kind.
func namesAnother(claim content, e evidence, all []evidence) bool {
	if e.foreign {
		return false
	}
	for term, weight := range claim.terms {
		if weight != nameWeight || e.mentions(term) {
			continue
		}
		for _, other := range all {
			if other.mentions(term) {
				return true
			}
		}
	}
	return false
}

// mentions reports whether a term is in the passage, its title or its headings.
func (e evidence) mentions(term string) bool {
	_, there := e.context.terms[term]
	for _, s := range e.sentences {
		if there {
			break
		}
		_, there = s.content.terms[term]
	}
	return there
}

func includes(all, some map[string]bool) bool {
	for k := range some {
		if !all[k] {
			return false
		}
	}
	return true
}

// opposed reports whether a term that both have is negated in one only.
func opposed(claim, text content) bool {
	for term := range claim.terms {
		if _, ok := text.terms[term]; ok && claim.negated[term] != text.negated[term] {
			return true
		}
	}
	return false
}
