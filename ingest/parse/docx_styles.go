package parse

import (
	"encoding/xml"
	"regexp"
	"strconv"
	"strings"
)

// docxStyle is what a paragraph gets from its style.
type docxStyle struct {
	heading int  // level; 0 for none
	title   bool // the document's title
	list    bool
	numID   string // of the list
	level   int    // in the list, from 0
	quote   bool
	code    bool
	toc     bool // an entry of a table of contents
}

// docxValue is an element with a w:val.
type docxValue struct {
	Val string `xml:"val,attr"`
}

type docxStyleElement struct {
	ID      string    `xml:"styleId,attr"`
	Type    string    `xml:"type,attr"`
	Name    docxValue `xml:"name"`
	BasedOn docxValue `xml:"basedOn"`
	PPr     struct {
		OutlineLvl *docxValue `xml:"outlineLvl"`
		NumPr      *struct {
			Ilvl  docxValue `xml:"ilvl"`
			NumID docxValue `xml:"numId"`
		} `xml:"numPr"`
	} `xml:"pPr"`
}

var headingName = regexp.MustCompile(`(?i)^heading ([1-9])$`)

// readDOCXStyles returns the styles by id. Word localises the ids ("berschrift1", "标题1") but not the names of
// built-in styles, and the outline level says it for all others.
func readDOCXStyles(part []byte) map[string]docxStyle {
	var sheet struct {
		Style []docxStyleElement `xml:"style"`
	}
	if xml.Unmarshal(part, &sheet) != nil {
		return nil
	}
	elements := map[string]docxStyleElement{}
	for _, s := range sheet.Style {
		if s.Type == "paragraph" || s.Type == "" {
			elements[s.ID] = s
		}
	}
	styles := map[string]docxStyle{}
	for id := range elements {
		var style docxStyle
		// Nearer styles win; a chain of styles is short, and may be a ring in a damaged file.
		for at, steps := id, 0; at != "" && steps < 20; at, steps = elements[at].BasedOn.Val, steps+1 {
			style.inherit(elements[at])
		}
		styles[id] = style
	}
	return styles
}

// inherit takes from a style what nearer ones left open.
func (s *docxStyle) inherit(e docxStyleElement) {
	name := strings.ToLower(e.Name.Val)
	if s.heading == 0 && !s.toc {
		if m := headingName.FindStringSubmatch(name); m != nil {
			s.heading = min(int(m[1][0]-'0'), 6)
		} else if l := e.PPr.OutlineLvl; l != nil {
			if level, err := strconv.Atoi(l.Val); err == nil && level >= 0 && level < 9 {
				s.heading = min(level+1, 6)
			}
		}
	}
	switch {
	case name == "title":
		s.title = true
	case strings.HasPrefix(name, "toc ") || name == "table of figures":
		s.toc, s.heading = true, 0
	case strings.HasPrefix(name, "list bullet") || strings.HasPrefix(name, "list number"):
		s.list = true
		if n, err := strconv.Atoi(name[len(name)-1:]); err == nil {
			s.level = n - 1
		}
	case name == "quote" || name == "intense quote" || name == "block text":
		s.quote = true
	case name == "html preformatted" || name == "source code" || name == "macro" || name == "code":
		s.code = true
	}
	if n := e.PPr.NumPr; n != nil && n.NumID.Val != "" && n.NumID.Val != "0" {
		s.list = true
		if s.numID == "" {
			s.numID = n.NumID.Val
			s.level, _ = strconv.Atoi(n.Ilvl.Val)
		}
	}
}

// docxNumbering tells which lists have numbers: by list id and level.
type docxNumbering map[string]map[int]bool

func readDOCXNumbering(part []byte) docxNumbering {
	var sheet struct {
		Abstract []struct {
			ID  string `xml:"abstractNumId,attr"`
			Lvl []struct {
				Ilvl   int       `xml:"ilvl,attr"`
				NumFmt docxValue `xml:"numFmt"`
			} `xml:"lvl"`
		} `xml:"abstractNum"`
		Num []struct {
			ID       string    `xml:"numId,attr"`
			Abstract docxValue `xml:"abstractNumId"`
		} `xml:"num"`
	}
	if xml.Unmarshal(part, &sheet) != nil {
		return nil
	}
	abstract := map[string]map[int]bool{}
	for _, a := range sheet.Abstract {
		levels := map[int]bool{}
		for _, l := range a.Lvl {
			levels[l.Ilvl] = l.NumFmt.Val != "bullet" && l.NumFmt.Val != "none" && l.NumFmt.Val != ""
		}
		abstract[a.ID] = levels
	}
	numbering := docxNumbering{}
	for _, n := range sheet.Num {
		numbering[n.ID] = abstract[n.Abstract.Val]
	}
	return numbering
}
