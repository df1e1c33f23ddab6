package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// made returns rows and a query that fill the ranges they may have.
func made(r *rand.Rand, count, stride int) (coarse []int8, fine, query []int16, exact []float32) {
	coarse, fine = make([]int8, count*stride), make([]int16, count*stride)
	query, exact = make([]int16, stride), make([]float32, stride)
	for i := range coarse {
		coarse[i], fine[i] = int8(r.IntN(255)-127), int16(r.Uint32())
	}
	limit := min(math.MaxInt16, math.MaxInt32/(127*stride))
	for i := range query {
		query[i], exact[i] = int16(r.IntN(2*limit+1)-limit), float32(r.NormFloat64())
	}
	return coarse, fine, query, exact
}

func TestKernelsAgreeWithTheirPortableTwins(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, stride := range []int{16, 32, 48, 384, 1024, 4096} {
		for count := range 11 {
			compare(t, r, count, stride)
		}
	}
}

func FuzzKernelsAgreeWithTheirPortableTwins(f *testing.F) {
	f.Add(uint64(1), uint16(5), uint16(3))
	f.Fuzz(func(t *testing.T, seed uint64, count, lanes uint16) {
		compare(t, rand.New(rand.NewPCG(seed, 0)), int(count%300), Lanes*(1+int(lanes%300)))
	})
}

func compare(t *testing.T, r *rand.Rand, count, stride int) {
	t.Helper()
	coarse, fine, query, exact := made(r, count, stride)
	if count > 1 { // the largest sums
		for i := range stride {
			coarse[i] = 127
			if query[i] < 0 {
				coarse[i] = -127
			}
		}
	}
	got, want := make([]int32, count), make([]int32, count)
	Dots(got, coarse, query)
	dotsPortable(want, coarse, query)
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("row %d of %d × %d: %d, want %d", i, count, stride, got[i], want[i])
		}
		row, rest := coarse[i*stride:(i+1)*stride], fine[i*stride:(i+1)*stride]
		a, b := FineDot(row, rest, exact), fineDotPortable(row, rest, exact)
		if math.Abs(float64(a-b)) > 1e-6*float64(stride)*(127<<16) {
			t.Fatalf("row %d of %d × %d: fine dot %v, want %v", i, count, stride, a, b)
		}
	}
}

func TestDotsWritesNothingBesideItsOutput(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for count := range 9 {
		coarse, _, query, _ := made(r, count, 32)
		out := make([]int32, count+8)
		for i := range out {
			out[i] = -7
		}
		Dots(out[:count], coarse, query)
		for i, v := range out[count:] {
			if v != -7 {
				t.Fatalf("%d rows: place %d behind the output is %d", count, i, v)
			}
		}
	}
}

// BenchmarkDots scans rows that stay in a core's cache.
func BenchmarkDots(b *testing.B) {
	for _, twin := range []struct {
		name string
		dots func(out []int32, rows []int8, query []int16)
	}{{"best", Dots}, {"portable", dotsPortable}} {
		b.Run(fmt.Sprintf("%s/rows=256/dimensions=384", twin.name), func(b *testing.B) {
			coarse, _, query, _ := made(rand.New(rand.NewPCG(5, 6)), 256, 384)
			out := make([]int32, 256)
			b.SetBytes(int64(len(coarse)))
			for b.Loop() {
				twin.dots(out, coarse, query)
			}
		})
	}
}
