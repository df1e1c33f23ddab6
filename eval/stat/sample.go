package stat

import (
	"cmp"
	"math"
	"slices"
)

// Sample is a list of scores, or of differences of paired scores, in clusters: scores of one cluster (questions about
// one document) may depend on each other, those of different clusters do not.
type Sample struct {
	sums   []float64 // by cluster
	counts []float64
	n      int
}

// NewSample groups values by the cluster of the same place; nil clusters make each value its own.
func NewSample(values []float64, clusters []string) Sample {
	s := Sample{n: len(values)}
	at := map[string]int{}
	for i, v := range values {
		j := len(s.sums)
		if clusters != nil {
			known, again := at[clusters[i]]
			if again {
				j = known
			} else {
				at[clusters[i]] = j
			}
		}
		if j == len(s.sums) {
			s.sums, s.counts = append(s.sums, 0), append(s.counts, 0)
		}
		s.sums[j] += v
		s.counts[j]++
	}
	// The order of clusters must not change what is drawn.
	order := make([]int, len(s.sums))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(s.sums[a], s.sums[b]), cmp.Compare(s.counts[a], s.counts[b]))
	})
	sorted := Sample{n: s.n}
	for _, i := range order {
		sorted.sums, sorted.counts = append(sorted.sums, s.sums[i]), append(sorted.counts, s.counts[i])
	}
	return sorted
}

// Len is the number of values.
func (s Sample) Len() int { return s.n }

// Clusters is their number.
func (s Sample) Clusters() int { return len(s.sums) }

// Mean of all values; NaN for an empty sample.
func (s Sample) Mean() float64 {
	total := 0.0
	for _, sum := range s.sums {
		total += sum
	}
	return total / float64(s.n)
}

// StandardError of the mean, from the spread between clusters: √(G/(G−1) · Σ (sum_g − n_g·mean)²) / n over G clusters
// (Liang and Zeger, 1986; for clusters of one it is the usual s/√n). NaN for fewer than two clusters.
func (s Sample) StandardError() float64 {
	g, mean, squares := float64(len(s.sums)), s.Mean(), 0.0
	if g < 2 {
		return math.NaN()
	}
	for i, sum := range s.sums {
		d := sum - s.counts[i]*mean
		squares += d * d
	}
	return math.Sqrt(g/(g-1)*squares) / float64(s.n)
}
