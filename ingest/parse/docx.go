package parse

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strings"
	"time"
)

// Limits on what a docx may unpack to.
const (
	docxPart  = 64 << 20  // bytes of one part
	docxTotal = 256 << 20 // bytes of the parts that are read
	docxDepth = 200       // nesting of elements that matter
)

func docxFormat() Format {
	return Format{
		Name: "docx", Version: 1, MediaType: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		Extensions: []string{".docx", ".docm", ".dotx"},
		Sniff: func(data []byte) bool {
			return bytes.HasPrefix(data, []byte("PK\x03\x04")) && bytes.Contains(data, []byte("word/document"))
		},
		Parse: parseDOCX,
	}
}

// docxArchive reads the parts of a package.
type docxArchive struct {
	files map[string]*zip.File
	left  int64 // bytes that may still be unpacked
}

func openDOCX(data []byte) (*docxArchive, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, errorf(Damaged, "The Word document is damaged: its archive can't be opened; it was probably cut off. Get the original.")
	}
	a := &docxArchive{files: map[string]*zip.File{}, left: docxTotal}
	for _, f := range z.File {
		a.files[strings.TrimPrefix(f.Name, "/")] = f
	}
	return a, nil
}

// part returns the bytes of a part; nil if there is none.
func (a *docxArchive) part(name string) ([]byte, error) {
	f, ok := a.files[name]
	if !ok {
		return nil, nil
	}
	limit := min(docxPart, a.left)
	if f.UncompressedSize64 > uint64(limit) {
		return nil, docxTooLarge()
	}
	r, err := f.Open()
	if err != nil {
		return nil, docxDamaged()
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if int64(len(data)) > limit {
		return nil, docxTooLarge()
	}
	if err != nil && !errors.Is(err, zip.ErrChecksum) {
		return nil, docxDamaged()
	}
	a.left -= int64(len(data))
	return data, nil
}

func docxTooLarge() *Error {
	return errorf(TooLarge, "The Word document unpacks to more than %d MB of text, which no ordinary one does.", docxPart>>20)
}

func docxDamaged() *Error {
	return errorf(Damaged, "The Word document is damaged: its text can't be unpacked. Get the original, or save it anew from Word.")
}

func parseDOCX(ctx context.Context, in Input) (Document, error) {
	a, err := openDOCX(in.Data)
	if err != nil {
		return Document{}, err
	}
	main, err := a.mainPart()
	if err != nil {
		return Document{}, err
	}
	body, err := a.part(main)
	if err != nil {
		return Document{}, err
	}
	if body == nil {
		return Document{}, docxDamaged()
	}
	doc := Document{Metadata: map[string]any{}}
	if err := a.readProperties(&doc); err != nil {
		return Document{}, err
	}
	styles, err := a.part(path.Join(path.Dir(main), "styles.xml"))
	if err != nil {
		return Document{}, err
	}
	numbering, err := a.part(path.Join(path.Dir(main), "numbering.xml"))
	if err != nil {
		return Document{}, err
	}
	w := docxWalker{ctx: ctx, styles: readDOCXStyles(styles), numbering: readDOCXNumbering(numbering),
		notes: map[string][]Block{}, counts: map[string]*[10]int{}}
	for _, kind := range []string{"footnotes", "endnotes"} {
		part, err := a.part(path.Join(path.Dir(main), kind+".xml"))
		if err != nil {
			return Document{}, err
		}
		w.readNotes(strings.TrimSuffix(kind, "s"), part)
	}
	if doc.Pages, err = w.read(body); err != nil {
		return Document{}, err
	}
	return doc, nil
}

// mainPart returns the name of the part with the text.
func (a *docxArchive) mainPart() (string, error) {
	const usual = "word/document.xml"
	rels, err := a.part("_rels/.rels")
	if err != nil {
		return "", err
	}
	var list struct {
		Relationship []struct {
			Type   string `xml:"Type,attr"`
			Target string `xml:"Target,attr"`
		}
	}
	if xml.Unmarshal(rels, &list) == nil {
		for _, r := range list.Relationship {
			if name := strings.TrimPrefix(r.Target, "/"); strings.HasSuffix(r.Type, "/officeDocument") && a.files[name] != nil {
				return name, nil
			}
		}
	}
	return usual, nil
}

// readProperties fills in what the document says of itself.
func (a *docxArchive) readProperties(doc *Document) error {
	data, err := a.part("docProps/core.xml")
	if err != nil || data == nil {
		return err
	}
	var core struct {
		Title       string `xml:"title"`
		Creator     string `xml:"creator"`
		Subject     string `xml:"subject"`
		Description string `xml:"description"`
		Keywords    string `xml:"keywords"`
		Language    string `xml:"language"`
		Created     string `xml:"created"`
		Modified    string `xml:"modified"`
	}
	if xml.Unmarshal(data, &core) != nil {
		return nil // the text is what matters
	}
	doc.Title, doc.Language = core.Title, languageCode(core.Language)
	put(doc.Metadata, metaAuthor, core.Creator)
	put(doc.Metadata, metaSubject, core.Subject)
	put(doc.Metadata, metaDescription, core.Description)
	putKeywords(doc.Metadata, core.Keywords)
	created, err := time.Parse(time.RFC3339, core.Created)
	putTime(doc.Metadata, metaCreated, created, err == nil)
	modified, err := time.Parse(time.RFC3339, core.Modified)
	putTime(doc.Metadata, metaModified, modified, err == nil)
	return nil
}
