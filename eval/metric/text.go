package metric

import (
	"slices"
	"strings"
	"unicode"
)

// Answers compares an answer with those that are accepted, by the rules of SQuAD or, where the script of the question
// or of an accepted answer has no spaces between words, of CMRC 2018.
type Answers struct {
	accepted []string
	segments [][]string
	cjk      bool
}

// NewAnswers prepares the accepted answers of a question. Those of which normalising leaves nothing are left out.
func NewAnswers(question string, accepted []string) Answers {
	a := Answers{cjk: unspaced(question) || slices.ContainsFunc(accepted, unspaced)}
	for _, text := range accepted {
		if s := a.split(text); len(s) > 0 {
			a.accepted, a.segments = append(a.accepted, text), append(a.segments, s)
		}
	}
	return a
}

// Known reports whether there is any accepted answer, without which nothing can be scored.
func (a Answers) Known() bool { return len(a.segments) > 0 }

func (a Answers) split(text string) []string {
	if a.cjk {
		return segment(text)
	}
	return tokens(text)
}

// Exact is 1 if the normalised answer is one of the accepted ones, else 0 (exact match of SQuAD, Rajpurkar et al.,
// 2016, and of CMRC 2018, Cui et al., 2019).
func (a Answers) Exact(answer string) float64 {
	for i := range a.segments {
		if a.cjk && bare(answer) == bare(a.accepted[i]) || !a.cjk && slices.Equal(tokens(answer), a.segments[i]) {
			return 1
		}
	}
	return 0
}

// F1 is the best harmonic mean of precision and recall over the accepted answers. By SQuAD's rule what both share is
// counted in tokens, wherever they stand; by CMRC's it is their longest common run, in characters and words.
func (a Answers) F1(answer string) float64 {
	got, best := a.split(answer), 0.0
	for _, want := range a.segments {
		shared := 0
		if a.cjk {
			shared = longestRun(want, got)
		} else {
			shared = common(want, got)
		}
		if shared > 0 {
			precision, recall := float64(shared)/float64(len(got)), float64(shared)/float64(len(want))
			best = max(best, 2*precision*recall/(precision+recall))
		}
	}
	return best
}

// Contains is 1 if an accepted answer stands in the answer as a whole, its tokens in a row, else 0.
func (a Answers) Contains(answer string) float64 {
	got := a.split(answer)
	for _, want := range a.segments {
		for i := 0; i+len(want) <= len(got); i++ {
			if slices.Equal(got[i:i+len(want)], want) {
				return 1
			}
		}
	}
	return 0
}

// tokens normalises as SQuAD's scorer does: lower case, no ASCII punctuation, no a, an, the, split at white space.
func tokens(text string) []string {
	text = strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsPunct(r) || unicode.IsSymbol(r)) {
			return -1
		}
		return r
	}, strings.ToLower(text))
	var b strings.Builder
	rest := text
	for rest != "" {
		end := strings.IndexFunc(rest, notWord)
		if end < 0 {
			end = len(rest)
		}
		switch word := rest[:end]; word {
		case "a", "an", "the":
			b.WriteByte(' ')
		default:
			b.WriteString(word)
		}
		next := strings.IndexFunc(rest[end:], func(r rune) bool { return !notWord(r) })
		if next < 0 {
			next = len(rest) - end
		}
		b.WriteString(rest[end : end+next])
		rest = rest[end+next:]
	}
	return strings.Fields(b.String())
}

func notWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }

// common counts what two bags of tokens share.
func common(a, b []string) (n int) {
	count := map[string]int{}
	for _, t := range a {
		count[t]++
	}
	for _, t := range b {
		if count[t] > 0 {
			count[t]--
			n++
		}
	}
	return n
}

// longestRun is the length of the longest run of segments that both have.
func longestRun(a, b []string) (longest int) {
	row := make([]int, len(b)+1)
	for _, x := range a {
		before := 0
		for j, y := range b {
			above := row[j+1]
			row[j+1] = 0
			if x == y {
				row[j+1] = before + 1
				longest = max(longest, row[j+1])
			}
			before = above
		}
	}
	return longest
}
