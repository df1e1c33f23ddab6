package parse

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"path"
	"strings"
	"time"
)

// opcTotal is how many bytes the parts of an Office file that are read may unpack to.
const opcTotal = 256 << 20

// opcKind is a kind of Office file.
type opcKind struct {
	noun    string // for messages: "Word document"
	program string // that writes it: "Word"
	main    string // usual name of its main part
	part    int64  // bytes that one part may unpack to
}

// opcPackage reads the parts of an Office file, which is an archive by the Open Packaging Conventions
// (ECMA-376, part 2). Names of parts don't distinguish case.
type opcPackage struct {
	opcKind
	files map[string]*zip.File
	left  int64 // bytes that may still be unpacked
}

// sniffOPC reports whether the data is an archive with a part whose name begins with prefix. An archive that is cut
// off has lost its directory: then the name anywhere in it will do.
func sniffOPC(data []byte, prefix string) bool {
	if !bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		return false
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return bytes.Contains(data, []byte(prefix))
	}
	for _, f := range z.File {
		if strings.HasPrefix(partName(f.Name), prefix) {
			return true
		}
	}
	return false
}

func openOPC(data []byte, kind opcKind) (*opcPackage, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, errorf(Damaged, "The %s is damaged: its archive can't be opened; it was probably cut off. Get the original.", kind.noun)
	}
	a := &opcPackage{opcKind: kind, files: map[string]*zip.File{}, left: opcTotal}
	for _, f := range z.File {
		a.files[partName(f.Name)] = f
	}
	return a, nil
}

func partName(name string) string {
	return strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(name, "\\", "/"), "/"))
}

// has reports whether there is a part of the name.
func (a *opcPackage) has(name string) bool { return a.files[partName(name)] != nil }

// read returns the bytes of a part; nil if there is none.
func (a *opcPackage) read(name string) ([]byte, error) {
	f, ok := a.files[partName(name)]
	if !ok {
		return nil, nil
	}
	limit := min(a.part, a.left)
	if f.UncompressedSize64 > uint64(limit) {
		return nil, a.tooLarge()
	}
	r, err := f.Open()
	if err != nil {
		return nil, a.damaged()
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if int64(len(data)) > limit {
		return nil, a.tooLarge()
	}
	if err != nil && !errors.Is(err, zip.ErrChecksum) {
		return nil, a.damaged()
	}
	a.left -= int64(len(data))
	return data, nil
}

// readXML decodes a part into v. ok is false if there is none, or none that can be decoded.
func (a *opcPackage) readXML(name string, v any) (ok bool, err error) {
	data, err := a.read(name)
	if err != nil || data == nil {
		return false, err
	}
	return decodeXML(data, v) == nil, nil
}

func (k opcKind) tooLarge() *Error {
	return errorf(TooLarge, "The %s unpacks to more than %d MB of text, which no ordinary one does.", k.noun, k.part>>20)
}

func (k opcKind) damaged() *Error {
	return errorf(Damaged, "The %s is damaged: its text can't be unpacked. Get the original, or save it anew from %s.", k.noun, k.program)
}

// mainPart returns the name of the part that the file begins with.
func (a *opcPackage) mainPart() (string, error) {
	list, err := a.relationships("")
	if err != nil {
		return "", err
	}
	for _, r := range list {
		if r.kind == "officeDocument" && a.has(r.target) {
			return r.target, nil
		}
	}
	return a.main, nil
}

// relationship is a link from a part to another.
type relationship struct {
	id     string
	kind   string // the end of its type: "slide"
	target string // name of a part
}

// relationships returns the links of a part, or of the whole file for an empty name, to other parts.
func (a *opcPackage) relationships(of string) ([]relationship, error) {
	var list struct {
		Relationship []struct {
			ID     string `xml:"Id,attr"`
			Type   string `xml:"Type,attr"`
			Target string `xml:"Target,attr"`
			Mode   string `xml:"TargetMode,attr"`
		}
	}
	folder := path.Dir(of)
	if _, err := a.readXML(path.Join(folder, "_rels", path.Base("/"+of)+".rels"), &list); err != nil {
		return nil, err
	}
	var out []relationship
	for _, r := range list.Relationship {
		if r.Mode == "External" {
			continue
		}
		target := strings.TrimPrefix(r.Target, "/")
		if target == r.Target {
			target = path.Join(folder, target)
		}
		out = append(out, relationship{r.ID, path.Base(r.Type), target})
	}
	return out, nil
}

// related returns the targets of the links of one kind.
func related(list []relationship, kind string) []string {
	var targets []string
	for _, r := range list {
		if r.kind == kind {
			targets = append(targets, r.target)
		}
	}
	return targets
}

// relatedBy returns the target of the link with the id; "" if there is none.
func relatedBy(list []relationship, id string) string {
	for _, r := range list {
		if r.id == id {
			return r.target
		}
	}
	return ""
}

// readProperties fills in what the document says of itself.
func (a *opcPackage) readProperties(doc *Document) error {
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
	if ok, err := a.readXML("docProps/core.xml", &core); err != nil || !ok {
		return err // without them: the text is what matters
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
