package parse

import (
	"math"
	"regexp"
	"slices"

	"grounded/ingest/parse/pdftext"
)

// margin is how many lines at the top and at the bottom of a page may be header or footer.
const margin = 3

var digits = regexp.MustCompile(`\p{Nd}+`)

// dropRepeated removes headers, footers and page numbers: lines at the edge of the page that stand at the same
// height with the same words, numbers aside, on at least three pages and a quarter of all (half of the odd or
// even ones); and those that the author's program has marked as such. A page keeps what it has if that is all.
func dropRepeated(pages [][]pdftext.Line) {
	type key struct {
		text   string
		height int // in steps of 4 points
	}
	count := map[key]int{}
	keyOf := func(l pdftext.Line) key {
		return key{digits.ReplaceAllString(l.Text(), "#"), int(math.Round(l.Base / 4))}
	}
	withText := 0
	low, high := extent(pages)
	for _, lines := range pages {
		if len(lines) > 0 {
			withText++
		}
		for _, i := range edgeLines(lines, low, high) {
			count[keyOf(lines[i])]++
		}
	}
	enough := max(3, (withText+3)/4)
	for p, lines := range pages {
		drop := map[int]bool{}
		for _, i := range edgeLines(lines, low, high) {
			k := keyOf(lines[i])
			// Rounding may part what stands on the border of a step.
			n := count[k] + max(count[key{k.text, k.height - 1}], count[key{k.text, k.height + 1}])
			drop[i] = n >= enough
		}
		var kept []pdftext.Line
		for i, l := range lines {
			if !drop[i] && l.Mark != pdftext.Artifact {
				kept = append(kept, l)
			}
		}
		if len(kept) > 0 {
			pages[p] = kept
		}
	}
}

// extent returns the baselines of the lowest and the highest line of all pages.
func extent(pages [][]pdftext.Line) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, lines := range pages {
		for _, l := range lines {
			if l.Dir == pdftext.Right {
				low, high = math.Min(low, l.Base), math.Max(high, l.Base)
			}
		}
	}
	return low, high
}

// edgeLines returns the indexes of the topmost and the lowest lines of upright text, if they are near the edges of
// what the document's pages have.
func edgeLines(lines []pdftext.Line, low, high float64) []int {
	near := 0.08 * (high - low)
	var upright []int
	for i, l := range lines {
		if l.Dir == pdftext.Right && (l.Base < low+near || l.Base > high-near) {
			upright = append(upright, i)
		}
	}
	slices.SortStableFunc(upright, func(a, b int) int {
		switch {
		case lines[a].Base > lines[b].Base:
			return -1
		case lines[a].Base < lines[b].Base:
			return 1
		}
		return 0
	})
	if len(upright) <= 2*margin {
		return upright
	}
	return slices.Concat(upright[:margin], upright[len(upright)-margin:])
}
