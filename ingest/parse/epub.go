package parse

import (
	"bytes"
	"context"
	"path"
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// epubPart is how many bytes a chapter of a book may unpack to.
const epubPart = 64 << 20

func epubFormat() Format {
	return Format{
		Name: "epub", Version: 1, MediaType: "application/epub+zip",
		Extensions: []string{".epub"},
		Sniff: func(data []byte) bool {
			return archiveType(data) == "application/epub+zip" || sniffOPC(data, "meta-inf/container.xml")
		},
		Parse: parseEPUB,
	}
}

var epubKind = opcKind{noun: "EPUB book", program: "the program that made it", part: epubPart}

// archiveType returns what the first member of an archive says the archive is: EPUB and OpenDocument files begin with
// one called "mimetype" that is not packed.
func archiveType(data []byte) string {
	const at = 30 + len("mimetype") // behind the header of the member and its name
	if len(data) < at || !bytes.HasPrefix(data, []byte("PK\x03\x04")) || string(data[30:at]) != "mimetype" {
		return ""
	}
	size := int(data[18]) | int(data[19])<<8
	start := at + int(data[28]) + int(data[29])<<8
	if size > 200 || start+size > len(data) {
		return ""
	}
	return strings.TrimSpace(string(data[start : start+size]))
}

// parseEPUB makes a page of each part of a book, in the order in which it is read.
func parseEPUB(ctx context.Context, in Input) (Document, error) {
	a, err := openOPC(in.Data, epubKind)
	if err != nil {
		return Document{}, err
	}
	book, err := readEPUBPackage(a)
	if err != nil {
		return Document{}, err
	}
	locked, err := epubLocked(a)
	if err != nil {
		return Document{}, err
	}
	contents, err := book.contents(a)
	if err != nil {
		return Document{}, err
	}
	doc := Document{Title: book.title, Language: book.language, Metadata: book.metadata}
	pictures := 0
	for _, item := range book.spine {
		if ctx.Err() != nil {
			return Document{}, ctx.Err()
		}
		switch {
		case locked[partName(item.name)]:
			return Document{}, errorf(Encrypted, "The book is protected against copying (DRM); get a copy without protection.")
		case !a.has(item.name):
			doc.Warnings = append(doc.Warnings, "The part "+path.Base(item.name)+" of the book is missing in the file.")
			continue
		case !item.isText():
			pictures++
			continue
		}
		data, err := a.read(item.name)
		if err != nil {
			return Document{}, err
		}
		blocks, hasPicture, err := epubBlocks(data, item.navigates)
		if err != nil {
			return Document{}, err
		}
		blocks = contents[partName(item.name)].apply(blocks)
		if len(blocks) > 0 {
			doc.Pages = append(doc.Pages, Page{Blocks: blocks})
		} else if hasPicture {
			pictures++
		}
	}
	switch {
	case len(doc.Pages) > 0:
		return doc, nil
	case pictures > 0:
		return Document{}, errorf(NoText, "The book consists of pictures; convert it to a PDF with text.")
	case len(doc.Warnings) > 0:
		return Document{}, a.damaged()
	}
	return Document{}, errorf(Empty, "There is no text in it.")
}

// epubBlocks reads a chapter; without the tables of contents in it if it is the one that navigates.
func epubBlocks(data []byte, navigates bool) (blocks []Block, hasPicture bool, err error) {
	declared := ""
	if m := declaredCharset.FindSubmatch(data[:min(len(data), 4096)]); m != nil {
		declared = string(m[1])
	}
	text, err := decodeText(data, declared)
	if err != nil {
		return nil, false, err
	}
	root, err := html.Parse(strings.NewReader(closeElements(text)))
	if err != nil {
		return nil, false, errorf(Damaged, "Its elements are nested deeper than any browser follows.")
	}
	hasPicture = find(root, atom.Img) != nil || find(root, atom.Svg) != nil
	return htmlBlocks(root, navigates), hasPicture, nil
}

// selfClosed is an empty element as XML writes it.
var selfClosed = regexp.MustCompile(`<([a-zA-Z][\w:.-]*)((?:\s+[^<>"'/=\s]+(?:\s*=\s*(?:"[^"<]*"|'[^'<]*'))?)*)\s*/>`)

// closeElements writes empty elements as HTML has them: it takes <title/> for a beginning.
func closeElements(xhtml string) string {
	return selfClosed.ReplaceAllStringFunc(xhtml, func(element string) string {
		m := selfClosed.FindStringSubmatch(element)
		switch atom.Lookup([]byte(strings.ToLower(m[1]))) {
		case atom.Area, atom.Base, atom.Br, atom.Col, atom.Embed, atom.Hr, atom.Img, atom.Input, atom.Link, atom.Meta, atom.Source, atom.Track, atom.Wbr:
			return element
		}
		return "<" + m[1] + m[2] + "></" + m[1] + ">"
	})
}

// epubLocked returns the parts that are encrypted. Fonts that are only made hard to take out are not meant.
func epubLocked(a *opcPackage) (map[string]bool, error) {
	var list struct {
		Data []struct {
			Method struct {
				Algorithm string `xml:"Algorithm,attr"`
			} `xml:"EncryptionMethod"`
			Reference struct {
				URI string `xml:"URI,attr"`
			} `xml:"CipherData>CipherReference"`
		} `xml:"EncryptedData"`
	}
	if _, err := a.readXML("META-INF/encryption.xml", &list); err != nil {
		return nil, err
	}
	locked := map[string]bool{}
	for _, d := range list.Data {
		locked[partName(partOf("", d.Reference.URI))] = true
	}
	return locked, nil
}
