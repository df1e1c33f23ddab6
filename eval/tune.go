package eval

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"grounded/corpus"
	"grounded/eval/dataset"
	"grounded/eval/metric"
	"grounded/eval/stat"
	"grounded/retrieve"
)

// Setting is a way to search.
type Setting struct {
	Mode        string  `json:"mode"`
	Fusion      string  `json:"fusion"`
	DenseWeight float64 `json:"dense_weight"`
	ChunkTokens int     `json:"chunk_tokens"` // 0 is as the collection was ingested
}

// String names a setting for people.
func (s Setting) String() string {
	text := s.Mode
	if s.Mode == retrieve.ModeHybrid {
		text += " " + cmp.Or(s.Fusion, "fused by default")
		if s.DenseWeight > 0 {
			text += fmt.Sprintf(", dense weight %.2f", s.DenseWeight)
		}
	}
	if s.ChunkTokens > 0 {
		text += fmt.Sprintf(", chunks of %d tokens", s.ChunkTokens)
	}
	return text
}

// TuneConfig says what is tried.
type TuneConfig struct {
	// Open connects what searches by a setting.
	Open    func(ctx context.Context, s Setting) (BatchRetriever, error)
	Request retrieve.Request // all but question, mode and TopK
	Current Setting
	Others  []Setting
	TopK    int   // current; 0 is 10
	TopKs   []int // to be tried
	Observe func(done, of int)
}

// Tuned is what tuning came to. Settings are chosen on one half of the documents, and what is said of them holds for the
// other half.
type Tuned struct {
	Level     string          `json:"level"`     // page or document
	Chosen    int             `json:"chosen_by"` // questions
	Tested    int             `json:"tested"`    // questions about other documents
	Trials    []Trial         `json:"trials"`    // best first
	Best      Setting         `json:"best"`
	Before    Mean            `json:"before"` // nDCG@10 of the current setting, on the tested questions
	After     Mean            `json:"after"`  // of the best
	Gain      stat.Comparison `json:"gain"`
	BestTopK  int             `json:"best_top_k"`
	TopKGain  stat.Comparison `json:"top_k_gain"`      // share of the evidence that is given
	TopKTries []Depth         `json:"top_k_trials"`    // on the tested questions, of the better setting
	Unit      string          `json:"unit"`            // that intervals resample
	Better    bool            `json:"better"`          // the best setting is, on the tested questions
	Deeper    bool            `json:"other_top_k_too"` // the best top-k is worth changing to
}

// Trial is a setting with its mean nDCG@10 on the questions that settings are chosen by.
type Trial struct {
	Setting
	NDCG float64 `json:"ndcg"`
}

// Depth is a number of passages with the share of the evidence that is among them.
type Depth struct {
	TopK int `json:"top_k"`
	Mean
}

const (
	tunedAt = 10 // of nDCG
	// slack is how much less of the evidence fewer passages may give and still count as giving as much.
	slack = .01
)

// Tune searches by each setting, chooses the best on half of the documents' questions, and compares it with the current
// one on the others. Evidence must name documents as the collection does. Errors are corpus.ErrInvalid when there are too
// few documents to divide, and those of searching.
func Tune(ctx context.Context, c TuneConfig, questions []dataset.Question) (Tuned, error) {
	c.TopK = cmp.Or(c.TopK, 10)
	level, chosen, tested, err := halves(questions)
	if err != nil {
		return Tuned{}, err
	}
	t := Tuned{Level: level, Chosen: len(chosen), Tested: len(tested)}
	unit, keys := clusters(tested)
	t.Unit = unit
	all := slices.Concat(chosen, tested)
	settings := []Setting{c.Current}
	for _, s := range c.Others {
		if !slices.Contains(settings, s) {
			settings = append(settings, s)
		}
	}
	found := map[Setting]map[string][]corpus.Passage{}
	for i, s := range settings {
		if found[s], err = c.search(ctx, s, all); err != nil {
			return t, fmt.Errorf("search %s: %w", s, err)
		}
		t.Trials = append(t.Trials, Trial{s, average0(ndcgs(level, chosen, found[s]))})
		if c.Observe != nil {
			c.Observe(i+1, len(settings))
		}
	}
	// The current one is the first: of equals it stays.
	slices.SortStableFunc(t.Trials, func(a, b Trial) int { return cmp.Compare(b.NDCG, a.NDCG) })
	t.Best = t.Trials[0].Setting
	t.compare(c, chosen, tested, keys, found)
	return t, nil
}

// search finds the passages of every question.
func (c TuneConfig) search(ctx context.Context, s Setting, questions []dataset.Question) (map[string][]corpus.Passage, error) {
	r, err := c.Open(ctx, s)
	if err != nil {
		return nil, err
	}
	found := map[string][]corpus.Passage{}
	const atOnce = 32
	for batch := range slices.Chunk(questions, atOnce) {
		requests := make([]retrieve.Request, len(batch))
		for i, q := range batch {
			requests[i] = c.Request
			requests[i].Question, requests[i].Mode = q.Question, s.Mode
			requests[i].TopK = max(defaultDepth, slices.Max(c.depths()))
		}
		results, err := r.RetrieveAll(ctx, requests)
		if err != nil {
			return nil, err
		}
		for i, q := range batch {
			found[q.ID] = results[i].Passages
		}
	}
	return found, nil
}

