package parse

import (
	"strings"
	"unicode"

	"grounded/ingest/parse/pdftext"
)

// hyphens tells the hyphens that a program put at line ends from those that belong to the word, by the words
// that the same document has inside its lines.
type hyphens struct {
	words        map[string]bool // lower case; compounds with their hyphens
	kept, broken int             // line ends of which the words say that the hyphen stays, or goes
}

func readHyphens(pages [][]pdftext.Line) hyphens {
	h := hyphens{}
	var heads, tails []string
	for _, lines := range pages {
		for i := 0; i+1 < len(lines); i++ {
			if text := lines[i].Text(); strings.HasSuffix(text, "-") && canBreak(text[:len(text)-1], lines[i+1].Text()) {
				heads, tails = append(heads, lastWord(text[:len(text)-1])), append(tails, firstWord(lines[i+1].Text()))
			}
		}
	}
	if len(heads) == 0 {
		return h
	}
	h.words = map[string]bool{}
	for _, lines := range pages {
		half := false // the line before ends with a part of a word
		for _, l := range lines {
			for word := range strings.FieldsSeq(l.Text()) {
				whole := !half && !strings.HasSuffix(word, "-")
				half = strings.HasSuffix(word, "-")
				if word = bare(word); whole && word != "" {
					h.words[word] = true
				}
			}
		}
	}
	for i := range heads {
		switch compound, whole := h.seen(heads[i], tails[i]); {
		case compound && !whole:
			h.kept++
		case whole && !compound:
			h.broken++
		}
	}
	return h
}

// seen reports whether the document has the word with a hyphen, and without.
func (h hyphens) seen(head, tail string) (compound, whole bool) {
	head, tail = bare(head), bare(tail)
	return h.words[head+"-"+tail], h.words[head+tail]
}

// breaks reports whether the hyphen between the two was put in by line breaking.
func (h hyphens) breaks(head, tail string) bool {
	compound, whole := h.seen(head, tail)
	if compound != whole {
		return whole
	}
	// Else it stays in a document that seems not to break words, and between two words if there are as many of
	// one kind as of the other.
	mostKept := h.kept >= 3 && h.kept > 2*h.broken
	return !mostKept && !(h.kept >= h.broken && h.words[bare(head)] && h.words[bare(tail)])
}

// bare is a word in lower case without the signs around it.
func bare(word string) string {
	return strings.ToLower(strings.TrimFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }))
}
