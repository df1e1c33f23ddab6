package analyze

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sentenceTexts(text string) []string {
	out := []string{}
	for _, s := range Sentences(text) {
		out = append(out, text[s.Start:s.End])
	}
	return out
}

func TestSentencesAreSplit(t *testing.T) {
	wrapped := "The first line of this paragraph is long and wraps\nOver to the second. A second sentence stands here,\nwith an end."
	for _, c := range []struct {
		name, text string
		want       []string // joined by "|" in the text where empty
	}{
		{name: "plain", text: "One. Two! Three? Four"},
		{name: "empty", text: " \n ", want: []string{}},
		{name: "titles", text: "Ask Dr. Smith or Mr. Lee. They know.", want: []string{"Ask Dr. Smith or Mr. Lee.", "They know."}},
		{name: "numbers", text: "See No. 5 on p. 3. He said no. Then he paid 3.5 of 1.000 euros.", want: []string{"See No. 5 on p. 3.", "He said no.", "Then he paid 3.5 of 1.000 euros."}},
		{name: "acronyms", text: "It is U.S. law, e.g. in the U.S. The rest follows.", want: []string{"It is U.S. law, e.g. in the U.S.", "The rest follows."}},
		{name: "german", text: "Das gilt z. B. am 3. Oktober, d. h. bald. Danach nicht.", want: []string{"Das gilt z. B. am 3. Oktober, d. h. bald.", "Danach nicht."}},
		{name: "number at the end", text: "The answer is 42. That is all.", want: []string{"The answer is 42.", "That is all."}},
		{name: "initials", text: "J. R. Smith wrote it. So did I. The end.", want: []string{"J. R. Smith wrote it.", "So did I.", "The end."}},
		{name: "letters", text: "230 S. Dearborn St. is on p. 5. See plan B. It works.", want: []string{"230 S. Dearborn St. is on p. 5.", "See plan B.", "It works."}},
		{name: "chinese", text: "员工每年有15天年假。需要提前申请！“可以吗？”可以。", want: []string{"员工每年有15天年假。", "需要提前申请！", "“可以吗？”", "可以。"}},
		{name: "japanese", text: "「はい。」と言った。終わり", want: []string{"「はい。」", "と言った。", "終わり"}},
		{name: "quotes", text: `He said "Stop." Then (it ended.) Well.`, want: []string{`He said "Stop."`, "Then (it ended.)", "Well."}},
		{name: "references", text: "Blue.[1] Green. [2, 3] Red [4].", want: []string{"Blue.[1]", "Green. [2, 3]", "Red [4]."}},
		{name: "ellipsis", text: "Wait... for it. Well... Yes.", want: []string{"Wait... for it.", "Well...", "Yes."}},
		{name: "list", text: "Steps:\n1. Open the box.\n2. Close it.\n- again\n- and again", want: []string{"Steps:", "1. Open the box.", "2. Close it.", "- again", "- and again"}},
		{name: "paragraphs", text: "A title\n\nSome text\nthat goes on.\n\nMore", want: []string{"A title", "Some text\nthat goes on.", "More"}},
		{name: "wrapped lines", text: wrapped, want: []string{
			"The first line of this paragraph is long and wraps\nOver to the second.",
			"A second sentence stands here,\nwith an end."}},
		{name: "heading above wrapped lines", text: "Premiums\nPremiums are the amount of money that you pay\nEach month for it.", want: []string{
			"Premiums", "Premiums are the amount of money that you pay\nEach month for it."}},
		{name: "table", text: "| a | b. c |\n| d | e |", want: []string{"| a | b. c |", "| d | e |"}},
		{name: "hindi", text: "यह एक है। यह दो है।", want: []string{"यह एक है।", "यह दो है।"}},
		{name: "file names", text: "Open report.pdf and node.js now. Done.", want: []string{"Open report.pdf and node.js now.", "Done."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := c.want
			if want == nil {
				want = []string{"One.", "Two!", "Three?", "Four"}
			}
			if diff := cmp.Diff(want, sentenceTexts(c.text)); diff != "" {
				t.Errorf("Sentences(%q) (-want +got):\n%s", c.text, diff)
			}
		})
	}
}

func FuzzSentencesCoverAllButWhiteSpace(f *testing.F) {
	for _, seed := range []string{"", "a. b", "\xff.\xfe。[1", "1.\n\n2. \r\n x\f", "。。。", "Dr. [1] [", "\u2028a\u0085B.", "... ..."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at := 0
		for _, s := range Sentences(text) {
			if s.Start < at || s.End <= s.Start || s.End > len(text) {
				t.Fatalf("span %v after %d in %q", s, at, text)
			}
			if gap := text[at:s.Start]; strings.TrimSpace(gap) != "" {
				t.Fatalf("left out %q of %q", gap, text)
			}
			if piece := text[s.Start:s.End]; strings.TrimSpace(piece) != piece {
				t.Fatalf("white space around %q", piece)
			}
			at = s.End
		}
		if rest := text[at:]; strings.TrimSpace(rest) != "" {
			t.Fatalf("left out %q at the end of %q", rest, text)
		}
	})
}
