package index

import (
	"cmp"
	"slices"
)

// merge makes one segment of the live rows of views, at most maxSegmentRows.
func merge(views []view) *segment {
	s := &segment{stride: views[0].stride}
	places := mergeRows(s, views)
	type source struct{ view, term int }
	var order []source
	postings := 0
	for i := range views {
		for t := range views[i].terms {
			order = append(order, source{i, t})
		}
		postings += len(views[i].posts)
	}
	slices.SortFunc(order, func(a, b source) int {
		return cmp.Compare(views[a.view].terms[a.term], views[b.view].terms[b.term])
	})
	s.beginPostings(postings)
	var list []posting
	for i := 0; i < len(order); {
		term := views[order[i].view].terms[order[i].term]
		list = list[:0]
		for ; i < len(order) && views[order[i].view].terms[order[i].term] == term; i++ {
			v := &views[order[i].view]
			for p := v.starts[order[i].term]; p < v.starts[order[i].term+1]; p++ {
				if place := places[order[i].view][v.posts[p]]; place != gone {
					list = append(list, posting{term, uint16(place), v.count(p)})
				}
			}
		}
		slices.SortFunc(list, func(a, b posting) int { return cmp.Compare(a.row, b.row) })
		for _, p := range list {
			s.addPosting(p)
		}
	}
	s.endPostings()
	return s
}

// gone is the new place of a dead row.
const gone = -1

// mergeRows gives a segment the live rows of views and returns the new place of each old one.
func mergeRows(s *segment, views []view) (places [][]int32) {
	type source struct{ view, place int }
	var order []source
	for i := range views {
		places = append(places, make([]int32, len(views[i].rows)))
		for p := range views[i].rows {
			places[i][p] = gone
			if !views[i].dead.has(p) {
				order = append(order, source{i, p})
			}
		}
	}
	slices.SortFunc(order, func(a, b source) int {
		return cmp.Compare(views[a.view].rows[a.place], views[b.view].rows[b.place])
	})
	n, w := len(order), s.stride
	s.rows, s.docs, s.scales = make([]int64, n), make([]int64, n), make([]float32, n)
	s.coarse, s.fine = make([]int8, n*w), make([]int16, n*w)
	for i, o := range order {
		v, p := &views[o.view], o.place
		places[o.view][p] = int32(i)
		s.rows[i], s.docs[i], s.scales[i] = v.rows[p], v.docs[p], v.scales[p]
		copy(s.coarse[i*w:(i+1)*w], v.coarse[p*w:])
		copy(s.fine[i*w:(i+1)*w], v.fine[p*w:])
	}
	return places
}
