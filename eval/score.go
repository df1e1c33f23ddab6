package eval

import (
	"regexp"

	"grounded/corpus"
	"grounded/eval/dataset"
	"grounded/eval/metric"
)

// Names of an item's scores.
const (
	Exact            = "exact"             // 0 or 1
	F1               = "f1"                // 0 to 1
	Contains         = "contains"          // 0 or 1
	Right            = "right"             // 0 or 1
	Abstained        = "abstained"         // 0 or 1
	CitesDocuments   = "cites_documents"   // precision: share of the cited documents that are evidence
	DocumentsCited   = "documents_cited"   // recall: share of the evidence's documents that are cited
	CitesPages       = "cites_pages"       // the same of pages
	PagesCited       = "pages_cited"       //
	Faithful         = "faithful"          // share of the checked sentences that a passage supports
	EvidenceGiven    = "evidence_given"    // share of the evidence that was among the passages
	PromptTokens     = "prompt_tokens"     //
	CompletionTokens = "completion_tokens" //
	CostUSD          = "cost_usd"          //
	FirstTokenMS     = "first_token_ms"    //
	TotalMS          = "total_ms"          //
)

// ScoreNames lists the scores in the order that they are shown.
func ScoreNames() []string {
	return []string{Exact, F1, Contains, Right, Abstained, CitesDocuments, DocumentsCited, CitesPages, PagesCited, Faithful,
		EvidenceGiven, PromptTokens, CompletionTokens, CostUSD, FirstTokenMS, TotalMS}
}

// isQuality tells what a model says from what it takes, of which no interval is given but quantiles.
func isQuality(name string) bool {
	switch name {
	case PromptTokens, CompletionTokens, CostUSD, FirstTokenMS, TotalMS:
		return false
	}
	return true
}

// Scores of an item by name; what is not defined for it, or not known, is not there.
type Scores map[string]float64

// get returns a score, or nil.
func (s Scores) get(name string) *float64 {
	if v, ok := s[name]; ok {
		return &v
	}
	return nil
}

func (s Scores) put(name string, v *float64) {
	if v != nil {
		s[name] = *v
	}
}

func (s Scores) flag(name string, yes bool) {
	s[name] = 0
	if yes {
		s[name] = 1
	}
}

// rightF1 is the F1 from which an answer counts as right though it does not contain an accepted answer word for word.
const rightF1 = 0.5

// Score scores one item from what is stored of it. A failed item has no scores.
//
//   - exact, f1, contains: see package metric. An answer that declines counts as empty, as SQuAD 2.0 has it: 0 where
//     the documents answer the question, 1 where they don't. Without accepted answers to an answerable question they are
//     not defined.
//   - right: it contains an accepted answer or has an F1 of at least .5; or it declines what can't be answered.
//   - cites_*, *_cited: not defined where there is no evidence, precision not where nothing is cited; by page only where
//     all evidence names its page. Only of arms with passages, and not of an answer that declines.
//   - faithful: sentences with a verified citation over all that were checked.
//   - evidence_given: by page where all evidence names its page, else by document.
func Score(i Item) Scores {
	s := Scores{}
	if i.Answer == nil {
		return s
	}
	a := *i.Answer
	s.flag(Abstained, a.Abstained)
	s.scoreText(i.Question, a)
	if len(a.Passages) > 0 {
		s.scoreCitations(i.Question, a)
	}
	for name, n := range map[string]*int{PromptTokens: a.Usage.PromptTokens, CompletionTokens: a.Usage.CompletionTokens} {
		if n != nil {
			s[name] = float64(*n)
		}
	}
	s.put(CostUSD, a.CostUSD)
	s.put(FirstTokenMS, a.Timings.FirstTokenMS)
	s.put(TotalMS, a.Timings.TotalMS)
	return s
}

// marker is a reference to a passage in an answer's text, which is no part of what it says.
var marker = regexp.MustCompile(`\s?[\[［【]\s*\^?[0-9０-９]{1,3}(?:\s*[,，、;–-]\s*[0-9０-９]{1,3})*\s*(?:†[^】\]]*)?[\]］】]`)

func (s Scores) scoreText(q dataset.Question, a corpus.Answer) {
	if !q.Answerable {
		for _, name := range []string{Exact, F1, Contains, Right} {
			s.flag(name, a.Abstained)
		}
		return
	}
	accepted := metric.NewAnswers(q.Question, q.Answers)
	if !accepted.Known() {
		return
	}
	text := a.Text
	switch {
	case a.Abstained:
		text = ""
	case len(a.Passages) > 0:
		text = marker.ReplaceAllString(text, "")
	}
	s[Exact], s[F1], s[Contains] = accepted.Exact(text), accepted.F1(text), accepted.Contains(text)
	s.flag(Right, s[Contains] == 1 || s[F1] >= rightF1)
}

func (s Scores) scoreCitations(q dataset.Question, a corpus.Answer) {
	gains := gold(q)
	relevant := map[string]map[string]bool{ByDocument: keysOf(gains[ByDocument]), ByPage: keysOf(gains[ByPage])}
	level := ByPage
	if len(relevant[ByPage]) == 0 {
		level = ByDocument
	}
	given := map[string]bool{}
	for _, item := range rankings(a.Passages)[level] {
		given[item] = true
	}
	_, share := metric.Overlap(given, relevant[level])
	s.put(EvidenceGiven, share)
	if a.Abstained {
		return
	}
	documents, pages := map[string]bool{}, map[string]bool{}
	for _, c := range a.Citations {
		documents[c.Document] = true
		if c.Page != nil {
			pages[pageItem(c.Document, *c.Page)] = true
		}
	}
	precision, recall := metric.Overlap(documents, relevant[ByDocument])
	s.put(CitesDocuments, precision)
	s.put(DocumentsCited, recall)
	precision, recall = metric.Overlap(pages, relevant[ByPage])
	s.put(CitesPages, precision)
	s.put(PagesCited, recall)
	if sentences, supported := sentencesOf(a); len(sentences) > 0 {
		yes := 0.0
		for _, sentence := range sentences {
			if supported[sentence] {
				yes++
			}
		}
		s[Faithful] = yes / float64(len(sentences))
	}
}

func keysOf(m map[string]float64) map[string]bool {
	set := map[string]bool{}
	for k := range m {
		set[k] = true
	}
	return set
}
