package parse

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/emersion/go-message"
)

func mboxFormat() Format {
	return Format{
		Name: "mbox", Version: 1, MediaType: "application/mbox",
		Extensions: []string{".mbox", ".mbx"},
		Sniff:      func(data []byte) bool { return envelope.Match(data[:min(len(data), 1024)]) },
		Parts:      true,
		Parse:      parseMBOX,
	}
}

var (
	// envelope is the line before each mail of a mailbox (RFC 4155), and the first of its header.
	envelope = regexp.MustCompile(`\AFrom [^\r\n]*\d{4}[^\r\n]*\r?\n[!-9;-~]+:`)
	nextMail = regexp.MustCompile(`\n\r?\n(From [^\r\n]*\d{4}[^\r\n]*\r?\n)[!-9;-~]+:`)
	// escapedFrom is a line of a mail that looked like an envelope.
	escapedFrom = regexp.MustCompile(`(?m)^>(>*From )`)
)

// parseMBOX makes each mail a part, named by its date and subject: so it keeps its name when others come or go.
func parseMBOX(ctx context.Context, in Input) (Document, error) {
	var doc Document
	u := newUnpacker(ctx, in, &doc)
	add := func(data []byte) error {
		name := "mail"
		e, _ := message.Read(bytes.NewReader(cleanHead(data[:min(len(data), 64<<10)])))
		if e == nil {
			return u.add(name+".eml", time.Time{}, bytes.NewReader(data))
		}
		sent := sentAt(e.Header)
		if subject := headerText(e.Header.Get("Subject")); subject != "" {
			name = strings.NewReplacer("/", "_", `\`, "_").Replace(subject)
		}
		if !sent.IsZero() {
			name = sent.UTC().Format("2006-01-02 ") + name
		}
		return u.add(name+".eml", sent, bytes.NewReader(escapedFrom.ReplaceAll(data, []byte("$1"))))
	}
	rest := in.Data
	for {
		next := nextMail.FindSubmatchIndex(rest)
		end := len(rest)
		if next != nil {
			end = next[2]
		}
		_, body, _ := bytes.Cut(rest[:end], []byte("\n")) // behind the envelope
		if err := add(body); err != nil {
			return Document{}, err
		}
		if next == nil {
			return u.archive()
		}
		rest = rest[end:]
	}
}
