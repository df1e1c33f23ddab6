package parse

import (
	"slices"
	"strconv"
)

// word does what a control word says. Those that only say how something looks are not listed.
func (r *rtfReader) word(word string, value int, given bool) {
	first := r.starts
	r.starts = false
	if first && r.destination(word) {
		return
	}
	if r.group.destination == "skip" && word != "ud" {
		return
	}
	on := !given || value != 0
	p := &r.group.paragraph
	switch word {
	case "u":
		r.unicode(value)
	case "uc":
		r.group.skip = max(0, min(value, 16))
	case "ansicpg":
		if e := codePage(value); e != nil {
			r.charset = e
		}
	case "mac":
		r.charset = codePage(10000)
	case "pc":
		r.charset = codePage(437)
	case "pca":
		r.charset = codePage(850)
	case "deff":
		r.plainFont, r.group.font = value, value
	case "f":
		r.flush()
		if r.group.destination == "fonttbl" {
			r.defining = value
		} else {
			r.group.font = value
		}
	case "fcharset":
		if e := fontCharset(value); e != nil && r.group.destination == "fonttbl" && r.fonts[r.defining] == nil {
			r.fonts[r.defining] = e
		}
	case "cpg":
		if e := codePage(value); e != nil && r.group.destination == "fonttbl" {
			r.fonts[r.defining] = e
		}
	case "v", "deleted":
		r.flush()
		r.group.hidden = on
	case "plain":
		r.flush()
		r.group.font, r.group.hidden = r.plainFont, false
	case "pard":
		*p = rtfParagraph{}
	case "s":
		if r.group.destination == "stylesheet" {
			r.style = value
		} else {
			p.style = value
		}
	case "sbasedon":
		if r.group.destination == "stylesheet" {
			r.defineStyle().base = value
		}
	case "outlinelevel":
		level := value + 1
		if value < 0 || value > 8 {
			level = -1
		}
		if r.group.destination == "stylesheet" {
			r.defineStyle().outline = level
		} else {
			p.outline = level
		}
	case "ilvl":
		p.level = max(0, min(value, 8))
	case "intbl":
		p.table = on
	case "li":
		p.left = value
	case "fi":
		p.first = value
	case "yr", "mo", "dy", "hr", "min":
		if t := r.times[r.group.destination]; t != nil {
			t[word] = value
		}
	case "par", "sect", "page", "cell", "row", "nestcell", "nestrow", "trhdr", "trowd":
		r.flush()
		if r.group.destination == "" {
			r.text().control(word, *p)
		}
	case "chftn":
		if len(r.texts) == 1 {
			r.write("[" + strconv.Itoa(r.notes+1) + "]")
		}
	default:
		if s, ok := rtfCharacters[word]; ok {
			r.write(s)
		}
	}
}

// rtfCharacters are the words that stand for a character.
var rtfCharacters = map[string]string{
	"line": "\n", "lbr": "\n", "softline": "", "tab": "\t", "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”",
	"bullet": "•", "emspace": " ", "enspace": " ", "qmspace": " ", "zwj": "\u200d", "zwnj": "\u200c",
}

// rtfSkipped are destinations without text that people read in the document.
var rtfSkipped = []string{
	"pict", "objdata", "objclass", "objname", "fldinst", "header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf",
	"colortbl", "filetbl", "listtable", "listoverridetable", "revtbl", "rsidtbl", "ftnsep", "ftnsepc", "ftncn", "aftnsep", "aftnsepc", "aftncn",
	"annotation", "atnid", "atnauthor", "xe", "tc", "tcn", "rxe", "nonshppict", "shprslt", "nonesttables", "nesttableprops", "private", "falt", "panose",
	"sn", "sv", "template", "bkmkstart", "bkmkend", "pn", "pnseclvl",
}

// rtfInfo are the destinations that say something of the document.
var rtfInfo = []string{"title", "author", "subject", "keywords", "doccomm"}

// destination lets the text of a group go where its first word says. It reports whether the word names a place.
func (r *rtfReader) destination(word string) bool {
	star := r.star
	r.star = false
	g := &r.group
	if word == "ud" { // the same in Unicode
		g.destination = g.outer
		return true
	}
	if g.destination == "skip" {
		return true
	}
	switch word {
	case "upr":
		g.outer, g.destination = g.destination, "skip"
	case "fonttbl", "stylesheet":
		g.destination = word
	case "listtext", "pntext":
		g.destination = "listtext"
	case "info":
		g.destination = "info"
	case "creatim", "revtim":
		g.destination = word
		r.times[word] = map[string]int{}
	case "footnote":
		r.notes++
		r.beginText("[" + strconv.Itoa(r.notes) + "]")
	case "shptxt":
		r.beginText("")
	case "shpinst", "shp", "object", "result", "field", "fldrslt", "shpgrp", "do", "dptxbxtext":
	default:
		switch {
		case slices.Contains(rtfSkipped, word):
			g.destination = "skip"
		case g.destination == "info":
			g.destination = "skip"
			if slices.Contains(rtfInfo, word) && r.info[word] == "" { // who changed it last comes behind
				g.destination = word
			}
		case g.destination == "stylesheet" && word == "cs", g.destination == "stylesheet" && word == "ts": // styles of characters and tables
			g.destination = "skip"
		case star:
			g.destination = "skip"
		default:
			return false
		}
	}
	return true
}
