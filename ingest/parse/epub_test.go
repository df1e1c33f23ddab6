package parse

import (
	"archive/zip"
	"bytes"
	"hash/crc32"
	"io"
	"strings"
	"testing"
)

// makeArchive packs parts, name and content by turns. One called "mimetype" is stored as it is.
func makeArchive(t testing.TB, parts ...string) string {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := 0; i < len(parts); i += 2 {
		name, content := parts[i], parts[i+1]
		create := z.Create
		if name == "mimetype" {
			size := uint64(len(content))
			create = func(name string) (io.Writer, error) {
				return z.CreateRaw(&zip.FileHeader{Name: name, CRC32: crc32.ChecksumIEEE([]byte(content)), CompressedSize64: size, UncompressedSize64: size})
			}
		}
		w, err := create(name)
		if err == nil {
			_, err = w.Write([]byte(content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

const epubContainer = `<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>`

// makeEPUB packs a book of two chapters and a cover, with further parts.
func makeEPUB(t testing.TB, manifest, spine string, parts ...string) string {
	t.Helper()
	opf := `<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title>Tides &amp; Locks</dc:title><dc:creator>Ann Sluys</dc:creator><dc:creator>Bo Wehr</dc:creator><dc:language>en-GB</dc:language><dc:date>2021</dc:date>
<dc:subject>tides</dc:subject><dc:subject>locks</dc:subject><meta property="dcterms:modified">2022-03-04T05:06:07Z</meta></metadata>
<manifest>` + manifest + `</manifest><spine toc="ncx">` + spine + `</spine></package>`
	return makeArchive(t, append([]string{"mimetype", "application/epub+zip", "META-INF/container.xml", epubContainer, "OEBPS/book.opf", opf}, parts...)...)
}

func chapter(body string) string {
	return `<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/><script src="a.js"/></head><body>` + body + `</body></html>`
}

const (
	epubManifest = `<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/><item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>
<item id="cover" href="cover.xhtml" media-type="application/xhtml+xml"/><item id="c2" href="two%20b.xhtml" media-type="application/xhtml+xml"/><item id="c1" href="one.xhtml" media-type="application/xhtml+xml"/>`
	epubSpine = `<itemref idref="cover"/><itemref idref="nav"/><itemref idref="c1"/><itemref idref="c2"/>`
)

var epubChapters = []string{
	"OEBPS/cover.xhtml", chapter(`<img src="cover.jpg"/>`),
	"OEBPS/one.xhtml", chapter(`<p class="t">1. High <i>Water</i></p><p>Water rises twice a day.</p><h3>Springs</h3><p>At full moon.</p>`),
	"OEBPS/two b.xhtml", chapter(`<a id="x"/><h1>Gates</h1><p>Gates open inwards.</p>`),
}

func TestEPUBFollowsItsSpineAndContents(t *testing.T) {
	want := `
heading2: 1. High Water
paragraph: Water rises twice a day.
heading3: Springs
paragraph: At full moon.
= page 2
heading1: Part Two
heading2: Gates
paragraph: Gates open inwards.`
	nav := chapter(`<nav epub:type="landmarks"><ol><li><a href="one.xhtml">Start</a></li></ol></nav><nav epub:type="toc"><ol><li><span>Part One</span><ol><li><a href="one.xhtml#a">1. High Water</a></li></ol></li>
<li><a href="two%20b.xhtml">Part Two</a></li></ol></nav>`)
	ncx := `<ncx><navMap><navPoint><navLabel><text>Part One</text></navLabel><navPoint><navLabel><text>1. High Water</text></navLabel><content src="one.xhtml"/></navPoint></navPoint>
<navPoint><navLabel><text>Part Two</text></navLabel><content src="two%20b.xhtml"/></navPoint></navMap></ncx>`
	for _, tt := range []struct{ name, part, content string }{{"EPUB 3", "OEBPS/nav.xhtml", nav}, {"EPUB 2", "OEBPS/toc.ncx", ncx}} {
		t.Run(tt.name, func(t *testing.T) {
			manifest := epubManifest
			if tt.part == "OEBPS/toc.ncx" {
				manifest = strings.ReplaceAll(manifest, ` properties="nav"`, "")
			}
			doc := parseData(t, "a.epub", makeEPUB(t, manifest, strings.ReplaceAll(epubSpine, `<itemref idref="nav"/>`, ""), append(epubChapters, tt.part, tt.content)...))
			wantOutline(t, doc, want)
			if doc.Title != "Tides & Locks" || doc.Language != "en" || doc.Metadata["author"] != "Ann Sluys, Bo Wehr" ||
				doc.Metadata["created"] != "2021-01-01T00:00:00Z" || doc.Metadata["modified"] != "2022-03-04T05:06:07Z" || len(doc.Warnings) > 0 {
				t.Errorf("title %q, language %q, metadata %v, warnings %q", doc.Title, doc.Language, doc.Metadata, doc.Warnings)
			}
		})
	}
}

func TestEPUBThatIsNotWholeSaysSo(t *testing.T) {
	whole := makeEPUB(t, epubManifest, epubSpine, epubChapters...)
	encryption := func(algorithm, uri string) []string {
		return append(epubChapters, "META-INF/encryption.xml", `<encryption><EncryptedData><EncryptionMethod Algorithm="`+algorithm+`"/><CipherData><CipherReference URI="`+uri+`"/></CipherData></EncryptedData></encryption>`)
	}
	for _, tt := range []struct {
		name, data string
		want       ErrorCode
	}{
		{"cut off", whole[:len(whole)/2], Damaged},
		{"chapters are encrypted", makeEPUB(t, epubManifest, epubSpine, encryption("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "OEBPS/one.xhtml")...), Encrypted},
		{"fonts are encrypted", makeEPUB(t, epubManifest, epubSpine, encryption("http://www.idpf.org/2008/embedding", "OEBPS/a.otf")...), ""},
		{"pictures only", makeEPUB(t, epubManifest, `<itemref idref="cover"/>`, epubChapters...), NoText},
		{"no chapter is there", makeEPUB(t, epubManifest, epubSpine), Damaged},
		{"no package", makeArchive(t, "mimetype", "application/epub+zip", "META-INF/container.xml", epubContainer), Damaged},
		{"chapter unpacks to too much", makeEPUB(t, epubManifest, epubSpine, "OEBPS/one.xhtml", strings.Repeat("a", epubPart+1)), TooLarge},
	} {
		if got := codeFor("a.epub", tt.data); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	doc := parseData(t, "a.epub", makeEPUB(t, epubManifest, epubSpine, epubChapters[:4]...))
	if want := "two b.xhtml"; len(doc.Warnings) != 2 || !strings.Contains(doc.Warnings[1], want) {
		t.Errorf("warnings are %q, want one about nav.xhtml and one about %s", doc.Warnings, want)
	}
}

func FuzzEPUB(f *testing.F) {
	fuzz(f, "a.epub", makeEPUB(f, epubManifest, epubSpine, append(epubChapters, "OEBPS/nav.xhtml", chapter(`<nav epub:type="toc"><ol><li><a href="one.xhtml">1</a></li></ol></nav>`))...))
}
