package pdftext

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func rightToLeft(r rune) bool {
	return r >= 0x590 && (r <= 0x8ff || r >= 0xfb1d && r <= 0xfdff || r >= 0xfe70 && r <= 0xfeff || r >= 0x10800 && r <= 0x10fff) &&
		(unicode.IsLetter(r) || unicode.Is(unicode.Mn, r)) && r != 0xfeff
}

// rightToLeftText puts a line that has Hebrew or Arabic letters into the order in which it is read. The glyphs
// are taken as they lie on paper; the line runs to the left if most of its letters do. Letter forms of Arabic
// become letters.
func rightToLeftText(glyphs []placed) string {
	glyphs = slices.Clone(glyphs)
	slices.SortStableFunc(glyphs, func(a, b placed) int { return cmp.Compare(a.u, b.u) })
	var runs []run
	right, left := 0, 0
	for i, g := range glyphs {
		r, _ := utf8.DecodeRuneInString(g.Text)
		toRight := strings.IndexFunc(g.Text, isLetterOrDigit) >= 0 && !g.right
		switch {
		case g.right:
			right++
		case toRight && !unicode.IsDigit(r):
			left++
		}
		gap := i > 0 && (g.u-glyphs[i-1].u-glyphs[i-1].Advance)/max(g.Size, 0.1) > gapWord || i > 0 && (g.gap && !g.right)
		text := norm.NFKC.String(g.Text)
		if !g.right {
			text = g.Text
		}
		n := len(runs)
		kind := neutral
		switch {
		case g.right:
			kind = rightward
		case toRight:
			kind = leftward
		}
		if n > 0 && !gap && runs[n-1].kind == kind {
			runs[n-1].add(text)
			continue
		}
		runs = append(runs, run{kind: kind, text: text, gap: gap})
	}
	return joinRuns(runs, right >= left)
}

type runKind uint8

const (
	neutral   runKind = iota
	rightward         // letters written from right to left
	leftward          // letters and digits written from left to right
)

// run is text of one kind between gaps.
type run struct {
	kind runKind
	text string
	gap  bool // a space to its left on paper
}

// add appends what lies to the right on paper.
func (r *run) add(text string) {
	if r.kind == rightward {
		r.text = text + r.text
		return
	}
	r.text += text
}

// joinRuns reads runs that lie side by side on paper: from the right in a line that runs to the left, with
// neighbouring runs of the other direction in theirs.
func joinRuns(runs []run, toLeft bool) string {
	other := rightward
	if toLeft {
		slices.Reverse(runs)
		other = leftward
	}
	for i := 0; i < len(runs); i++ { // turn back each stretch of the other direction
		if runs[i].kind != other {
			continue
		}
		end := i + 1
		for j := end; j < len(runs) && (runs[j].kind == other || runs[j].kind == neutral); j++ {
			if runs[j].kind == other {
				end = j + 1
			}
		}
		slices.Reverse(runs[i:end])
		i = end
	}
	var b strings.Builder
	for i, r := range runs {
		// The gap is on the left on paper; which run of two it belongs to depends on their order.
		if i > 0 && (r.gap || runs[i-1].gap) && separated(runs[i-1], r) {
			b.WriteByte(' ')
		}
		b.WriteString(r.text)
	}
	return b.String()
}

// separated reports whether a gap between two runs is one between words: signs stand close to one side.
func separated(a, b run) bool { return a.kind != neutral || b.kind != neutral }

func isLetterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
