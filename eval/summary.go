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
	m := Mean{Items: len(scores)}
	var values []float64
	var known []string
	for i, s := range scores {
		if s != nil {
			values, known = append(values, *s), append(known, keys[i])
		}
	}
	m.Scored = len(values)
	if m.Scored == 0 {
		return m
	}
	sample := stat.NewSample(values, known)
	mean := sample.Mean()
	m.Mean = &mean
	if i, ok := stat.Bootstrap(sample, 0.95); ok {
		m.Interval = &i
	}
	return m
}
