package stat

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Resamples of a bootstrap or a randomisation, and the seed that they are drawn with.
const (
	Resamples = 10_000
	seed      = 0x67726f756e646564
)

// Interval is where a mean lies with the given confidence.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Bootstrap returns the bias-corrected and accelerated interval of the mean (BCa; Efron, 1987): the quantiles of the
// means of resamples, of whole clusters with replacement, at
//
//	Φ(z₀ + (z₀+z)/(1 − a(z₀+z))), z the normal quantile of (1∓confidence)/2,
//
// with z₀ from the share of resampled means below the mean (ties count half) and the acceleration a from the
// jackknife. ok is false for fewer than two clusters. Where all resamples are alike, as when no score differs, it is
// the mean alone.
func Bootstrap(s Sample, confidence float64) (interval Interval, ok bool) {
	g := len(s.sums)
	if g < 2 {
		return Interval{}, false
	}
	if s.uniform() {
		return Interval{s.Mean(), s.Mean()}, true
	}
	means := s.resample()
	slices.Sort(means)
	mean := s.Mean()
	// Sums in another order differ in their last bits.
	slack := 1e-12 * max(1, math.Abs(mean))
	below, _ := slices.BinarySearch(means, mean-slack)
	upTo, _ := slices.BinarySearch(means, mean+slack)
	share := float64(below+upTo) / 2 / Resamples
	if share == 0 || share == 1 {
		return Interval{min(mean, means[0]), max(mean, means[Resamples-1])}, true
	}
	z0, a := Quantile(share), s.acceleration()
	at := func(tail float64) float64 {
		z := z0 + Quantile(tail)
		return quantileOf(means, cumulative(z0+z/(1-a*z)))
	}
	tail := (1 - confidence) / 2
	return Interval{at(tail), at(1 - tail)}, true
}

// resample returns the means of Resamples samples of as many clusters, drawn with replacement.
func (s Sample) resample() []float64 {
	type cluster struct{ sum, count float64 }
	g := uint64(len(s.sums))
	clusters := make([]cluster, g)
	for i := range clusters {
		clusters[i] = cluster{s.sums[i], s.counts[i]}
	}
	random := rand.NewPCG(seed, g)
	means := make([]float64, Resamples)
	for i := range means {
		sum, count := 0.0, 0.0
		for left := g; left > 0; left-- {
			draw := random.Uint64() // makes two numbers below g; a bias of g/2³² is far below the chance in 10,000
			c := clusters[draw&math.MaxUint32*g>>32]
			sum, count = sum+c.sum, count+c.count
			if left > 1 {
				left--
				c = clusters[draw>>32*g>>32]
				sum, count = sum+c.sum, count+c.count
			}
		}
		means[i] = sum / count
	}
	return means
}

// uniform reports whether all values are alike as far as their clusters tell, so that no resample differs.
func (s Sample) uniform() bool {
	for i := range s.sums {
		if s.sums[i]*s.counts[0] != s.sums[0]*s.counts[i] {
			return false
		}
	}
	return true
}

// acceleration is Σ(m̄−mᵢ)³ / 6(Σ(m̄−mᵢ)²)^1.5 over the means mᵢ without cluster i.
func (s Sample) acceleration() float64 {
	g, total := len(s.sums), s.Mean()*float64(s.n)
	means, middle := make([]float64, g), 0.0
	for i := range means {
		means[i] = (total - s.sums[i]) / (float64(s.n) - s.counts[i])
		middle += means[i] / float64(g)
	}
	squares, cubes := 0.0, 0.0
	for _, m := range means {
		d := middle - m
		squares += d * d
		cubes += d * d * d
	}
	if squares == 0 {
		return 0
	}
	return cubes / (6 * math.Pow(squares, 1.5))
}

// quantileOf interpolates between sorted values.
func quantileOf(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	i := int(at)
	if i >= len(sorted)-1 {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Quantile of the standard normal distribution, for 0 < p < 1.
func Quantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

func cumulative(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

// Percentile interpolates between values, which need not be sorted; p is from 0 to 1. It is NaN for none.
func Percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return quantileOf(slices.Sorted(slices.Values(values)), p)
}
