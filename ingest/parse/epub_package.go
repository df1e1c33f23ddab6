package parse

import (
	"net/url"
	"path"
	"slices"
	"strings"
)

// epubPackage is what the package document of a book says (EPUB 3.3, 5; OPF 2.0).
type epubPackage struct {
	title    string
	language string
	metadata map[string]any
	spine    []epubItem // in reading order
	nav      string     // part with the contents (EPUB 3)
	ncx      string     // the same in EPUB 2
}

// epubItem is a part of the book.
type epubItem struct {
	name      string
	mediaType string
	navigates bool // it is the table of contents
}

func (i epubItem) isText() bool {
	switch i.mediaType {
	case "application/xhtml+xml", "text/html", "text/x-oeb1-document", "application/x-dtbook+xml", "application/xml", "text/xml", "":
		return true
	}
	return false
}

// partOf resolves a link in a part of that folder to the name of a part.
func partOf(folder, href string) string {
	href, _, _ = strings.Cut(href, "#")
	if plain, err := url.PathUnescape(href); err == nil {
		href = plain
	}
	return path.Join(folder, strings.TrimPrefix(href, "/"))
}

// epubOPF is the package document as XML has it.
type epubOPF struct {
	Metadata struct {
		Title       []string `xml:"title"`
		Creator     []string `xml:"creator"`
		Language    []string `xml:"language"`
		Date        []string `xml:"date"`
		Subject     []string `xml:"subject"`
		Description []string `xml:"description"`
		Publisher   []string `xml:"publisher"`
		Meta        []struct {
			Property string `xml:"property,attr"`
			Value    string `xml:",chardata"`
		} `xml:"meta"`
	} `xml:"metadata"`
	Items []struct {
		ID         string `xml:"id,attr"`
		Href       string `xml:"href,attr"`
		MediaType  string `xml:"media-type,attr"`
		Properties string `xml:"properties,attr"`
	} `xml:"manifest>item"`
	Spine struct {
		TOC   string `xml:"toc,attr"`
		Items []struct {
			ID string `xml:"idref,attr"`
		} `xml:"itemref"`
	} `xml:"spine"`
}

// readEPUBPackage finds the package document and reads it.
func readEPUBPackage(a *opcPackage) (epubPackage, error) {
	var container struct {
		Roots []struct {
			Path string `xml:"full-path,attr"`
		} `xml:"rootfiles>rootfile"`
	}
	if _, err := a.readXML("META-INF/container.xml", &container); err != nil {
		return epubPackage{}, err
	}
	name := ""
	for _, root := range container.Roots {
		if name == "" && a.has(root.Path) {
			name = root.Path
		}
	}
	if name == "" { // a lost container
		for part := range a.files {
			if strings.HasSuffix(part, ".opf") && (name == "" || part < name) {
				name = part
			}
		}
	}
	var opf epubOPF
	ok, err := a.readXML(name, &opf)
	if err != nil {
		return epubPackage{}, err
	}
	if !ok {
		return epubPackage{}, a.damaged()
	}
	book := epubPackage{metadata: map[string]any{}}
	book.read(opf, path.Dir(name))
	return book, nil
}

// read takes over what the package document in that folder says.
func (b *epubPackage) read(opf epubOPF, folder string) {
	items := map[string]epubItem{}
	var all []epubItem
	for _, i := range opf.Items {
		item := epubItem{name: partOf(folder, i.Href), mediaType: strings.ToLower(i.MediaType),
			navigates: slices.Contains(strings.Fields(i.Properties), "nav")}
		items[i.ID] = item
		all = append(all, item)
		if item.navigates {
			b.nav = item.name
		}
		if item.mediaType == "application/x-dtbncx+xml" && (b.ncx == "" || i.ID == opf.Spine.TOC) {
			b.ncx = item.name
		}
	}
	for _, i := range opf.Spine.Items {
		if item, ok := items[i.ID]; ok {
			b.spine = append(b.spine, item)
		}
	}
	if len(b.spine) == 0 {
		b.spine = slices.DeleteFunc(all, func(i epubItem) bool { return !i.isText() })
	}
	m := opf.Metadata
	b.title = firstOf(m.Title)
	b.language = languageCode(firstOf(m.Language))
	put(b.metadata, metaAuthor, strings.Join(m.Creator, ", "))
	put(b.metadata, metaDescription, firstOf(m.Description))
	put(b.metadata, metaPublisher, firstOf(m.Publisher))
	putKeywords(b.metadata, strings.Join(m.Subject, ";"))
	putDate(b.metadata, metaCreated, firstOf(m.Date))
	for _, meta := range m.Meta {
		if meta.Property == "dcterms:modified" {
			putDate(b.metadata, metaModified, meta.Value)
		}
	}
}

func firstOf(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return strings.TrimSpace(list[0])
}
