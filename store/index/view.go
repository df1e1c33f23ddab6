package index

import (
	"math/bits"
	"slices"
)

// view is a segment as readers of one state see it: without the rows that are dead. It is immutable.
type view struct {
	*segment
	dead   bitmap // of places; nil if there are none
	live   int
	length float64 // sum of the lengths of live rows
}

func newView(s *segment) view {
	v := view{segment: s, live: len(s.rows)}
	for _, l := range s.lengths {
		v.length += float64(l)
	}
	return v
}

// alive returns the place of a row's key, if it is there.
func (v *view) alive(row int64) (place int, found bool) {
	place, found = v.find(row)
	return place, found && !v.dead.has(place)
}

// frequency is how many of the postings are of live rows.
func (v *view) frequency(from, to uint32) int {
	n := int(to - from)
	if v.dead == nil {
		return n
	}
	for _, place := range v.posts[from:to] {
		n -= int(v.dead[place>>6] >> (place & 63) & 1)
	}
	return n
}

// bitmap is a set of small numbers.
type bitmap []uint64

func (b bitmap) has(i int) bool { return b != nil && b[i>>6]>>(i&63)&1 != 0 }
func (b bitmap) set(i int)      { b[i>>6] |= 1 << (i & 63) }

// without returns the views with these rows dead; views that lose nothing are shared with the old ones.
func without(views []view, rows []int64) []view {
	views = slices.Clone(views)
	own := make([]bool, len(views)) // whose dead bitmap is this change's
	for _, row := range rows {
		for i := range views {
			v := &views[i]
			place, found := v.alive(row)
			if !found {
				continue
			}
			if !own[i] {
				if v.dead == nil {
					v.dead = make(bitmap, (len(v.rows)+63)/64)
				} else {
					v.dead = slices.Clone(v.dead)
				}
				own[i] = true
			}
			v.dead.set(place)
			v.live--
			v.length -= float64(v.lengths[place])
			break // a row is alive in one view at most
		}
	}
	return slices.DeleteFunc(views, func(v view) bool { return v.live == 0 })
}

// mergeFanout is how many views of like size are merged: more makes writing cheaper and searching dearer.
const mergeFanout = 8

// size is the class of views that are merged with each other.
func (v *view) size() int { return bits.Len(uint(v.live)) / bits.Len(mergeFanout-1) }

// nextMerge tells which views should become one; nil if all is well. Every row is rewritten as often as its view's
// class rises, so the work of n changes is n·log n. A view of BlockRows is large enough to stay; one that is a quarter
// dead is rewritten by itself.
func nextMerge(views []view) []int {
	var classes [64][]int
	for i := range views {
		v := &views[i]
		if dead := len(v.rows) - v.live; 4*dead > len(v.rows) {
			return []int{i}
		}
		if v.live < BlockRows {
			classes[v.size()] = append(classes[v.size()], i)
		}
	}
	for _, class := range classes {
		if len(class) < mergeFanout {
			continue
		}
		rows, n := 0, 0
		for ; n < mergeFanout && rows+views[class[n]].live <= maxSegmentRows; n++ {
			rows += views[class[n]].live
		}
		if n > 1 {
			return class[:n]
		}
	}
	return nil
}
