package parse

import (
	"context"
	"path"
	"strings"
)

// docxPart is how many bytes a part of a Word document may unpack to.
const docxPart = 64 << 20

func docxFormat() Format {
	return Format{
		Name: "docx", Version: 1, MediaType: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		Extensions: []string{".docx", ".docm", ".dotx"},
		Sniff:      func(data []byte) bool { return sniffOPC(data, "word/document") },
		Parse:      parseDOCX,
	}
}

var docxKind = opcKind{noun: "Word document", program: "Word", main: "word/document.xml", part: docxPart}

func parseDOCX(ctx context.Context, in Input) (Document, error) {
	a, err := openOPC(in.Data, docxKind)
	if err != nil {
		return Document{}, err
	}
	main, err := a.mainPart()
	if err != nil {
		return Document{}, err
	}
	body, err := a.read(main)
	if err != nil {
		return Document{}, err
	}
	if body == nil {
		return Document{}, a.damaged()
	}
	doc := Document{Metadata: map[string]any{}}
	if err := a.readProperties(&doc); err != nil {
		return Document{}, err
	}
	styles, err := a.read(path.Join(path.Dir(main), "styles.xml"))
	if err != nil {
		return Document{}, err
	}
	numbering, err := a.read(path.Join(path.Dir(main), "numbering.xml"))
	if err != nil {
		return Document{}, err
	}
	w := docxWalker{ctx: ctx, styles: readDOCXStyles(styles), numbering: readDOCXNumbering(numbering),
		notes: map[string][]Block{}, counts: map[string]*[10]int{}}
	for _, kind := range []string{"footnotes", "endnotes"} {
		part, err := a.read(path.Join(path.Dir(main), kind+".xml"))
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
