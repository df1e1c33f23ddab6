package parse

import (
	"bytes"
	"context"
	"fmt"
)

func rtfFormat() Format {
	return Format{
		Name: "rtf", Version: 1, MediaType: "application/rtf",
		Extensions: []string{".rtf"},
		Sniff: func(data []byte) bool {
			return bytes.HasPrefix(bytes.TrimLeft(data[:min(len(data), 64)], " \t\r\n\ufeff"), []byte(`{\rtf`))
		},
		Parse: parseRTF,
	}
}

// parseRTF reads the Rich Text Format (specification 1.9.1). A file that is cut off gives what comes before.
func parseRTF(ctx context.Context, in Input) (Document, error) {
	r := newRTFReader(in.Data)
	whole, err := r.read(ctx)
	if err != nil {
		return Document{}, err
	}
	doc := Document{Title: r.info["title"], Metadata: map[string]any{}, Pages: r.body.end()}
	put(doc.Metadata, metaAuthor, r.info["author"])
	put(doc.Metadata, metaSubject, r.info["subject"])
	put(doc.Metadata, metaDescription, r.info["doccomm"])
	putKeywords(doc.Metadata, r.info["keywords"])
	for key, word := range map[string]string{metaCreated: "creatim", metaModified: "revtim"} {
		if t, ok := r.times[word]; ok {
			putDate(doc.Metadata, key, fmt.Sprintf("%04d-%02d-%02dT%02d:%02d", t["yr"], t["mo"], t["dy"], t["hr"], t["min"]))
		}
	}
	if !whole {
		doc.Warnings = append(doc.Warnings, "The file ends in the middle; what comes behind is lost.")
	}
	if r.lost > 0 {
		doc.Warnings = append(doc.Warnings, fmt.Sprintf("%d characters are not of the charset that the document names, and were left out.", r.lost))
	}
	return doc, nil
}
