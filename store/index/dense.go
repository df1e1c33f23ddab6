package index

import (
	"math"

	"grounded/store/index/internal/kernel"
)

// denseSpare is how many rows more than asked for the coarse scan keeps for exact scoring: a coarse byte errs by about
// 1/500 of a vector's largest component, which moves a row by few ranks among the first.
func denseSpare(k int) int { return k/4 + 32 }

// scanRows is how many rows are scored before they are compared.
const scanRows = 256

// scan offers rows from to to of a view to best, by the coarse parts of their vectors.
func (s *search) scan(best *top, number, from, to int) {
	v := &s.views[number]
	allow := s.allowed(v)
	var dots [scanRows]int32
	for ; from < to; from += scanRows {
		n := min(scanRows, to-from)
		kernel.Dots(dots[:n], v.coarse[from*v.stride:(from+n)*v.stride], s.vector.scan)
		scales := v.scales[from : from+n]
		floor := best.floor
		for i, dot := range dots[:n] {
			score := float32(dot) * scales[i]
			if score < floor {
				continue
			}
			if place := from + i; allow(place) {
				best.offer(candidate{score, uint16(number), uint16(place), v.rows[place]})
				floor = best.floor
			}
		}
	}
}

// lowest is a floor that everything passes.
var lowest = float32(math.Inf(-1))

// cosine is the exact similarity of a row with the query.
func (s *search) cosine(c candidate) float64 {
	v := &s.views[c.view]
	at := int(c.place) * v.stride
	return float64(kernel.FineDot(v.coarse[at:at+v.stride], v.fine[at:at+v.stride], s.vector.exact)) * float64(v.scales[c.place])
}
