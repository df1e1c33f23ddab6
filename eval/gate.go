package eval

import (
	"fmt"

	"grounded/eval/stat"
)

// GateLimits say how much worse a run may be than its baseline.
type GateLimits struct {
	MaxDrop   float64 // of the mean score
	MaxFailed float64 // share of the items that may be missing or failed beyond the baseline's
}

// GateLine is one model and arm of the baseline.
type GateLine struct {
	Model  string   `json:"model"`
	Arm    string   `json:"arm"`
	Before *float64 `json:"before"`
	Now    *float64 `json:"now"`
	Failed bool     `json:"failed"`
	Why    string   `json:"why"` // a sentence, empty when all is well
	stat.Comparison
}

// Gate compares each column of a baseline with the same one of a run. A column fails when the run does not have it,
// when more of its answers are missing or failed, or when its verdict is worse and its score dropped by more than
// allowed. Errors are those of Merge and NewReport.
func Gate(before Header, old []Item, after Header, items []Item, c ReportConfig, limits GateLimits) ([]GateLine, error) {
	const was, is = "baseline", "run"
	header, all, baseline, err := Merge([]string{was, is}, []Header{before, after}, [][]Item{old, items})
	if err != nil {
		return nil, err
	}
	c.Baseline = baseline
	r, err := NewReport(header, all, c)
	if err != nil {
		return nil, err
	}
	var samples []stat.Sample
	var lines []GateLine
	for _, m := range before.Models {
		for _, arm := range before.Arms {
			a := r.find(m.ID+" @ "+was, arm)
			if a == nil || len(a.items) == 0 {
				continue
			}
			line := GateLine{Model: m.ID, Arm: arm, Before: a.Scores[r.Metric].Mean}
			b := r.find(m.ID+" @ "+is, arm)
			if b == nil || len(b.items) == 0 {
				line.Failed, line.Why = true, "The run does not have it."
				samples, lines = append(samples, stat.NewSample(nil, nil)), append(lines, line)
				continue
			}
			line.Now = b.Scores[r.Metric].Mean
			if lost := b.lost() - a.lost(); lost > limits.MaxFailed {
				line.Failed, line.Why = true, fmt.Sprintf("%d of %d answers are missing or failed.", b.Missing+b.Failed, b.Items)
			}
			values, keys := r.paired(*b, *a, r.Metric)
			samples, lines = append(samples, stat.NewSample(values, keys)), append(lines, line)
		}
	}
	for i, compared := range stat.Compare(samples, c.Rule) {
		l := &lines[i]
		l.Comparison = compared
		switch {
		case l.Why != "":
		case compared.Verdict == stat.Worse && *compared.Difference < -limits.MaxDrop:
			l.Failed, l.Why = true, fmt.Sprintf("%s dropped by %.3f.", r.Metric, -*compared.Difference)
		case compared.Verdict == stat.TooFewQuestions:
			l.Why = "Too few questions to tell."
		}
	}
	return lines, nil
}

// lost is the share of a column's items without an answer.
func (c Column) lost() float64 {
	if c.Items == 0 {
		return 0
	}
	return float64(c.Missing+c.Failed) / float64(c.Items)
}
