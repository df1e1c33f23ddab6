package index

import (
	"math"

	"grounded/store/index/internal/kernel"
)

// A vector is kept as integers of 24 bits with one scale: component = (coarse·65536 + fine) · scale. The scan
// reads the coarse bytes, 1 a dimension; the best rows are scored again with both parts, which is exact to about
// 2⁻²⁴ of the largest component, as float32 is.
const (
	fineBits   = 16
	largestInt = 127 << fineBits
)

// strideOf is the length of a row of vectors: the dimensions, padded with zeros for the kernels.
func strideOf(dimensions int) int {
	return (dimensions + kernel.Lanes - 1) / kernel.Lanes * kernel.Lanes
}

// quantise fills coarse and fine, at least as long as v, and returns the scale.
func quantise(v []float32, coarse []int8, fine []int16) (scale float32) {
	largest := float32(0)
	for _, f := range v {
		largest = max(largest, f, -f)
	}
	if largest == 0 {
		return 0
	}
	// Adding 1.5·2⁵² rounds a float64 to a whole number that is then its lowest bits.
	const round = 3 << 51
	factor := largestInt / float64(largest)
	coarse, fine = coarse[:len(v)], fine[:len(v)]
	for i, f := range v {
		n := int32(uint32(math.Float64bits(float64(f)*factor + round)))
		c := (n + 1<<(fineBits-1)) >> fineBits
		coarse[i], fine[i] = int8(c), int16(n-c<<fineBits)
	}
	return float32(float64(largest) / largestInt)
}

// vectorQuery is a query's vector in the forms that the kernels take, padded to the stride.
type vectorQuery struct {
	scan  []int16
	exact []float32
}

func newVectorQuery(v []float32) *vectorQuery {
	stride := strideOf(len(v))
	q := &vectorQuery{scan: make([]int16, stride), exact: make([]float32, stride)}
	copy(q.exact, v)
	largest := 0.0
	for _, f := range v {
		largest = max(largest, math.Abs(float64(f)))
	}
	if largest == 0 {
		return q
	}
	factor := min(math.MaxInt16, math.MaxInt32/(127*float64(stride))) / largest
	for i, f := range v {
		q.scan[i] = int16(float64(f) * factor)
	}
	return q
}
