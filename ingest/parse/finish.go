package parse

import (
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// longPage is how many characters a page of a format without pages may have.
const longPage = 200_000

// Finish completes a document whose text did not come from a parser, as that of a file of the name.
func Finish(doc Document, name string) (Document, error) { return finish(doc, name) }

// finish does what every document needs, whatever its format: texts normalised, empty blocks and documents
// without text refused, long pages split, pages numbered, a title chosen.
func finish(doc Document, name string) (Document, error) {
	var pages []Page
	characters := 0
	for _, page := range doc.Pages {
		var blocks []Block
		for _, b := range page.Blocks {
			if b.Text = normalise(b.Text, b.Kind == Code); b.Text == "" {
				continue
			}
			characters += utf8.RuneCountInString(b.Text)
			blocks = append(blocks, b)
		}
		page.Blocks = blocks
		pages = append(pages, page)
	}
	if characters == 0 && len(doc.Scans) == 0 {
		return Document{}, errorf(Empty, "There is no text in it.")
	}
	if len(pages) == 1 {
		pages = split(pages[0])
	}
	for i := range pages {
		if pages[i].Number == 0 {
			pages[i].Number = i + 1
		}
	}
	doc.Pages = pages
	doc.Title = chooseTitle(doc, name)
	return doc, nil
}

// split divides a page of more than longPage characters at blocks.
func split(page Page) []Page {
	var pages []Page
	current, size := page, 0
	current.Blocks = nil
	for _, b := range page.Blocks {
		n := utf8.RuneCountInString(b.Text)
		if size > 0 && size+n > longPage {
			pages = append(pages, current)
			current.Blocks, size = nil, 0
		}
		current.Blocks = append(current.Blocks, b)
		size += n + 2
	}
	return append(pages, current)
}

// normalise brings text to one form: NFC, ligatures as letters, no soft hyphens, control or invisible
// characters, no U+FFFD; white space as single spaces and, in code, lines as they are.
func normalise(s string, code bool) string {
	plain := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf || c < ' ' || c == 0x7f || c == ' ' && i > 0 && s[i-1] == ' ' {
			plain = false
			break
		}
	}
	if plain {
		if code {
			return strings.TrimRight(s, " ")
		}
		return strings.TrimSpace(s)
	}
	s = strings.ToValidUTF8(s, "")
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range norm.NFC.String(s) {
		switch {
		case r == '\r' || r == '\u2028' || r == '\u2029' || r == '\v' || r == '\u0085':
			b.WriteByte('\n')
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r == '\f' || unicode.Is(unicode.Zs, r) && r != '\u3000':
			b.WriteByte(' ')
		case r >= 0xfb00 && r <= 0xfb06:
			b.WriteString(ligatures[r-0xfb00])
		case r == '\u200c' || r == '\u200d': // joiners shape Persian, Indic scripts and emoji
			b.WriteRune(r)
		case r == utf8.RuneError || unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r):
		case r >= 0xfdd0 && r <= 0xfdef || r&0xfffe == 0xfffe:
		default:
			b.WriteRune(r)
		}
	}
	s = b.String()
	if code {
		return strings.TrimRight(strings.Trim(s, "\n"), " \t\n")
	}
	if strings.Contains(s, "  ") || strings.Contains(s, "\t") {
		s = spaces.ReplaceAllString(s, " ")
	}
	if strings.Contains(s, "\n") {
		s = breaks.ReplaceAllString(s, "\n")
	}
	return norm.NFC.String(strings.TrimSpace(s))
}

var (
	ligatures = [...]string{"ff", "fi", "fl", "ffi", "ffl", "st", "st"}
	spaces    = regexp.MustCompile(`[ \t]{2,}|\t`)
	breaks    = regexp.MustCompile(` ?\n[ \n]*`)
)

// chooseTitle returns the title that the document gives itself, if that is one a person wrote, else its first
// heading of level 1, else the name of the file without extension.
func chooseTitle(doc Document, name string) string {
	if title := normalise(strings.ReplaceAll(doc.Title, "\n", " "), false); sensibleTitle(title, name) {
		return title
	}
	for _, page := range doc.Pages {
		for _, b := range page.Blocks {
			if b.Kind == Heading && b.Level == 1 && utf8.RuneCountInString(b.Text) <= 200 {
				return strings.ReplaceAll(b.Text, "\n", " ")
			}
		}
	}
	base := filepath.Base(name)
	if stem := strings.TrimSuffix(base, filepath.Ext(base)); stem != "" {
		return stem
	}
	return base
}

// programTitle matches titles that programs put in by themselves.
var programTitle = regexp.MustCompile(`(?i)^(untitled.*|unbenannt.*|sans titre.*|sin título.*|no title|title|document ?\d*|dokument ?\d*|` +
	`doc\d*|presentation ?\d*|slide \d+|microsoft (word|powerpoint|excel)( -.*)?|print|(新建|无标题|未命名).*|\(anonymous\)|\(unspecified\)|` +
	`powerpoint.*presentation|.*\.(docx?|pdf|dvi|tex|indd|qxd|rtf|odt|pptx?|xlsx?|txt|html?|md|ps|eps|fm|wpd|pages|tmp))$`)

func sensibleTitle(title, name string) bool {
	letters := 0
	for _, r := range title {
		if unicode.IsLetter(r) {
			letters++
		}
	}
	base := filepath.Base(name)
	return letters > 1 && utf8.RuneCountInString(title) <= 300 && !programTitle.MatchString(title) && title != base
}
