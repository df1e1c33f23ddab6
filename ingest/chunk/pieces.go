package chunk

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

type piece struct{ start, end, tokens int }

// pieces cuts a text into parts of at most limit tokens: after white space where there is some in the last
// quarter of a part, else between grapheme clusters, and inside a cluster that is too long itself.
func pieces(text string, limit int, count func(string) int) []piece {
	var out []piece
	for at := 0; ; {
		start, end := trim(text, at, len(text))
		if start == end {
			return out
		}
		cut := start + head(text[start:], limit, count)
		_, end = trim(text, start, cut)
		out = append(out, piece{start, end, count(text[start:end])})
		at = cut
	}
}

// head returns the length in bytes of the longest beginning of text that pieces should cut off.
func head(text string, limit int, count func(string) int) int {
	window := min(limit*4, len(text))
	for window < len(text) && count(text[:onRune(text, window)]) <= limit {
		window *= 2
	}
	window = onRune(text, min(window, len(text)))
	if window == len(text) && count(text) <= limit {
		return window
	}
	ends := clusterEnds(text[:window])
	// The last cluster may go on behind the window.
	if window < len(text) && len(ends) > 1 {
		ends = ends[:len(ends)-1]
	}
	fits := sort.Search(len(ends), func(i int) bool { return count(text[:ends[i]]) > limit })
	if fits == 0 {
		return headOfCluster(text[:ends[0]], limit, count)
	}
	cut := ends[fits-1]
	if space := strings.LastIndexFunc(text[:cut], unicode.IsSpace); space > cut*3/4 {
		return space
	}
	return cut
}

// headOfCluster is head within a cluster, by code points; at least one.
func headOfCluster(text string, limit int, count func(string) int) int {
	var ends []int
	for i, r := range text {
		ends = append(ends, i+max(utf8.RuneLen(r), 1))
	}
	fits := sort.Search(len(ends), func(i int) bool { return count(text[:ends[i]]) > limit })
	return ends[max(fits-1, 0)]
}

func clusterEnds(text string) []int {
	var ends []int
	for it := graphemes.FromString(text); it.Next(); {
		ends = append(ends, it.End())
	}
	return ends
}

// onRune moves an offset back to the beginning of a code point, or on to the end of the first.
func onRune(text string, at int) int {
	if at >= len(text) {
		return len(text)
	}
	for at > 0 && !utf8.RuneStart(text[at]) {
		at--
	}
	if at == 0 {
		_, at = utf8.DecodeRuneInString(text)
	}
	return at
}
