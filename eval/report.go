package eval

import (
	"cmp"
	"slices"
	"sync"

	"grounded/answer"
	"grounded/corpus"
	"grounded/eval/dataset"
	"grounded/eval/stat"
)

// Report is what a run came to.
type Report struct {
	Header      Header        `json:"run"`
	Panel       []string      `json:"panel,omitempty"` // names of the runs that Panel took columns of
	Metric      string        `json:"metric"`          // that comparisons and verdicts are by
	Unit        string        `json:"unit"`            // that intervals resample
	Columns     []Column      `json:"columns"`
	Comparisons []Comparison  `json:"comparisons"`
	Grounding   []Grounding   `json:"grounding"`
	Calibration []Calibration `json:"calibration,omitempty"` // of each grounded column that has scores to show
	Judging     []Judging     `json:"judging,omitempty"`
	Agreement   []Agreement   `json:"agreement,omitempty"` // of people's labels with what judges
	// LabelsOfNothing are labels of sentences and pairs that were not judged.
	LabelsOfNothing int `json:"labels_of_nothing,omitempty"`

	questions []dataset.Question // that any column has asked, in order
	keys      map[string]string  // cluster by question
}

// Column is one model by one arm.
type Column struct {
	Model   string          `json:"model"`
	Arm     string          `json:"arm"`
	Way     string          `json:"way"`     // to better answers, for people
	Items   int             `json:"items"`   // that there should be
	Missing int             `json:"missing"` // not asked yet
	Failed  int             `json:"failed"`
	Scores  map[string]Mean `json:"scores"`
	// Latencies in milliseconds: quantiles over the answered items.
	FirstToken Quantiles `json:"first_token_ms"`
	Total      Quantiles `json:"total_ms"`
	CostUSD    *float64  `json:"cost_usd"` // of all answers; nil when one is not known
	PerRight   *float64  `json:"cost_per_right_usd"`

	scores map[string]Scores // by question
	items  map[string]Item
}

// Quantiles are nil when nothing is known.
type Quantiles struct {
	P50 *float64 `json:"p50"`
	P95 *float64 `json:"p95"`
	P99 *float64 `json:"p99"`
}

// Comparison of one column with another on the questions that both have a score of.
type Comparison struct {
	Model  string `json:"model"`
	Arm    string `json:"arm"`
	Than   string `json:"than_model"`
	Beside string `json:"than_arm"`
	stat.Comparison
}

// ReportConfig says how a run is reported.
type ReportConfig struct {
	Metric string // default F1
	Rule   stat.Rule
	// Baseline names the model that a model is compared with by each arm, where it is not the first.
	Baseline map[string]string

	Judgements []Judgement // what judges said
	Labels     []Label     // what people say
}

// NewReport scores all items and compares: of each model each arm with plain, grounded with oracle, and, by each arm,
// each model with the first. All verdicts are adjusted for each other.
func NewReport(h Header, items []Item, c ReportConfig) (Report, error) {
	c.Metric = cmp.Or(c.Metric, F1)
	if !slices.Contains(ScoreNames(), c.Metric) {
		return Report{}, corpus.Errorf(corpus.ErrInvalid, "report: there is no score %q", c.Metric)
	}
	if !isQuality(c.Metric) || c.Metric == Abstained {
		return Report{}, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "report: more %s is not better, so that nothing is compared by it", c.Metric), "compare by f1, right, exact or contains; tokens, cost and time are in every report")
	}
	r := Report{Header: h, Metric: c.Metric}
	r.questions = asked(items)
	r.Unit, r.keys = clusters(r.questions)
	byColumn := map[[2]string][]Item{}
	for _, i := range items {
		byColumn[[2]string{i.Model, i.Arm}] = append(byColumn[[2]string{i.Model, i.Arm}], i)
	}
	r.Columns = make([]Column, len(h.Models)*len(h.Arms))
	var wg sync.WaitGroup
	for i := range r.Columns {
		wg.Go(func() {
			model, arm := h.Models[i/len(h.Arms)].ID, h.Arms[i%len(h.Arms)]
			r.Columns[i] = r.column(model, arm, byColumn[[2]string{model, arm}])
			r.Columns[i].Way = way(h.Models[i/len(h.Arms)], arm)
		})
	}
	wg.Wait()
	r.Columns = slices.DeleteFunc(r.Columns, func(c Column) bool { return !h.asks(c.Model, c.Arm) })
	r.compare(c)
	for _, m := range h.Models {
		if g, ok := r.grounding(m.ID); ok {
			r.Grounding = append(r.Grounding, g)
		}
	}
	for _, c := range r.Columns {
		if k := Calibrate(c); len(k.Curve) > 0 {
			r.Calibration = append(r.Calibration, k)
		}
	}
	r.Judging = r.judgings(c)
	r.Agreement, r.LabelsOfNothing = r.agreements(c.Labels)
	return r, nil
}

// asked lists the questions of items, in order.
func asked(items []Item) (questions []dataset.Question) {
	seen := map[string]bool{}
	for _, i := range items {
		if !seen[i.Question.ID] {
			seen[i.Question.ID] = true
			questions = append(questions, i.Question)
		}
	}
	return questions
}

