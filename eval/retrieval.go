package eval

import (
	"context"
	"fmt"
	"slices"

	"grounded/corpus"
	"grounded/eval/dataset"
	"grounded/eval/metric"
	"grounded/retrieve"
)

// BatchRetriever searches for many questions at once; a retrieve.Retriever does.
type BatchRetriever interface {
	RetrieveAll(ctx context.Context, requests []retrieve.Request) ([]retrieve.Result, error)
}

// Cutoffs of retrieval metrics.
func cutoffs() []int { return []int{5, 10} }

// rankingMetrics by name, in the order that they are shown.
var rankingMetrics = []struct {
	name  string
	score func(ranking []string, gains map[string]float64, k int) (float64, bool)
}{
	{"recall", metric.Recall}, {"precision", metric.Precision}, {"mrr", metric.ReciprocalRank}, {"ndcg", metric.NDCG},
}

// RetrievalConfig of a measurement.
type RetrievalConfig struct {
	Retriever BatchRetriever
	Request   retrieve.Request // all but the question; TopK 0 is 60: enough that ten pages are among them
	AtOnce    int              // questions searched at once; 0 is 32
	Done      func(questions int)
}

// RetrievalReport is how well passages are found.
type RetrievalReport struct {
	Questions int         `json:"questions"`
	Unit      string      `json:"unit"` // that intervals resample
	Scores    []LevelMean `json:"scores"`
	// PerQuestion has each question's scores, null where there is no evidence at that level.
	PerQuestion []QuestionScores `json:"per_question,omitempty"`
}

// LevelMean is one metric at one cutoff and level.
type LevelMean struct {
	Level  string `json:"level"`
	Metric string `json:"metric"`
	K      int    `json:"k"`
	Mean
}

// QuestionScores are those of one question, as "page ndcg@10".
type QuestionScores struct {
	ID     string              `json:"id"`
	Scores map[string]*float64 `json:"scores"`
}

const defaultDepth = 60

// MeasureRetrieval searches for each question that has evidence and scores what is found. A question with history is
// searched as it stands. The evidence must name documents as the collection does (dataset.Resolver). An error of the
// retriever ends it.
func MeasureRetrieval(ctx context.Context, c RetrievalConfig, questions []dataset.Question) (RetrievalReport, error) {
	if c.Request.TopK == 0 {
		c.Request.TopK = defaultDepth
	}
	if c.AtOnce <= 0 {
		c.AtOnce = 32
	}
	var asked []dataset.Question
	for _, q := range questions {
		if len(q.Evidence) > 0 {
			asked = append(asked, q)
		}
	}
	if err := CheckMeasurable(questions); err != nil {
		return RetrievalReport{}, err
	}
	unit, keys := clusters(asked)
	r := RetrievalReport{Questions: len(questions), Unit: unit}
	for from := 0; from < len(asked); from += c.AtOnce {
		batch := asked[from:min(from+c.AtOnce, len(asked))]
		requests := make([]retrieve.Request, len(batch))
		for i, q := range batch {
			requests[i] = c.Request
			requests[i].Question = q.Question
		}
		results, err := c.Retriever.RetrieveAll(ctx, requests)
		if err != nil {
			return r, err
		}
		for i, q := range batch {
			r.PerQuestion = append(r.PerQuestion, QuestionScores{q.ID, scoreRanking(q, results[i].Passages)})
		}
		if c.Done != nil {
			c.Done(from + len(batch))
		}
	}
	r.summarise(len(questions), keys)
	return r, nil
}

// CheckMeasurable fails with corpus.ErrInvalid when no question has evidence.
func CheckMeasurable(questions []dataset.Question) error {
	if slices.ContainsFunc(questions, func(q dataset.Question) bool { return len(q.Evidence) > 0 }) {
		return nil
	}
	return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "measure retrieval: no question has evidence"),
		`add "evidence": [{"document": "a.pdf", "page": 3}] to the dataset's lines`)
}

// scoreRanking gives every ranking metric of passages, by "level metric@k".
func scoreRanking(q dataset.Question, passages []corpus.Passage) map[string]*float64 {
	scores := map[string]*float64{}
	gains, found := gold(q), rankings(passages)
	for _, level := range []string{ByDocument, ByPage} {
		for _, m := range rankingMetrics {
			for _, k := range cutoffs() {
				scores[scoreName(level, m.name, k)] = nil
				if v, ok := m.score(found[level], gains[level], k); ok {
					scores[scoreName(level, m.name, k)] = &v
				}
			}
		}
	}
	return scores
}

func scoreName(level, metric string, k int) string { return fmt.Sprintf("%s %s@%d", level, metric, k) }

func (r *RetrievalReport) summarise(questions int, keys map[string]string) {
	for _, level := range []string{ByDocument, ByPage} {
		for _, m := range rankingMetrics {
			for _, k := range cutoffs() {
				var scores []*float64
				var units []string
				for _, q := range r.PerQuestion {
					scores, units = append(scores, q.Scores[scoreName(level, m.name, k)]), append(units, keys[q.ID])
				}
				mean := meanOf(scores, units)
				mean.Items = questions
				r.Scores = append(r.Scores, LevelMean{level, m.name, k, mean})
			}
		}
	}
}
