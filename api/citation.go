package api

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"grounded/corpus"
)

// chatContext is what an answer was made from, in Azure's form. The n of [n] in the answer counts citations from 1.
type chatContext struct {
	Citations []contextCitation `json:"citations"`
	Abstained *bool             `json:"abstained"` // null while the answer is being written
}

// contextCitation is a passage. Cited and Verified are null while the answer is being written.
type contextCitation struct {
	Content  string         `json:"content"`
	Title    string         `json:"title"`
	URL      string         `json:"url"`
	FilePath string         `json:"filepath"`
	ChunkID  corpus.ChunkID `json:"chunk_id"`
	Page     int            `json:"page"`
	Cited    *bool          `json:"cited"`
	Verified *bool          `json:"verified"`
}

// chatAnnotation is a citation in the form that all clients of chat completions take: OpenAI's url_citation, with what
// file_citation would have beside it.
type chatAnnotation struct {
	Type        string      `json:"type"`
	URLCitation urlCitation `json:"url_citation"`

	FileID   corpus.DocumentID `json:"file_id"`
	Filename string            `json:"filename"`
	Index    int               `json:"index"`
	Page     *int              `json:"page"`
	Quote    corpus.Text       `json:"quote"`
	Verified bool              `json:"verified"`
	Origin   string            `json:"origin"`
}

// urlCitation says where in the answer's text, in Unicode code points, what is cited.
type urlCitation struct {
	URL        string `json:"url"`
	Title      string `json:"title"`
	StartIndex int    `json:"start_index"`
	EndIndex   int    `json:"end_index"`
}

// chatContext shows passages to the client of a chat completion.
func (s *Server) chatContext(k *call, collection string, passages []corpus.Passage) *chatContext {
	c := &chatContext{Citations: []contextCitation{}}
	for _, p := range passages {
		c.Citations = append(c.Citations, contextCitation{
			Content: p.Text, Title: titleOf(p.Title, p.Document), URL: s.link(k, collection, p.DocumentID, p.PageStart),
			FilePath: p.Document, ChunkID: p.ChunkID, Page: p.PageStart,
		})
	}
	return c
}

// mark notes which passages the answer cites, and which of them were verified.
func (c *chatContext) mark(a corpus.Answer) {
	c.Abstained = &a.Abstained
	for i := range c.Citations {
		cited, verified := false, false
		for _, citation := range a.Citations {
			if citation.ChunkID == c.Citations[i].ChunkID {
				cited, verified = true, verified || citation.Verified
			}
		}
		c.Citations[i].Cited, c.Citations[i].Verified = &cited, &verified
	}
}

func titleOf(title corpus.Text, document string) string {
	if title != "" {
		return string(title)
	}
	return document
}

// annotations are the citations of an answer with their places in its text.
func (s *Server) annotations(k *call, collection string, a corpus.Answer) []chatAnnotation {
	documents := map[corpus.ChunkID]corpus.DocumentID{}
	for _, p := range a.Passages {
		documents[p.ChunkID] = p.DocumentID
	}
	var list []chatAnnotation
	for _, c := range a.Citations {
		page := 1
		if c.Page != nil {
			page = *c.Page
		}
		start, end := span(a.Text, c)
		id := documents[c.ChunkID]
		list = append(list, chatAnnotation{
			Type:        "url_citation",
			URLCitation: urlCitation{URL: s.link(k, collection, id, page), Title: titleOf(c.Title, c.Document), StartIndex: start, EndIndex: end},
			FileID:      id, Filename: c.Document, Index: end, Page: c.Page, Quote: c.Quote, Verified: c.Verified, Origin: c.Origin,
		})
	}
	return list
}

var bracketed = regexp.MustCompile(`[\[【［〔][^\]】］〕\n]{1,40}[\]】］〕]`)

// span is the place of a citation's sentence in the text with the markers in and behind it, in code points: of one that is
// repeated that of the right time, or the last there is. The sentence is without markers and layout, so letters and digits are compared. One that is
// not found is the whole text.
func span(text string, c corpus.Citation) (start, end int) {
	runes := []rune(text)
	inMarker := make([]bool, len(runes)+1)
	for _, at := range bracketed.FindAllStringIndex(text, -1) {
		first := utf8.RuneCountInString(text[:at[0]])
		for i := range utf8.RuneCountInString(text[at[0]:at[1]]) {
			inMarker[first+i] = true
		}
	}
	var letters []rune
	var places []int
	for i, r := range runes {
		if !inMarker[i] && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			letters, places = append(letters, r), append(places, i)
		}
	}
	var wanted []rune
	for _, r := range c.Sentence {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			wanted = append(wanted, r)
		}
	}
	before, _, found := strings.Cut(string(letters), string(wanted))
	if !found || len(wanted) == 0 {
		return 0, len(runes)
	}
	first := utf8.RuneCountInString(before)
	rest := letters[first+len(wanted):]
	for range c.Repeat {
		skipped, _, found := strings.Cut(string(rest), string(wanted))
		if !found {
			break
		}
		first = len(letters) - len(rest) + utf8.RuneCountInString(skipped)
		rest = letters[first+len(wanted):]
	}
	start, end = places[first], places[first+len(wanted)-1]+1
	for last := end; last < len(runes) && (inMarker[last] || unicode.IsPunct(runes[last]) || unicode.IsSpace(runes[last])); last++ {
		if !unicode.IsSpace(runes[last]) && (inMarker[last] || !strings.ContainsRune("[【［〔(“\"*-•#", runes[last])) {
			end = last + 1
		}
	}
	return start, end
}

// link is where a page of a document can be read.
func (s *Server) link(k *call, collection string, id corpus.DocumentID, page int) string {
	base := strings.TrimSuffix(s.config.PublicURL, "/")
	if base == "" {
		base = k.echo.Scheme() + "://" + k.echo.Request().Host
	}
	return base + "/api/collections/" + url.PathEscape(collection) + "/documents/" + url.PathEscape(string(id)) + "/pages?first=" + strconv.Itoa(page) + "&last=" + strconv.Itoa(page)
}