func (r *Report) column(model, arm string, items []Item) Column {
	c := Column{Model: model, Arm: arm, Scores: map[string]Mean{}, scores: map[string]Scores{}, items: map[string]Item{}}
	var order []string
	cost, costKnown, rights := 0.0, true, 0.0
	unasked := 0
	for _, i := range items {
		s := Score(i)
		order = append(order, i.Question.ID)
		c.scores[i.Question.ID], c.items[i.Question.ID] = s, i
		switch v, known := s[CostUSD]; {
		case i.Answer == nil:
			c.Failed++
		case known:
			cost += v
		default:
			costKnown = false
		}
		rights += s[Right]
	}
	for _, q := range r.questions {
		if _, there := c.items[q.ID]; !there && applies(arm, q) {
			unasked++
		}
	}
	// Questions that no column has asked yet can't be told by whether they apply.
	c.Missing = unasked + max(0, r.Header.Questions-len(r.questions))
	c.Items = len(order) + c.Missing
	for _, name := range ScoreNames() {
		var values []*float64
		var keys []string
		for _, id := range order {
			values, keys = append(values, c.scores[id].get(name)), append(keys, r.keys[id])
		}
		m, _ := plainMean(values, keys)
		if isQuality(name) {
			m = meanOf(values, keys)
		}
		if name == CostUSD && !costKnown { // what declined without a model, free, is not what the others cost
			m.Mean = nil
		}
		m.Items = c.Items
		c.Scores[name] = m
	}
	c.FirstToken, c.Total = c.quantiles(FirstTokenMS), c.quantiles(TotalMS)
	if costKnown && len(order) > c.Failed {
		c.CostUSD = &cost
		if rights > 0 {
			per := cost / rights
			c.PerRight = &per
		}
	}
	return c
}

func (c Column) quantiles(name string) (q Quantiles) {
	var values []float64
	for _, s := range c.scores {
		if v, ok := s[name]; ok {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return q
	}
	at := func(p float64) *float64 {
		v := stat.Percentile(values, p)
		return &v
	}
	return Quantiles{at(.5), at(.95), at(.99)}
}

// Answered counts the items that have an answer.
func (c Column) Answered() int { return c.Items - c.Missing - c.Failed }

// CostPerQuestion is what an answer costs on average, in US dollars; nil when the cost of one is not known.
func (c Column) CostPerQuestion() *float64 { return c.mean(CostUSD) }

// Item of a question with its scores; false if there is none.
func (c Column) Item(question string) (Item, Scores, bool) {
	i, ok := c.items[question]
	return i, c.scores[question], ok
}

// Questions that any column has asked, in order.
func (r *Report) Questions() []dataset.Question { return r.questions }

// find returns a column, or nil.
func (r *Report) find(model, arm string) *Column {
	for i := range r.Columns {
		if r.Columns[i].Model == model && r.Columns[i].Arm == arm {
			return &r.Columns[i]
		}
	}
	return nil
}

func (r *Report) compare(c ReportConfig) {
	var pairs []Comparison
	var samples []stat.Sample
	add := func(model, arm, than, beside string) {
		a, b := r.find(model, arm), r.find(than, beside)
		if a == nil || b == nil {
			return
		}
		values, keys := r.paired(*a, *b, r.Metric)
		pairs = append(pairs, Comparison{Model: model, Arm: arm, Than: than, Beside: beside})
		samples = append(samples, stat.NewSample(values, keys))
	}
	for _, m := range r.Header.Models {
		for _, arm := range []string{answer.ArmFewShot, answer.ArmGrounded, ArmDistractor, ArmOracle} {
			add(m.ID, arm, m.ID, answer.ArmPlain)
		}
		add(m.ID, ArmOracle, m.ID, answer.ArmGrounded)
	}
	for i, m := range r.Header.Models {
		for _, arm := range r.Header.Arms {
			switch than, named := c.Baseline[m.ID]; {
			case named:
				add(m.ID, arm, than, arm)
			case i > 0 && c.Baseline == nil:
				add(m.ID, arm, r.Header.Models[0].ID, arm)
			}
		}
	}
	for i, compared := range stat.Compare(samples, c.Rule) {
		pairs[i].Comparison = compared
		a, b := r.find(pairs[i].Model, pairs[i].Arm), r.find(pairs[i].Than, pairs[i].Beside)
		won, lost := changes(*a, *b, Right)
		if compared.Questions > 0 {
			p := stat.McNemar(won, lost)
			pairs[i].McNemar = &p
		}
	}
	r.Comparisons = pairs
}

// paired lists the differences a−b of a score over the questions that both have one of, in the order of the items.
func (r *Report) paired(a, b Column, name string) (differences []float64, keys []string) {
	for _, q := range r.questions {
		x, y := a.scores[q.ID].get(name), b.scores[q.ID].get(name)
		if x != nil && y != nil {
			differences, keys = append(differences, *x-*y), append(keys, r.keys[q.ID])
		}
	}
	return differences, keys
}

// changes counts the questions where a is 1 and b is 0, and the other way round.
func changes(a, b Column, name string) (won, lost int) {
	for id, s := range a.scores {
		x, y := s.get(name), b.scores[id].get(name)
		switch {
		case x == nil || y == nil:
		case *x > *y:
			won++
		case *x < *y:
			lost++
		}
	}
	return won, lost
}
