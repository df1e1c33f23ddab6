package prompts

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"grounded/corpus"
)

// View is what a template sees.
type View struct {
	Question string
	Language string // English name of the question's language, or "" when it is not known
	History  []Message
	Passages []PassageView
	Outside  bool // the answer may come from outside of the passages where they don't hold it
	// What a judge is shown.
	Answers, Accepted []string
	Sentences         []SentenceView
	// Fence is a token that occurs in no passage and no answer and that nobody who wrote one could know. Passages are put
	// between lines that carry it, so that no text inside can end its passage.
	Fence string
}

// SentenceView is a sentence that a judge checks, on one line.
type SentenceView struct {
	N    int // from 1
	Text string
}

// PassageView is a passage as a template sees it. Its strings were defused: see defuse.
type PassageView struct {
	N        int // the n of [n]
	Document string
	Title    string // empty when it has none
	Page     string // "3" or "3-4"
	Heading  string // path of headings: "Travel > Meals"; empty when it has none
	Text     string
}

func newView(d Data) View {
	v := View{Question: strings.TrimSpace(d.Question), Language: languageNames[d.Language], History: d.History, Outside: d.Outside, Fence: fence(d)}
	for i, p := range d.Passages {
		page := strconv.Itoa(p.PageStart)
		if p.PageEnd > p.PageStart {
			page += "-" + strconv.Itoa(p.PageEnd)
		}
		v.Passages = append(v.Passages, PassageView{
			N: i + 1, Page: page, Document: oneLine(p.Document), Title: oneLine(string(p.Title)),
			Heading: oneLine(string(p.Heading)), Text: defuse(strings.TrimSpace(shown(p))),
		})
	}
	for _, a := range d.Answers {
		v.Answers = append(v.Answers, defuse(strings.TrimSpace(a)))
	}
	for _, a := range d.Accepted {
		v.Accepted = append(v.Accepted, defuse(strings.Join(strings.Fields(a), " ")))
	}
	for i, s := range d.Sentences {
		v.Sentences = append(v.Sentences, SentenceView{i + 1, defuse(strings.Join(strings.Fields(s), " "))})
	}
	return v
}

// shown is the text of a passage. Rows of a table stand under the names of their columns.
func shown(p corpus.Passage) string {
	if header := p.Chunk.TableHeader(); header != "" {
		return header + "\n" + p.Text
	}
	return p.Text
}

// fence derives the token from everything that is asked, so that a rendering is the same each time; a text
// that holds its own fence would have to be a fixed point of the hash, and is passed over even then.
func fence(d Data) string {
	for salt := 0; ; salt++ {
		h := sha256.New()
		fmt.Fprintf(h, "%d %q", salt, d.Question)
		for _, p := range d.Passages {
			fmt.Fprintf(h, " %q %q %q", p.Document, p.Heading, shown(p))
		}
		for _, text := range slices.Concat(d.Answers, d.Sentences) {
			fmt.Fprintf(h, " %q", text)
		}
		token := hex.EncodeToString(h.Sum(nil)[:4])
		if !forged(d, token) {
			return token
		}
	}
}

func forged(d Data, token string) bool {
	texts := slices.Concat(d.Answers, d.Accepted, d.Sentences)
	for _, p := range d.Passages {
		texts = append(texts, p.Document, string(p.Title), string(p.Heading), shown(p))
	}
	return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(strings.ToLower(s), token) })
}

var (
	// Control tokens of common chat formats, calls of tools among them. A server that renders the conversation to text
	// and reads the tokens back out of it would take them for the end of the user's turn.
	controlToken = regexp.MustCompile(`(?i)<([|｜]|/?(?:s|bos|eos|pad|unk|start_of_turn|end_of_turn|tools?|tool_calls?|tool_responses?|function_calls?|think)>|function=|</?sys>>)` +
		`|\[(/?(?:inst|system_prompt|tool_calls|tool_results|available_tools)\])`)
	// Markers that look like ours: footnotes, references, forgeries.
	marker = regexp.MustCompile(`[\[【]\s*(\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*)\s*[\]】]`)
)

// visible takes out the letters of Unicode that nobody sees and a model reads: tags.
func visible(r rune) rune {
	if r >= 0xE0000 && r <= 0xE007F {
		return -1
	}
	return r
}

// defuse keeps retrieved text from being read as anything but text: control tokens are broken by a space, tags
// are left out, and [1] becomes (1), because only the numbers in front of passages are written that way.
func defuse(s string) string {
	s = strings.Map(visible, s)
	s = controlToken.ReplaceAllStringFunc(s, func(m string) string { return m[:1] + " " + m[1:] })
	return marker.ReplaceAllString(s, "($1)")
}

const oneLineRunes = 200

func oneLine(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > oneLineRunes {
		r = append(r[:oneLineRunes:oneLineRunes], '…')
	}
	return defuse(string(r))
}
