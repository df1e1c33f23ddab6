package parse

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// opened parses bytes under a name, and returns the document with what was taken out of it, by path.
func opened(t *testing.T, name, data string) (Document, map[string]string) {
	t.Helper()
	doc, err := formats().parse(context.Background(), Input{Name: name, Data: []byte(data), Scratch: t.TempDir()}, 1<<30)
	if err != nil {
		t.Fatalf("parse %s: %v", name, err)
	}
	parts := map[string]string{}
	for _, p := range doc.Parts {
		if p.Error != nil {
			parts[p.Path] = "! " + string(p.Error.Code)
			continue
		}
		content, err := os.ReadFile(filepath.Join(doc.Folder, p.File))
		if err != nil {
			t.Fatal(err)
		}
		parts[p.Path] = string(content)
	}
	return doc, parts
}

func crlf(s string) string { return strings.ReplaceAll(strings.TrimLeft(s, "\n"), "\n", "\r\n") }

// mixed is a mail with these entities.
func mixed(entities ...string) string {
	return "From: a@example.com\nSubject: Mixed\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n" +
		strings.Join(entities, "\n--b\n") + "\n--b--\n"
}

func TestMailsAreRead(t *testing.T) {
	for name, tt := range map[string]struct {
		mail     string
		title    string
		want     string // outline
		metadata map[string]any
		parts    map[string]string
		warned   string
	}{
		"plain": {
			mail: "Received: by x\nFrom: \"Ana Reis\" <ana@example.com>\nTo: Li <li@example.com>, jo@example.com\nCc: =?utf-8?Q?J=C3=BCrgen?= <j@example.com>\n" +
				"Subject: =?gb2312?B?s7G7+rGo?= and more\nDate: Mon, 4 May 2025 10:00:00 +0200\nMessage-ID: <1@x>\n\nThe buoy\nis in.\n\n- one\n- two\n",
			title: "潮机报 and more",
			want: `
paragraph: From: Ana Reis <ana@example.com>⏎To: Li <li@example.com>, jo@example.com⏎Cc: Jürgen <j@example.com>⏎Date: 2025-05-04 10:00 +0200
paragraph: The buoy⏎is in.
list-item1: one
list-item1: two`,
			metadata: map[string]any{"author": "Ana Reis", "from": "Ana Reis <ana@example.com>", "to": []any{"Li <li@example.com>", "jo@example.com"},
				"cc": []any{"Jürgen <j@example.com>"}, "created": "2025-05-04T10:00:00+02:00", "message_id": "1@x"},
		},
		"quoted-printable in Latin-1": {
			mail: "From: a@x.org\nSubject: S\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nGr=F6=\n=DFe der Boje\n",
			want: "paragraph: From: a@x.org\nparagraph: Größe der Boje",
		},
		"a charset that is wrongly declared": {
			mail: "From: a@x.org\nSubject: S\nContent-Type: text/plain; charset=us-ascii\n\nGröße der Boje\n",
			want: "paragraph: From: a@x.org\nparagraph: Größe der Boje",
		},
		"alternatives": {
			mail: "From: a@x.org\nSubject: S\nContent-Type: multipart/alternative; boundary=\"=_b\"\n\nPreamble\n--=_b\nContent-Type: text/plain\n\nThe plain text.\n--=_b\nContent-Type: text/html\n\n<p>The <b>rich</b> text.\n--=_b--\n",
			want: "paragraph: From: a@x.org\nparagraph: The plain text.",
		},
		"alternatives of which the plain one says nothing": {
			mail: "From: a@x.org\nSubject: S\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee HTML.\n--b\nContent-Type: text/html; charset=utf-8\n\n<h1>Berths</h1><p>" +
				strings.Repeat("Berth 3 has shore power. ", 6) + "\n--b--\n",
			want: "paragraph: From: a@x.org\nheading1: Berths\nparagraph: " + strings.TrimSpace(strings.Repeat("Berth 3 has shore power. ", 6)),
		},
		"quotes and flowed lines": {
			mail: "From: a@x.org\nSubject: S\nContent-Type: text/plain; format=flowed\n\nThis line \ngoes on.\n\n> What they\n> wrote.\n\nEnd.\n",
			want: "paragraph: From: a@x.org\nparagraph: This line goes on.\nquote: What they⏎wrote.\nparagraph: End.",
		},
		"attachments, and pictures of the text": {
			mail: mixed("Content-Type: text/plain\n\nSee the list.",
				"Content-Type: text/csv; name=\"=?utf-8?Q?pre=C3=A7os.csv?=\"\nContent-Disposition: attachment\nContent-Transfer-Encoding: base64\n\nYSxiCjEsMgo=",
				"Content-Type: application/octet-stream\nContent-Disposition: attachment; filename*=utf-8''..%2F..%2Fup.txt\n\nup",
				"Content-Type: text/plain; name=n.txt\nContent-Disposition: attachment\n\nnote",
				"Content-Type: image/png\nContent-ID: <logo>\n\nPNG",
				"Content-Type: application/pgp-signature\n\nsig"),
			want:  "paragraph: From: a@example.com\nparagraph: See the list.",
			parts: map[string]string{"preços.csv": "a,b\n1,2\n", ".._.._up.txt": "up", "n.txt": "note"},
		},
		"a mail in a mail": {
			mail:  mixed("Content-Type: text/plain\n\nFYI", "Content-Type: message/rfc822\n\nFrom: b@x.org\nSubject: Inner/1\n\nDeep."),
			want:  "paragraph: From: a@example.com\nparagraph: FYI",
			parts: map[string]string{"Inner_1.eml": "From: b@x.org\nSubject: Inner/1\n\nDeep."},
		},
		"cut off": {
			mail:  "From: a@x.org\nSubject: S\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nThe text.\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0xL",
			want:  "paragraph: From: a@x.org\nparagraph: The text.",
			parts: map[string]string{"a.pdf": "%PDF-1", "(the rest)": "! damaged"}, warned: "a.pdf is cut off",
		},
		"no boundary": {
			mail:   "From: a@x.org\nSubject: S\nContent-Type: multipart/mixed\n\nThe text.\n",
			want:   "paragraph: From: a@x.org\nparagraph: The text.",
			warned: "read as one text",
		},
		"a header with lines that are none": {
			mail: "From MAILER Mon May  4 10:00:00 2025x\n>From nobody\nFrom: a@x.org\nrubbish\nSubject: S\n\nText.\n",
			want: "paragraph: From: a@x.org\nparagraph: Text.",
		},
		"a header that is not well formed": {
			mail: "From: a@x.org\nSubject: S\nContent-Type: text/html; charset=\"iso-8859-1; x\n\n<p>Text.\n",
			want: "paragraph: From: a@x.org\nparagraph: Text.",
		},
		"damaged base64": {
			mail:   "From: a@x.org\nSubject: S\nContent-Transfer-Encoding: base64\n\nVGhlIHRleHQu!!!!\n",
			want:   "paragraph: From: a@x.org\nparagraph: The text.",
			warned: "damaged",
		},
	} {
		for _, ends := range []string{"LF", "CRLF"} {
			t.Run(name+" "+ends, func(t *testing.T) {
				text := tt.mail
				if ends == "CRLF" {
					text = crlf(text)
				}
				doc, parts := opened(t, "x.eml", text)
				wantOutline(t, doc, tt.want)
				if tt.title != "" && doc.Title != tt.title {
					t.Errorf("title %q, want %q", doc.Title, tt.title)
				}
				if tt.metadata != nil && !reflect.DeepEqual(doc.Metadata, tt.metadata) {
					t.Errorf("metadata %v, want %v", doc.Metadata, tt.metadata)
				}
				for path, content := range parts {
					parts[path] = strings.TrimSpace(strings.ReplaceAll(content, "\r\n", "\n"))
				}
				for path, content := range tt.parts {
					if parts[path] != strings.TrimSpace(content) {
						t.Errorf("%s is %q, want %q", path, parts[path], content)
					}
				}
				if len(parts) != len(tt.parts) {
					t.Errorf("parts are %q, want %q", parts, tt.parts)
				}
				if got := strings.Join(doc.Warnings, " "); !strings.Contains(got, tt.warned) || tt.warned == "" && got != "" {
					t.Errorf("warned %q, want %q", got, tt.warned)
				}
			})
		}
	}
}

