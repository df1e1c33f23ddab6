package index

import (
	"math"
	"math/rand/v2"
	"slices"
)

// made makes entries and queries of the kind that a real collection has: vectors in clusters, whose neighbours have
// cosines of .7 to .9, and terms whose frequencies follow Zipf's law.
type made struct {
	*rand.Rand
	dimensions int
	centres    [][]float32
	zipf       *rand.Zipf
	words      int // of a chunk, before repeated ones are counted together
}

func newMade(seed uint64, dimensions, clusters, vocabulary, words int) *made {
	m := &made{Rand: rand.New(rand.NewPCG(seed, 1)), dimensions: dimensions, words: words}
	m.zipf = rand.NewZipf(m.Rand, 1.07, 8, uint64(vocabulary-1))
	for range clusters {
		m.centres = append(m.centres, m.direction())
	}
	return m
}

func (m *made) direction() []float32 {
	v := make([]float32, m.dimensions)
	for i := range v {
		v[i] = float32(m.NormFloat64())
	}
	return unit(v)
}

// near returns a unit vector around a centre of cluster.
func (m *made) near() []float32 {
	centre, noise := m.centres[m.IntN(len(m.centres))], m.direction()
	spread := float32(.4 + .4*m.Float64())
	v := make([]float32, m.dimensions)
	for i := range v {
		v[i] = centre[i] + spread*noise[i]
	}
	return unit(v)
}

func unit(v []float32) []float32 {
	sum := 0.0
	for _, f := range v {
		sum += float64(f) * float64(f)
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / math.Sqrt(sum))
	}
	return v
}

func (m *made) terms() []Term {
	ids := make([]uint32, m.words/2+m.IntN(m.words))
	for i := range ids {
		ids[i] = uint32(m.zipf.Uint64())
	}
	slices.Sort(ids)
	var terms []Term
	for _, id := range ids {
		if n := len(terms); n > 0 && terms[n-1].ID == id {
			terms[n-1].Count++
		} else {
			terms = append(terms, Term{id, 1})
		}
	}
	m.Shuffle(len(terms), func(i, j int) { terms[i], terms[j] = terms[j], terms[i] })
	return terms
}

func (m *made) entry(row, doc int64) Entry {
	return Entry{Row: row, Doc: doc, Vector: m.near(), Terms: m.terms()}
}
