package stat

import (
	"cmp"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// McNemar returns the two-sided exact p-value for paired yes-or-no outcomes, of which b changed one way and c the other:
// 2·P(X ≤ min(b,c)) with X binomial of b+c and ½, at most 1 (McNemar, 1947, in its exact form).
func McNemar(b, c int) float64 {
	n, few := b+c, min(b, c)
	p := 0.0
	for k := 0; k <= few; k++ {
		p += math.Exp(logChoose(n, k) - float64(n)*math.Ln2)
	}
	return min(1, 2*p)
}

func logChoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

// exactClusters is up to how many clusters that differ all their signs are tried.
const exactClusters = 13

// Randomisation returns the two-sided p-value of a mean difference, under the hypothesis that each cluster's sum could as
// well have the other sign: the share of sign patterns with a mean at least as far from 0 (approximate randomisation;
// Noreen, 1989). Up to 13 clusters that differ from 0 all patterns are tried, which is exact; beyond, Resamples are
// drawn and p is (1+hits)/(1+Resamples), which never promises too much.
func Randomisation(s Sample) float64 {
	var differ []float64
	observed := 0.0
	for _, sum := range s.sums {
		if sum != 0 {
			differ = append(differ, sum)
			observed += sum
		}
	}
	if len(differ) == 0 {
		return 1
	}
	far := math.Abs(observed) * (1 - 1e-12)
	if len(differ) <= exactClusters {
		hits, patterns := 0, 1<<len(differ)
		for p := range patterns {
			if math.Abs(signed(differ, []uint64{uint64(p)})) >= far {
				hits++
			}
		}
		return float64(hits) / float64(patterns)
	}
	random := rand.New(rand.NewPCG(seed, uint64(len(differ))))
	words := make([]uint64, (len(differ)+63)/64)
	hits := 0
	for range Resamples {
		for i := range words {
			words[i] = random.Uint64()
		}
		if math.Abs(signed(differ, words)) >= far {
			hits++
		}
	}
	return float64(hits+1) / (Resamples + 1)
}

// signed sums values, those with their bit set with the other sign.
func signed(values []float64, flip []uint64) (sum float64) {
	for i, v := range values {
		sign := (flip[i/64] >> (i % 64) & 1) << 63
		sum += math.Float64frombits(math.Float64bits(v) ^ sign)
	}
	return sum
}

// Holm adjusts the p-values of several comparisons so that the chance of any false one stays below the level that the
// results are held against (Holm, 1979). The results are in the order of ps.
func Holm(ps []float64) []float64 {
	order := make([]int, len(ps))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ps[a], ps[b]) })
	adjusted, highest := make([]float64, len(ps)), 0.0
	for rank, i := range order {
		highest = max(highest, min(1, float64(len(ps)-rank)*ps[i]))
		adjusted[i] = highest
	}
	return adjusted
}

// power is how often a true difference is to be found.
const power = 0.8

// DetectableEffect is the smallest true mean difference that a test at level alpha finds four times out of five, given
// the spread that was seen: (z₁₋α/₂ + z.₈) · standard error (Card et al., 2020, discuss it for language models). NaN
// for fewer than two clusters.
func DetectableEffect(s Sample, alpha float64) float64 {
	return (Quantile(1-alpha/2) + Quantile(power)) * s.StandardError()
}

// QuestionsNeeded is how many questions like these would be enough to find a mean difference of effect, 0 when that
// can't be told.
func QuestionsNeeded(s Sample, alpha, effect float64) int {
	now := DetectableEffect(s, alpha)
	if !(now > 0) || !(effect > 0) {
		return 0
	}
	needed := math.Ceil(float64(s.n) * (now / effect) * (now / effect))
	if bits.Len64(uint64(needed)) > 31 {
		return 0
	}
	return int(needed)
}
