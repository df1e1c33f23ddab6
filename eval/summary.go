package eval

import (
	"grounded/eval/stat"
)

// Mean of a score over the items that have one.
type Mean struct {
	Mean     *float64       `json:"mean"`
	Interval *stat.Interval `json:"interval"` // 95%, BCa
	Scored   int            `json:"scored"`   // items with a score
	Items    int            `json:"items"`    // that were to be scored: coverage is Scored of Items
}

// meanOf averages scores, nil for those that are not known, with their clusters.
func meanOf(scores []*float64, keys []string) Mean {
	m, sample := plainMean(scores, keys)
	if i, ok := stat.Bootstrap(sample, 0.95); ok && m.Scored > 0 {
		m.Interval = &i
	}
	return m
}

// plainMean is a mean without its interval, for what is no question of chance.
func plainMean(scores []*float64, keys []string) (Mean, stat.Sample) {
	m := Mean{Items: len(scores)}
	var values []float64
	var known []string
	for i, s := range scores {
		if s != nil {
			values, known = append(values, *s), append(known, keys[i])
		}
	}
	m.Scored = len(values)
	sample := stat.NewSample(values, known)
	if m.Scored > 0 {
		mean := sample.Mean()
		m.Mean = &mean
	}
	return m, sample
}
