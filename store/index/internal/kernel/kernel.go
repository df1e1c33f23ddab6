// Package kernel has the inner loops of dense search, in assembly for x86-64 with AVX2 and in Go for every other
// machine.
package kernel

//go:generate go run ./gen -out dot_amd64.s -stubs dot_amd64.go -pkg kernel

// Lanes is what a stride, the length of a row with its padding of zeros, is a multiple of.
const Lanes = 16

// Dots puts the dot products of len(out) rows with the query into out. rows has len(query) components for each
// row one after the other; len(query) is a positive multiple of Lanes. The sum of absolute products of a row must
// fit an int32.
func Dots(out []int32, rows []int8, query []int16) {
	stride := len(query)
	if len(out) == 0 {
		return
	}
	_ = rows[len(out)*stride-1]
	dots(out, rows, query)
}

// FineDot is the dot product of one row with the query: component i of the row is coarse[i]·65536 + fine[i]. All
// have the length of the query, a positive multiple of Lanes. Components are below 2²⁴ in magnitude.
func FineDot(coarse []int8, fine []int16, query []float32) float32 {
	_, _ = coarse[len(query)-1], fine[len(query)-1]
	return fineDot(coarse, fine, query)
}

func dotsPortable(out []int32, rows []int8, query []int16) {
	for i := range out {
		row := rows[i*len(query):][:len(query)]
		var a, b, c, d int32
		for j := 0; j+4 <= len(row) && j+4 <= len(query); j += 4 {
			r, q := row[j:j+4:j+4], query[j:j+4:j+4]
			a += int32(r[0]) * int32(q[0])
			b += int32(r[1]) * int32(q[1])
			c += int32(r[2]) * int32(q[2])
			d += int32(r[3]) * int32(q[3])
		}
		out[i] = a + b + c + d
	}
}

func fineDotPortable(coarse []int8, fine []int16, query []float32) float32 {
	coarse, fine = coarse[:len(query)], fine[:len(query)]
	sum := 0.0
	for i, q := range query {
		sum += float64(int32(coarse[i])<<16+int32(fine[i])) * float64(q)
	}
	return float32(sum)
}
