package parse

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// choose returns the format of the input: by its content first, by its extension where the content is plain
// text, which any extension can have.
func (r registry) choose(in Input) (Format, error) {
	extension := strings.ToLower(filepath.Ext(in.Name))
	if err := generated(in, extension); err != nil {
		return Format{}, err
	}
	for _, f := range r {
		if f.Sniff != nil && f.Sniff(in.Data) {
			return f, nil
		}
	}
	found := mimetype.Detect(in.Data)
	if !looksLikeText(in.Data) {
		return Format{}, notReadable(in, extension, found)
	}
	for _, f := range r {
		if !slices.Contains(f.Extensions, extension) {
			continue
		}
		if f.Text {
			return f, nil
		}
		return Format{}, errorf(Damaged, "It is called %s but is plain text; rename it to .txt if it is meant to be read as that.", extension)
	}
	return Format{}, errorf(UnsupportedFormat, "It is text of a format (%s) that is not read yet; convert it to one of %s.",
		nameOf(extension, found), strings.Join(r.extensions(), " "))
}

func nameOf(extension string, found *mimetype.MIME) string {
	if extension != "" {
		return extension
	}
	return found.String()
}

// notReadable says what a file is that no format recognises.
func notReadable(in Input, extension string, found *mimetype.MIME) error {
	switch {
	case (found.Is("application/x-ole-storage") || isLegacyOffice(found)) && bytes.Contains(in.Data, officeWithPassword):
		return needsPassword("document", len(in.Passwords))
	case found.Is("application/vnd.ms-outlook") || extension == ".msg" && found.Is("application/x-ole-storage"):
		return errorf(UnsupportedFormat, "It is a mail as Outlook saves it; save it as .eml or .pdf.")
	case found.Is("application/x-ole-storage") || isLegacyOffice(found):
		return errorf(UnsupportedFormat, "It is a file of an old Office version; save it as %s.", inNewOffice(extension, found))
	case extension == found.Extension() && slices.Contains(formats().extensions(), extension):
		return errorf(Damaged, "It begins like a file of its kind (%s) but lacks what one must have; it was probably cut off. Get the original.", extension)
	case !found.Is("application/octet-stream"):
		if extension != "" && extension != found.Extension() {
			return errorf(UnsupportedFormat, "It is called %s but is %s, which is not read.", extension, found)
		}
		return errorf(UnsupportedFormat, "It is %s, which is not read yet.", found)
	case slices.Contains(formats().extensions(), extension):
		return errorf(Damaged, "It is called %s but its bytes are not that, nor anything else that is known; it is damaged.", extension)
	}
	return errorf(UnsupportedFormat, "Its bytes are of no known format.")
}

// inNewOffice says as what to save a file of an old Office version.
func inNewOffice(extension string, found *mimetype.MIME) string {
	switch {
	case extension == ".xls" || found.Is("application/vnd.ms-excel"):
		return ".xlsx"
	case extension == ".ppt" || extension == ".pps" || found.Is("application/vnd.ms-powerpoint"):
		return ".pptx"
	}
	return ".docx or .pdf"
}

func isLegacyOffice(found *mimetype.MIME) bool {
	return found.Is("application/msword") || found.Is("application/vnd.ms-excel") || found.Is("application/vnd.ms-powerpoint")
}

// extensions are all that the formats claim.
func (r registry) extensions() []string {
	var all []string
	for _, f := range r {
		all = append(all, f.Extensions...)
	}
	return all
}
