package chunk

import (
	"slices"
	"strings"
)

// contexts returns what may stand in front of a chunk's text when it is embedded, the best first and the
// empty one last: the document's title, the innermost heading that the text does not itself contain, and the
// header row of the table that it goes on with.
func (p *packer) contexts(first unit, path []heading, end int) []string {
	title := oneLine(p.title)
	heading := ""
	for _, h := range path {
		if (h.start < first.start || h.start >= end) && h.text != title {
			heading = h.text
		}
	}
	header := p.text[first.header.Start:first.header.End]
	if strings.HasPrefix(p.text[first.start:end], title) {
		title = ""
	}
	all := []string{
		context(title, heading, header),
		context(title, heading, ""),
		context("", heading, header),
		context("", heading, ""),
		context(title, "", ""),
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

func context(parts ...string) string {
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	return strings.Join(parts, "\n")
}