// halves divides the questions that have evidence by their first document, so that none of these is in both halves, and says
// whether pages can be compared.
func halves(questions []dataset.Question) (level string, one, other []dataset.Question, err error) {
	byDocument := map[string][]dataset.Question{}
	level = ByPage
	for _, q := range questions {
		if len(q.Evidence) == 0 {
			continue
		}
		d := q.Evidence[0].Document
		byDocument[d] = append(byDocument[d], q)
		if len(gold(q)[ByPage]) == 0 {
			level = ByDocument
		}
	}
	if len(byDocument) < 2 {
		return "", nil, nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "tune: the questions have evidence in %s, and the documents can't be divided", map[bool]string{true: "one document", false: "no document"}[len(byDocument) == 1]),
			"add questions with evidence in other documents")
	}
	var documents []string
	for d := range byDocument {
		documents = append(documents, d)
	}
	slices.SortFunc(documents, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(byDocument[b]), len(byDocument[a])), cmp.Compare(hashOf(a), hashOf(b)))
	})
	for _, d := range documents {
		if len(one) <= len(other) {
			one = append(one, byDocument[d]...)
		} else {
			other = append(other, byDocument[d]...)
		}
	}
	return level, one, other, nil
}

// CheckTunable fails with corpus.ErrInvalid when there are too few documents to divide.
func CheckTunable(questions []dataset.Question) error {
	_, _, _, err := halves(questions)
	return err
}

func ndcgs(level string, questions []dataset.Question, found map[string][]corpus.Passage) (values []float64) {
	for _, q := range questions {
		v, _ := metric.NDCG(rankings(found[q.ID])[level], gold(q)[level], tunedAt)
		values = append(values, v)
	}
	return values
}

// given is the share of each question's evidence that is among its first k passages.
func given(level string, questions []dataset.Question, found map[string][]corpus.Passage, k int) (values []float64) {
	for _, q := range questions {
		first := found[q.ID]
		items := map[string]bool{}
		for _, item := range rankings(first[:min(k, len(first))])[level] {
			items[item] = true
		}
		_, share := metric.Overlap(items, keysOf(gold(q)[level]))
		values = append(values, *share)
	}
	return values
}

func average0(values []float64) float64 { return stat.NewSample(values, nil).Mean() }

// compare looks at the tested half, which nothing was chosen by.
func (t *Tuned) compare(c TuneConfig, chosen, tested []dataset.Question, keys map[string]string, found map[Setting]map[string][]corpus.Passage) {
	order := make([]string, len(tested))
	for i, q := range tested {
		order[i] = keys[q.ID]
	}
	before, after := ndcgs(t.Level, tested, found[c.Current]), ndcgs(t.Level, tested, found[t.Best])
	t.Before, t.After = known(before, order), known(after, order)
	gain := stat.NewSample(differences(after, before), order)
	// The number of passages is chosen for the setting that is adopted, and both comparisons are adjusted for each other:
	// a gain that only holds by itself is not adopted.
	setting, adopted := t.Best, found[t.Best]
	for {
		t.BestTopK = c.depth(t.Level, chosen, adopted)
		samples := []stat.Sample{gain}
		if t.BestTopK != c.TopK {
			now, then := given(t.Level, tested, adopted, c.TopK), given(t.Level, tested, adopted, t.BestTopK)
			samples = append(samples, stat.NewSample(differences(then, now), order))
		}
		compared := stat.Compare(samples, stat.Rule{})
		t.Gain, t.TopKGain = compared[0], stat.Comparison{}
		if len(compared) > 1 {
			t.TopKGain = compared[1]
		}
		holds := t.Best != c.Current && t.Gain.Verdict == stat.Better
		if holds || setting == c.Current {
			t.Better = holds && setting == t.Best
			break
		}
		setting, adopted = c.Current, found[c.Current]
	}
	switch {
	case t.BestTopK > c.TopK:
		t.Deeper = t.TopKGain.Verdict == stat.Better
	case t.BestTopK < c.TopK:
		t.Deeper = t.TopKGain.Verdict != stat.TooFewQuestions && t.TopKGain.Interval != nil && t.TopKGain.Interval.Low >= -slack
	}
	for _, k := range c.depths() {
		t.TopKTries = append(t.TopKTries, Depth{k, known(given(t.Level, tested, adopted, k), order)})
	}
}

// depths lists the numbers of passages that are compared, in order, each once.
func (c TuneConfig) depths() []int {
	list := append([]int{c.TopK}, c.TopKs...)
	slices.Sort(list)
	return slices.Compact(list)
}

// depth is the least number of passages that gives about as much of the evidence as any.
func (c TuneConfig) depth(level string, questions []dataset.Question, found map[string][]corpus.Passage) int {
	list := c.depths()
	most := average0(given(level, questions, found, list[len(list)-1]))
	for _, k := range list {
		if average0(given(level, questions, found, k)) >= most-slack {
			return k
		}
	}
	return c.TopK
}

func differences(a, b []float64) []float64 {
	d := make([]float64, len(a))
	for i := range a {
		d[i] = a[i] - b[i]
	}
	return d
}

func known(values []float64, keys []string) Mean {
	scores := make([]*float64, len(values))
	for i := range values {
		scores[i] = &values[i]
	}
	return meanOf(scores, keys)
}
