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

func counts(t Term) bool { return t.Count > 0 && !math.IsInf(float64(t.Count), 1) }

// invert makes the postings of entries that have size terms in all.
func (s *segment) invert(entries []Entry, size int) {
	largest := uint32(0)
	for i := range entries {
		for _, t := range entries[i].Terms {
			largest = max(largest, t.ID)
		}
	}
	if int(largest) < 4*size && s.distribute(entries, largest) {
		return
	}
	postings := make([]posting, 0, size)
	for i := range entries {
		for _, t := range entries[i].Terms {
			if counts(t) {
				postings = append(postings, posting{t.ID, uint16(i), min(t.Count, maxCount)})
			}
		}
	}
	slices.SortFunc(postings, func(a, b posting) int {
		return cmp.Compare(uint64(a.term)<<16|uint64(a.row), uint64(b.term)<<16|uint64(b.row))
	})
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

// distribute is invert for terms whose numbers lie close together: it counts each term's postings and puts each where
// it belongs, which beats sorting many times over. It reports false when a row has a term twice.
func (s *segment) distribute(entries []Entry, largest uint32) bool {
	next := make([]uint32, largest+2) // where each term's next posting goes
	for i := range entries {
		for _, t := range entries[i].Terms {
			if counts(t) {
				next[t.ID+1]++
			}
		}
	}
	for id := range next[1:] {
		if next[id+1] > 0 {
			s.terms, s.starts = append(s.terms, uint32(id)), append(s.starts, next[id])
		}
		next[id+1] += next[id]
	}
	first := slices.Clone(next)
	s.lengths = make([]float32, len(s.rows))
	s.posts, s.counts = make([]uint16, next[largest+1]), make([]uint8, next[largest+1])
	for i := range entries {
		for _, t := range entries[i].Terms {
			if !counts(t) {
				continue
			}
			p := next[t.ID]
			if p > first[t.ID] && s.posts[p-1] == uint16(i) {
				*s = segment{rows: s.rows, docs: s.docs, stride: s.stride, coarse: s.coarse, fine: s.fine, scales: s.scales}
				return false
			}
			next[t.ID]++
			count := min(t.Count, maxCount)
			s.posts[p], s.counts[p] = uint16(i), s.code(p, count)
			s.lengths[i] += count
		}
	}
	slices.SortFunc(s.odds, func(a, b oddCount) int { return cmp.Compare(a.posting, b.posting) })
	s.endPostings()
	return true
}

// posting is a term in a row while postings are sorted.
type posting struct {
	term  uint32
	row   uint16
	count float32
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
	s.posts, s.counts = append(s.posts, p.row), append(s.counts, s.code(uint32(len(s.posts)), p.count))
	s.lengths[p.row] += p.count
}

// code is what stands for a posting's count; one that no code stands for goes to the odds.
func (s *segment) code(posting uint32, count float32) uint8 {
	if count >= 1 && count <= 255 && count == float32(uint8(count)) {
		return uint8(count)
	}
	s.odds = append(s.odds, oddCount{posting, count})
	return odd
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