func TestMailsAreToldFromOtherTexts(t *testing.T) {
	mail := "Received: by x\nFrom: a@x.org\nSubject: S\n\nText.\n"
	for _, tt := range []struct{ name, data, want string }{
		{"x.eml", "From: a@x.org\n\nText.\n", "message/rfc822"},
		{"x", mail, "message/rfc822"},
		{"x.bak", crlf(mail), "message/rfc822"},
		{"x.txt", "From: the harbour master\nTo: all\n\nText.\n", "text/plain"},
		{"x.txt", "A text.\n\n" + mail, "text/plain"},
		{"x", "From a@x.org Mon May  4 10:00:00 2025\n" + mail, "application/mbox"},
	} {
		if doc := parseData(t, tt.name, tt.data); doc.MediaType != tt.want {
			t.Errorf("%s %q is %s, want %s", tt.name, tt.data, doc.MediaType, tt.want)
		}
	}
	if code := codeFor("x.eml", "From: a@x.org\nContent-Type: application/pkcs7-mime\n\nxx\n"); code != Encrypted {
		t.Errorf("an encrypted mail is %q", code)
	}
}

func TestAMailboxsMailsAreItsParts(t *testing.T) {
	var box strings.Builder
	for i := range 3 {
		fmt.Fprintf(&box, "From a@x.org Mon May  4 10:00:0%d 2025\nFrom: a@x.org\nSubject: Tide\nDate: Sun, %d May 2025 10:00:00 +0000\n\nText %d.\n>From the pier.\n\n", i, 3+i/2, i)
	}
	_, parts := opened(t, "x.mbox", box.String())
	if len(parts) != 3 {
		t.Fatalf("parts are %q", parts)
	}
	for name, want := range map[string]string{"2025-05-03 Tide.eml": "Text 0.\nFrom the pier.", "2025-05-03 Tide (2).eml": "Text 1.", "2025-05-04 Tide.eml": "Text 2."} {
		if !strings.Contains(parts[name], want) || !strings.HasPrefix(parts[name], "From: ") {
			t.Errorf("%s is %q, want %q in it", name, parts[name], want)
		}
	}
}
