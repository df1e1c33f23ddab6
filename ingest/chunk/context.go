package chunk

import "strings"

// contexts returns what may stand in front of a chunk's text when it is embedded, the best first and the
// empty one last: the document's title, the headings that the text does not itself contain, and the header
// row of the table that it goes on with.
func (p *packer) contexts(first unit, path []heading, end int) []string {
	title := oneLine(p.title)
	var headings []string
	for _, h := range path {
		if (h.start < first.start || h.start >= end) && h.text != title {
			headings = append(headings, h.text)
		}
	}
	header := p.text[first.header.Start:first.header.End]
	if strings.HasPrefix(p.text[first.start:end], title) {
		title = ""
	}
	innermost := headings
	if len(headings) > 1 {
		innermost = headings[len(headings)-1:]
	}
	all := []string{
		context(title, headings, header),
		context(title, innermost, header),
		context(title, innermost, ""),
		context("", innermost, header),
		context("", innermost, ""),
		context(title, nil, ""),
	}
	// More would say more of where the text stands than of the text.
	fitting := all[:0]
	for _, c := range all {
		if c != "" && p.Count(c) <= p.TargetTokens/2 {
			fitting = append(fitting, c)
		}
	}
	return append(fitting, "")
}

func context(title string, headings []string, header string) string {
	var lines []string
	for _, line := range []string{title, strings.Join(headings, " > "), header} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
