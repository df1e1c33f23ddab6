package answer

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"grounded/corpus"
)

// A document may tell a model to write an image or a link whose address carries what the model knows: whoever shows the
// answer fetches it. So the text of an answer from passages is plain as far as Markdown and HTML go: no images, no links
// whose label hides an address, no tags that act, and no addresses but those that stand in the passages as they are.

// linkRemoved stands for an address that is in no passage.
const linkRemoved = "‹link removed›"

const (
	longestAddress = 2000 // bytes
	longestLabel   = 4100 // bytes of 999 letters (CommonMark 4.7), and of what stands before them
)

// linkFilter makes text plain while it is written. What it gives does not depend on how the text is cut into pieces.
type linkFilter struct {
	sources []string // texts of the passages, and names of their documents
	held    string   // not decided yet
	line    string   // what was given of the last line
	word    bool     // what was given last is a letter or digit of ASCII
}

func newLinkFilter(passages []corpus.Passage) *linkFilter {
	f := &linkFilter{}
	for _, p := range passages {
		f.sources = append(f.sources, p.Text, p.Chunk.TableHeader(), p.Document)
	}
	return f
}

// plainText is a whole text as a filter gives it.
func plainText(text string, passages []corpus.Passage) string {
	f := newLinkFilter(passages)
	return f.write(text) + f.rest()
}

// write takes a piece of the text, and gives what is decided.
func (f *linkFilter) write(piece string) string { return f.scan(piece, false) }

// rest gives what is left when the text has ended.
func (f *linkFilter) rest() string { return f.scan("", true) }

func (f *linkFilter) scan(piece string, final bool) string {
	text := f.held + piece
	var out strings.Builder
	at := 0
	for at < len(text) {
		give, took := f.next(text[at:], final)
		if took == 0 {
			break
		}
		out.WriteString(give)
		f.given(give)
		at += took
	}
	f.held = text[at:]
	return out.String()
}

func (f *linkFilter) given(s string) {
	if s == "" {
		return
	}
	f.word = isWord(s[len(s)-1])
	if at := strings.LastIndexByte(s, '\n'); at >= 0 {
		f.line, s = "", s[at+1:]
	}
	if len(f.line) < longestLabel {
		f.line += s
	}
}

// next gives what stands for the beginning of a text that is not empty, and how many bytes that is; 0 when more is
// needed to know.
func (f *linkFilter) next(text string, final bool) (give string, took int) {
	switch c := text[0]; {
	case c == '!' || c == ']':
		if len(text) == 1 && !final {
			return "", 0
		}
		switch {
		case strings.HasPrefix(text, "!["):
			return "", 1
		case strings.HasPrefix(text, "]("), strings.HasPrefix(text, "]:") && definition.MatchString(f.line):
			return "] ", 1
		}
		return text[:1], 1
	case c == '<':
		return tag(text, final)
	case isWord(c) && !f.word:
		return f.fromWord(text, final)
	case c < utf8.RuneSelf:
		return text[:1], 1
	}
	if !utf8.FullRuneInString(text) && !final {
		return "", 0
	}
	_, size := utf8.DecodeRuneInString(text)
	return text[:size], size
}

// definition is a line before the bracket that ends the label of a link's definition (CommonMark 4.7).
var definition = regexp.MustCompile(`^[\s>*+\-0-9.)]*\[[^\]]*$`)

// acting are elements of HTML that do something even without attributes.
var acting = map[string]bool{
	"script": true, "style": true, "svg": true, "math": true, "iframe": true, "object": true, "embed": true, "template": true, "noscript": true,
	"textarea": true, "title": true, "xmp": true, "form": true, "plaintext": true, "frameset": true, "base": true, "select": true, "dialog": true,
}

// longestName is how much of a tag's name is waited for, in bytes.
const longestName = 64

