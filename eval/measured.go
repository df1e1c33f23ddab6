package eval

import (
	"time"

	"grounded/corpus"
	"grounded/eval/stat"
)

// Measured is what one run came to for one model by one arm.
type Measured struct {
	Run        string    `json:"run"`
	Created    time.Time `json:"created"`
	Dataset    string    `json:"dataset"`
	Collection string    `json:"collection"`
	Embedding  string    `json:"embedding"` // model of the collection
	Arm        string    `json:"arm"`
	Answered   int       `json:"answered"`
	Items      int       `json:"items"` // that there should be
	F1         Mean      `json:"f1"`
	Right      Mean      `json:"right"`
	FirstToken Quantiles `json:"first_token_ms"`
	Total      Quantiles `json:"total_ms"`
	// TokensPerSecond is how fast answers are written once they have begun: tokens over seconds from the first of them.
	TokensPerSecond *float64 `json:"tokens_per_second"`
	PerQuestion     *float64 `json:"cost_per_question_usd"`
	PerRight        *float64 `json:"cost_per_right_usd"`
	// Of the grounded arm, where the run has plain too: answers that were right without documents and wrong with them,
	// and their share of those that were right without.
	Harmed   *int     `json:"harmed"`
	HarmRate *float64 `json:"harm_rate"`
}

// Measure lists what runs say of a model, in their order, an arm after the other. Arms without items are left out.
func Measure(runs []Stored, model string) ([]Measured, error) {
	list := []Measured{}
	for _, run := range runs {
		part := run.of(model)
		if len(part.Items) == 0 {
			continue
		}
		r, err := NewReport(part.Header, part.Items, ReportConfig{})
		if err != nil {
			return nil, err
		}
		for _, c := range r.Columns {
			if len(c.items) == 0 {
				continue
			}
			m := Measured{
				Run: run.Name, Created: run.Header.Created, Dataset: run.Header.Dataset, Collection: run.Header.Collection,
				Embedding: run.Header.Embedding.Model, Arm: c.Arm, Answered: c.Answered(), Items: c.Items, F1: c.Scores[F1], Right: c.Scores[Right],
				FirstToken: c.FirstToken, Total: c.Total, TokensPerSecond: c.TokensPerSecond(), PerQuestion: c.CostPerQuestion(), PerRight: c.PerRight,
			}
			if g := r.Grounding; len(g) > 0 && c.Arm == "grounded" {
				harmed := len(g[0].Harmed)
				m.Harmed, m.HarmRate = &harmed, g[0].HarmRate
			}
			list = append(list, m)
		}
	}
	return list, nil
}

// TokensPerSecond is how fast answers are written once they have begun, without the time that their citations are looked
// up in; nil when no answer tells.
func (c Column) TokensPerSecond() *float64 {
	tokens, milliseconds := 0.0, 0.0
	for id, s := range c.scores {
		n, first, written := s.get(CompletionTokens), s.get(FirstTokenMS), writtenMS(c.items[id].Answer)
		// The first token is what the time to it is for.
		if n == nil || first == nil || written == nil || *n < 2 || *written <= *first {
			continue
		}
		tokens += *n - 1
		milliseconds += *written - *first
	}
	if milliseconds == 0 {
		return nil
	}
	rate := tokens / milliseconds * 1000
	return &rate
}

// writtenMS is when the last token of an answer was there, in milliseconds. It is nil where citations were looked up and how
// long is not known, as in items of earlier versions.
func writtenMS(a *corpus.Answer) *float64 {
	switch {
	case a == nil || a.Timings.TotalMS == nil:
		return nil
	case a.Timings.CheckMS != nil:
		at := *a.Timings.TotalMS - *a.Timings.CheckMS
		return &at
	case len(a.Passages) > 0 && !a.Abstained:
		return nil
	}
	return a.Timings.TotalMS
}

// mean of a score; nil when no item has one.
func (c Column) mean(name string) *float64 { return c.Scores[name].Mean }

// samples are the differences between what two columns are worth, question by question, with the clusters.
func (r *Report) samples(a, b Column, worth func(Scores) *float64) stat.Sample {
	var differences []float64
	var keys []string
	for _, q := range r.questions {
		x, y := worth(a.scores[q.ID]), worth(b.scores[q.ID])
		if x != nil && y != nil {
			differences, keys = append(differences, *x-*y), append(keys, r.keys[q.ID])
		}
	}
	return stat.NewSample(differences, keys)
}

// meanOf what a column is worth over the questions that tell; 0 when none does.
func (r *Report) meanOf(c Column, worth func(Scores) *float64) float64 {
	sum, n := 0.0, 0
	for _, q := range r.questions {
		if v := worth(c.scores[q.ID]); v != nil {
			sum, n = sum+*v, n+1
		}
	}
	return sum / float64(max(n, 1))
}
