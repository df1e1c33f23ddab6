package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"grounded/answer"
	"grounded/eval"
	"grounded/eval/dataset"
)

// What the page may hold, in bytes of text: the longest texts are cut so that a thousand questions in four columns stay
// below 10 MB, and one answer of a whole book does not fill the page.
const (
	roomForAnswers  = 3 << 20
	roomForPassages = 4 << 20
	longestAnswer   = 20_000
	longestPassage  = 4_000
	longestQuestion = 4_000
)

// listing is what the page's script shows. Passages are there once; items name them by their place in the list.
type listing struct {
	Columns   []string         `json:"columns"`
	Compared  string           `json:"compared"` // what lost and gained are by
	Questions []listedQuestion `json:"questions"`
	Passages  []*listedPassage `json:"passages"`

	at map[listedPassage]int
}

type listedQuestion struct {
	ID         string           `json:"id"`
	Question   string           `json:"question"`
	Answers    []string         `json:"answers"`
	Evidence   []listedEvidence `json:"evidence"`
	Answerable bool             `json:"answerable"`
	Tags       []string         `json:"tags"`
	Items      []listedItem     `json:"items"`
}

type listedEvidence struct {
	Place string `json:"place"`
	Quote string `json:"quote,omitempty"`
}

type listedItem struct {
	Column      int              `json:"column"`
	Text        string           `json:"text,omitempty"`
	Cut         int              `json:"cut,omitempty"` // characters of the whole answer, when it is cut
	Error       string           `json:"error,omitempty"`
	Outcome     string           `json:"outcome"`
	Changes     []string         `json:"changes,omitempty"`
	Scores      string           `json:"scores"`
	Passages    []int            `json:"passages,omitempty"`
	Evidence    []int            `json:"evidence,omitempty"` // which of the passages are evidence, from 1
	Cited       []listedCitation `json:"cited,omitempty"`
	Unsupported [][2]int         `json:"unsupported,omitempty"` // beginning and end of sentences in Text, in UTF-16 units

	unsupported []string
}

type listedPassage struct {
	Place string `json:"place"`
	Text  string `json:"text"`

	quotes string // that answers cite of it, a line each
}

type listedCitation struct {
	Marker     int    `json:"marker"`
	Quote      string `json:"quote"`
	Verified   bool   `json:"verified"`
	Attributed bool   `json:"attributed,omitempty"`
}

func items(r eval.Report) *listing {
	l := &listing{Compared: "the first model", Questions: []listedQuestion{}, Passages: []*listedPassage{}, at: map[listedPassage]int{}}
	if len(r.Header.Merged) > 0 {
		l.Compared = r.Header.Merged[0].Name
	}
	for _, c := range r.Columns {
		l.Columns = append(l.Columns, columnName(c.Model, c.Arm))
	}
	for _, q := range r.Questions() {
		listed := listedQuestion{ID: q.ID, Question: cut(q.Question, longestQuestion), Answers: q.Answers, Answerable: q.Answerable, Tags: q.Tags}
		for _, e := range q.Evidence {
			listed.Evidence = append(listed.Evidence, listedEvidence{place(e.Document, e.Page, e.Page), e.Quote})
		}
		for n, c := range r.Columns {
			if item, scores, ok := c.Item(q.ID); ok {
				i := l.item(n, item, scores)
				i.Changes = changes(r, c, q)
				listed.Items = append(listed.Items, i)
			}
		}
		l.Questions = append(l.Questions, listed)
	}
	l.fit()
	return l
}

func (l *listing) item(column int, i eval.Item, scores eval.Scores) listedItem {
	listed := listedItem{Column: column, Error: cut(i.Error, longestQuestion), Outcome: outcome(i, scores)}
	var figures []string
	for _, name := range []string{eval.F1, eval.Exact, eval.PagesCited, eval.Faithful} {
		if v, ok := scores[name]; ok {
			figures = append(figures, scoreName(name)+" "+strings.TrimSuffix(number(&v), ".000"))
		}
	}
	if v, ok := scores[eval.TotalMS]; ok {
		figures = append(figures, seconds(&v))
	}
	if v, ok := scores[eval.CostUSD]; ok && v > 0 {
		figures = append(figures, Dollars(&v))
	}
	listed.Scores = strings.Join(figures, " · ")
	if i.Answer == nil {
		return listed
	}
	listed.Text, listed.unsupported = i.Answer.Text, i.Answer.Unsupported
	for n, p := range i.Answer.Passages {
		var quotes []string
		for _, c := range i.Answer.Citations {
			if c.Marker == n+1 {
				quotes = append(quotes, string(c.Quote))
			}
		}
		listed.Passages = append(listed.Passages, l.passage(place(p.Document, p.PageStart, p.PageEnd), p.Text, quotes))
		if eval.HasEvidence(p, i.Question) {
			listed.Evidence = append(listed.Evidence, n+1)
		}
	}
	for _, c := range i.Answer.Citations {
		listed.Cited = append(listed.Cited, listedCitation{c.Marker, string(c.Quote), c.Verified, c.Origin == "attributed"})
	}
	return listed
}