// tag breaks a tag of HTML by a space when it has attributes, acts, or is a link of Markdown.
func tag(text string, final bool) (give string, took int) {
	if len(text) == 1 && !final {
		return "", 0
	}
	if len(text) > 1 && strings.IndexByte("!?", text[1]) >= 0 {
		return "< ", 1
	}
	if len(text) == 1 || !isWord(text[1]) || text[1] <= '9' {
		return "<", 1
	}
	// HTML takes all up to one of these for the name, whatever its letters.
	end := strings.IndexAny(text, " \t\r\n\f/>")
	switch {
	case end < 0 && len(text) <= longestName && !final:
		return "", 0
	case end < 0 || end > longestName: // the end of a text may be the beginning of another
		return "< ", 1
	case text[end] != '>' || acting[strings.ToLower(text[1:end])] || strings.Contains(text[1:end], ":"):
		return "< ", 1
	}
	return "<", 1
}

var (
	// address is the beginning of what programs make a link of: with a scheme, or www, or the name of a host with a path.
	address = regexp.MustCompile(`^(?i)(?:[a-z0-9][a-z0-9+.-]*:[/\\]{2}|(?:javascript|vbscript|mailto|file|blob):|data:[a-z]+/|www\.)`)
	hosted  = regexp.MustCompile(`^(?i)(?:[a-z0-9-]+\.)+[a-z]{2,24}(?::[0-9]{1,5})?[/?#]`)
)

// fromWord gives the word that the text begins with, or what stands for the address that begins with it.
func (f *linkFilter) fromWord(text string, final bool) (give string, took int) {
	ascii, run := len(text), len(text)
	for i, r := range text {
		if r >= utf8.RuneSelf && ascii == len(text) {
			ascii = i
		}
		if endsAddress(r) {
			run = i
			break
		}
	}
	ascii = min(ascii, run)
	if ascii == len(text) && !final {
		return "", 0
	}
	word := 1
	for word < ascii && isWord(text[word]) {
		word++
	}
	named := address.MatchString(text[:ascii])
	host := hosted.FindString(text[:ascii])
	if !named && host == "" {
		return text[:word], word
	}
	if run == len(text) && !final {
		return "", 0
	}
	token := text[:run]
	if known := f.known(token); known != "" {
		if left := token[len(known):]; left != "" && strings.Trim(left, trailing) != "" {
			return known + " ", len(known) // what follows must not become a part of it
		}
		return known, len(known)
	}
	if !named { // it may be no address at all
		return host[:len(host)-1] + " " + host[len(host)-1:], len(host)
	}
	return linkRemoved, len(strings.TrimRight(token, trailing))
}

// endsAddress reports whether no address has the letter. Chinese sentences have no spaces: their signs end one too.
func endsAddress(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune("<>\"`"+wideSigns, r)
}

const (
	// wideSigns end a sentence, a part of one, or a quotation.
	wideSigns = "，。、；：！？（）【】《》「」『』“”‘’"
	// trailing are the signs that end a sentence or a quotation rather than an address.
	trailing = ".,;:!?'*_~()[]{}|" + wideSigns
)

// known is the longest beginning of a token that is an address of the passages; "" if there is none.
func (f *linkFilter) known(token string) string {
	for end := min(len(token), longestAddress); end > 0; end-- {
		if end < len(token) && (!utf8.RuneStart(token[end]) || token[end] < utf8.RuneSelf && !strings.ContainsRune(trailing, rune(token[end]))) {
			continue
		}
		if f.stands(token[:end]) {
			return token[:end]
		}
	}
	return ""
}

// stands reports whether an address is one of the passages', and not just the beginning of one.
func (f *linkFilter) stands(wanted string) bool {
	for _, source := range f.sources {
		for from := 0; ; {
			at := strings.Index(source[from:], wanted)
			if at < 0 {
				break
			}
			at += from
			end := at + len(wanted)
			if (at == 0 || !isWord(source[at-1])) && endsThere(source[end:]) {
				return true
			}
			from = at + 1
		}
	}
	return false
}

// endsThere reports whether an address may end before a text.
func endsThere(text string) bool {
	rest := strings.TrimLeft(text, trailing)
	if rest == "" {
		return true
	}
	r, _ := utf8.DecodeRuneInString(rest)
	if endsAddress(r) {
		return true
	}
	first, _ := utf8.DecodeRuneInString(text) // as in [label](address)text, or before a letter of another script
	return first >= utf8.RuneSelf || strings.ContainsRune(")]}|", first)
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}
