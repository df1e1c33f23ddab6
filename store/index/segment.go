package index

import (
	"cmp"
	"math"
	"slices"
)

// maxSegmentRows bounds a segment, so that a row's place in it fits 16 bits and what a query sums up for its rows
// stays in a core's cache.
const maxSegmentRows = 1 << 15

// segment is an immutable part of an index. Its rows are in ascending order of their keys; everything else knows
// a row by its place in that order.
type segment struct {
	rows []int64 // keys
	docs []int64 // of each row

	stride int
	coarse []int8    // len(rows) × stride
	fine   []int16   // len(rows) × stride
	scales []float32 // of each row's vector

	lengths []float32 // of each row: the sum of its terms' counts
	terms   []uint32  // distinct, ascending
	starts  []uint32  // of each term's postings, and where the last ends
	posts   []uint16  // the row of each posting, ascending within a term
	counts  []uint8   // of each posting: how often the term occurs in the row, or odd
	odds    []oddCount
}

// maxCount is what a larger count is taken for, so that sums stay finite.
const maxCount = 1 << 20

// odd stands for a count that is not a whole number from 1 to 255; it is in the segment's odds then.
const odd = 0

type oddCount struct {
	posting uint32
	count   float32
}

// buildSegment makes a segment of entries with different rows, at most maxSegmentRows.
func buildSegment(dimensions int, entries []Entry) *segment {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Row, b.Row) })
	n, stride := len(entries), strideOf(dimensions)
	s := &segment{
		rows: make([]int64, n), docs: make([]int64, n),
		stride: stride, coarse: make([]int8, n*stride), fine: make([]int16, n*stride), scales: make([]float32, n),
	}
	postings := 0
	for i := range entries {
		e := &entries[i]
		s.rows[i], s.docs[i] = e.Row, e.Doc
		s.scales[i] = quantise(e.Vector, s.coarse[i*stride:], s.fine[i*stride:])
		postings += len(e.Terms)
	}
	s.invert(entries, postings)
	return s
}

// posting is a term in a row while postings are sorted.
type posting struct {
	term  uint32
	row   uint16
	count float32
}

func (s *segment) invert(entries []Entry, size int) {
	postings := make([]posting, 0, size)
	for i := range entries {
		for _, t := range entries[i].Terms {
			if t.Count > 0 && !math.IsInf(float64(t.Count), 1) {
				postings = append(postings, posting{t.ID, uint16(i), min(t.Count, maxCount)})
			}
		}
	}
	postings = sortByTerm(postings)
	s.beginPostings(len(postings))
	for i := 0; i < len(postings); {
		p := postings[i]
		for i++; i < len(postings) && postings[i].term == p.term && postings[i].row == p.row; i++ {
			p.count += postings[i].count
		}
		s.addPosting(p)
	}
	s.endPostings()
}

// sortByTerm sorts by term, those of equal term staying in order: a radix sort, which beats comparing many
// times over.
func sortByTerm(postings []posting) []posting {
	const digit = 11
	largest := uint32(0)
	for _, p := range postings {
		largest = max(largest, p.term)
	}
	other := make([]posting, len(postings))
	for shift := 0; shift < 32 && largest>>shift > 0; shift += digit {
		var at [1 << digit]uint32
		for _, p := range postings {
			at[p.term>>shift&(1<<digit-1)]++
		}
		sum := uint32(0)
		for i, n := range at {
			at[i] = sum
			sum += n
		}
		for _, p := range postings {
			d := p.term >> shift & (1<<digit - 1)
			other[at[d]] = p
			at[d]++
		}
		postings, other = other, postings
	}
	return postings
}

// beginPostings makes room for n. Then they are added by addPosting in order of term and row.
func (s *segment) beginPostings(n int) {
	s.lengths = make([]float32, len(s.rows))
	s.posts, s.counts = make([]uint16, 0, n), make([]uint8, 0, n)
}

func (s *segment) addPosting(p posting) {
	if n := len(s.terms); n == 0 || s.terms[n-1] != p.term {
		s.terms = append(s.terms, p.term)
		s.starts = append(s.starts, uint32(len(s.posts)))
	}
	code := uint8(odd)
	if p.count >= 1 && p.count <= 255 && p.count == float32(uint8(p.count)) {
		code = uint8(p.count)
	} else {
		s.odds = append(s.odds, oddCount{uint32(len(s.posts)), p.count})
	}
	s.posts, s.counts = append(s.posts, p.row), append(s.counts, code)
	s.lengths[p.row] += p.count
}

func (s *segment) endPostings() {
	s.starts = append(s.starts, uint32(len(s.posts)))
	s.terms, s.starts, s.odds = slices.Clip(s.terms), slices.Clip(s.starts), slices.Clip(s.odds)
}

// postings returns where a term's postings begin and end; equal if it has none.
func (s *segment) postings(term uint32) (from, to uint32) {
	i, found := slices.BinarySearch(s.terms, term)
	if !found {
		return 0, 0
	}
	return s.starts[i], s.starts[i+1]
}

// posting returns the one of a place in a list.
func (s *segment) posting(l list, place uint16) (uint32, bool) {
	i, found := slices.BinarySearch(s.posts[l.from:l.to], place)
	return l.from + uint32(i), found
}

// count is how often the posting's term occurs in its row.
func (s *segment) count(posting uint32) float32 {
	if c := s.counts[posting]; c != odd {
		return float32(c)
	}
	i, _ := slices.BinarySearchFunc(s.odds, posting, func(o oddCount, p uint32) int { return cmp.Compare(o.posting, p) })
	return s.odds[i].count
}

// find returns the place of a row's key.
func (s *segment) find(row int64) (int, bool) {
	if len(s.rows) == 0 || row < s.rows[0] || row > s.rows[len(s.rows)-1] {
		return 0, false
	}
	return slices.BinarySearch(s.rows, row)
}