// passage returns the place of a passage in the list. The same chunk may stand there twice: with its neighbours, and without.
func (l *listing) passage(place, text string, quotes []string) int {
	key := listedPassage{Place: place, Text: text}
	n, there := l.at[key]
	if !there {
		n = len(l.Passages)
		l.at[key] = n
		l.Passages = append(l.Passages, &key)
	}
	for _, q := range quotes {
		l.Passages[n].quotes += q + "\n"
	}
	return n
}

// fit cuts the longest answers and passages to the room there is.
func (l *listing) fit() {
	var answers, passages []int
	for _, q := range l.Questions {
		for _, i := range q.Items {
			answers = append(answers, len(i.Text))
		}
	}
	for _, p := range l.Passages {
		passages = append(passages, len(p.Text))
	}
	longest := fitting(answers, roomForAnswers, longestAnswer)
	for _, q := range l.Questions {
		for n := range q.Items {
			q.Items[n].cutTo(longest)
		}
	}
	longest = fitting(passages, roomForPassages, longestPassage)
	for _, p := range l.Passages {
		p.Text = excerpt(p.Text, longest, strings.Split(p.quotes, "\n"))
	}
}

func (i *listedItem) cutTo(longest int) {
	if len(i.Text) > longest {
		i.Cut, i.Text = utf8.RuneCountInString(i.Text), cut(i.Text, longest)
	}
	for _, s := range i.unsupported {
		if at := strings.Index(i.Text, s); at >= 0 && s != "" {
			from := units(i.Text[:at])
			i.Unsupported = append(i.Unsupported, [2]int{from, from + units(s)})
		}
	}
}

// units counts what a browser counts characters by.
func units(text string) (n int) {
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}

// fitting is the length to cut texts to, so that all of them have room; what is shorter stays whole.
func fitting(lengths []int, room, longest int) int {
	sorted := slices.Sorted(slices.Values(lengths))
	for i, length := range sorted {
		share := room / (len(sorted) - i)
		if length > share {
			return min(share, longest)
		}
		room -= length
	}
	return longest
}

// around is how much of a passage is shown on both sides of a quote, in bytes.
const around = 80

// excerpt shortens a passage, but keeps what is quoted of it.
func excerpt(text string, longest int, quotes []string) string {
	if len(text) <= longest {
		return text
	}
	kept := [][2]int{{0, longest}}
	for _, q := range quotes {
		if at := strings.Index(text, q); q != "" && at >= 0 {
			kept = append(kept, [2]int{max(0, at-around), min(len(text), at+len(q)+around)})
		}
	}
	slices.SortFunc(kept, func(a, b [2]int) int { return a[0] - b[0] })
	var b strings.Builder
	end := 0
	for i, span := range kept {
		from, to := atRune(text, max(span[0], end)), atRune(text, span[1])
		if to <= from {
			continue
		}
		if i > 0 && from > end {
			b.WriteString(" … ")
		}
		b.WriteString(text[from:to])
		end = to
	}
	if end < len(text) {
		b.WriteString(" …")
	}
	return b.String()
}

// atRune is the beginning of the character at a place.
func atRune(text string, at int) int {
	for at > 0 && at < len(text) && !utf8.RuneStart(text[at]) {
		at--
	}
	return at
}

func outcome(i eval.Item, s eval.Scores) string {
	correct, judged := s[eval.Right]
	switch {
	case i.Answer == nil:
		return "failed"
	case judged && correct == 1:
		return "right"
	case i.Answer.Abstained:
		return "declined"
	case judged:
		return "wrong"
	}
	return "not judged"
}

// changes says how an answer differs from others to its question: harmed and rescued by the documents, lost and gained
// against the same arm of what its model is compared with.
func changes(r eval.Report, c eval.Column, q dataset.Question) (list []string) {
	_, scores, _ := c.Item(q.ID)
	now, known := scores[eval.Right]
	if !known {
		return nil
	}
	for _, compared := range r.Comparisons {
		if compared.Model != c.Model || compared.Arm != c.Arm {
			continue
		}
		var worse, better string
		switch {
		case compared.Than == c.Model && c.Arm == answer.ArmGrounded && compared.Beside == answer.ArmPlain:
			worse, better = "harmed", "rescued"
		case compared.Than != c.Model && compared.Beside == c.Arm:
			worse, better = "lost", "gained"
		default:
			continue
		}
		for _, other := range r.Columns {
			if other.Model != compared.Than || other.Arm != compared.Beside {
				continue
			}
			_, scores, _ := other.Item(q.ID)
			before, known := scores[eval.Right]
			switch {
			case known && before > now:
				list = append(list, worse)
			case known && before < now:
				list = append(list, better)
			}
		}
	}
	return list
}

func place(document string, first, last int) string {
	switch {
	case first == 0:
		return document
	case last > first:
		return fmt.Sprintf("%s, pages %d–%d", document, first, last)
	}
	return fmt.Sprintf("%s, page %d", document, first)
}
