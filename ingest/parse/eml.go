package parse

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/mail"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-message"
	"golang.org/x/net/html/charset"
)

func emlFormat() Format {
	return Format{
		Name: "eml", Version: 1, MediaType: "message/rfc822",
		Extensions: []string{".eml"},
		Sniff:      sniffEML,
		Text:       true,
		Parts:      true,
		Parse:      parseEML,
	}
}

var (
	headerLine = regexp.MustCompile(`^[!-9;-~]+[ \t]*:`)
	// mailOnly are header fields that only mails have, and nearly every mail one of.
	mailOnly = regexp.MustCompile(`(?im)^(?:message-id|mime-version|received|return-path|delivered-to)[ \t]*:`)
	mailFrom = regexp.MustCompile(`(?im)^from[ \t]*:`)
)

// sniffEML reports whether the data begins with the header of a mail (RFC 5322).
func sniffEML(data []byte) bool {
	head := mailHead(data[:min(len(data), 64<<10)])
	return headerLine.Match(head) && mailOnly.Match(head) && mailFrom.Match(head)
}

// mailHead is what stands before the first empty line.
func mailHead(data []byte) []byte {
	head, _, _ := bytes.Cut(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\n\n"))
	return head
}

// parseEML reads a mail: its header as metadata, what people read of its body, its attachments as parts.
func parseEML(ctx context.Context, in Input) (Document, error) {
	e, err := message.Read(bytes.NewReader(cleanHead(in.Data)))
	if e == nil {
		return Document{}, errorf(Damaged, "It has the name of a mail, but not the header of one (%s).", firstLine(err))
	}
	doc := Document{Metadata: map[string]any{}}
	m := mailReader{unpacker: newUnpacker(ctx, in, &doc)}
	head := readMailHeader(e.Header, &doc)
	body, err := m.read(e, 0)
	if err != nil {
		return Document{}, err
	}
	if len(head) == 0 && len(body) == 0 && len(doc.Parts) == 0 {
		return Document{}, errorf(Empty, "There is no text in it.")
	}
	if m.sealed && len(body) == 0 {
		return Document{}, errorf(Encrypted, "The mail is encrypted; save a copy without encryption from the program that reads it.")
	}
	if len(head) > 0 {
		body = append([]Block{{Kind: Paragraph, Text: strings.Join(head, "\n")}}, body...)
	}
	doc.Pages = []Page{{Blocks: body}}
	m.close()
	return doc, nil
}

// cleanHead drops lines from a mail's header that are not of one, such as the envelope's of a mailbox.
func cleanHead(data []byte) []byte {
	data = bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), "\r\n")
	var clean []byte
	for rest := data; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n') + 1
		if end == 0 {
			end = len(rest)
		}
		line := rest[:end]
		if len(bytes.TrimSpace(line)) == 0 {
			return append(clean, rest...)
		}
		continued := (line[0] == ' ' || line[0] == '\t') && len(clean) > 0
		if continued || headerLine.Match(line) {
			clean = append(clean, line...)
		}
		rest = rest[end:]
	}
	return clean
}

// readMailHeader puts the header into the document, and returns the lines of it that people read.
func readMailHeader(h message.Header, doc *Document) (lines []string) {
	doc.Title = headerText(h.Get("Subject"))
	put(doc.Metadata, metaAuthor, firstName(h.Get("From")))
	put(doc.Metadata, "message_id", strings.Trim(headerText(h.Get("Message-Id")), "<> "))
	for _, field := range []string{"From", "To", "Cc"} {
		people := addresses(h.Get(field))
		if len(people) == 0 {
			continue
		}
		doc.Metadata[strings.ToLower(field)] = people
		if field == "From" {
			doc.Metadata["from"] = people[0]
		}
		text := make([]string, len(people))
		for i, p := range people {
			text[i], _ = p.(string)
		}
		lines = append(lines, field+": "+list(text))
	}
	if sent, err := mail.ParseDate(h.Get("Date")); err == nil {
		putTime(doc.Metadata, metaCreated, sent, true)
		lines = append(lines, "Date: "+sent.Format("2006-01-02 15:04 -0700"))
	}
	return lines
}

// headerText decodes encoded words (RFC 2047), and what is not encoded as a mail's text.
func headerText(value string) string {
	if !utf8.ValidString(value) {
		if text, err := decodeText([]byte(value), ""); err == nil {
			value = text
		}
	}
	if decoded, err := wordDecoder().DecodeHeader(value); err == nil {
		value = decoded
	}
	return strings.TrimSpace(strings.ToValidUTF8(value, ""))
}

func wordDecoder() *mime.WordDecoder {
	return &mime.WordDecoder{CharsetReader: func(name string, input io.Reader) (io.Reader, error) {
		e, _ := charset.Lookup(name)
		if e == nil {
			return nil, errors.New("unknown charset")
		}
		return e.NewDecoder().Reader(input), nil
	}}
}

// addresses are the people of a header field, as "Name <address>"; the field's text, where it is no list of them.
func addresses(value string) []any {
	parser := mail.AddressParser{WordDecoder: wordDecoder()}
	parsed, err := parser.ParseList(value)
	if err != nil {
		if text := headerText(value); text != "" {
			return []any{text}
		}
		return nil
	}
	people := make([]any, len(parsed))
	for i, a := range parsed {
		people[i] = a.Address
		if a.Name != "" {
			people[i] = a.Name + " <" + a.Address + ">"
		}
	}
	return people
}

func firstName(from string) string {
	parser := mail.AddressParser{WordDecoder: wordDecoder()}
	parsed, err := parser.ParseList(from)
	if err != nil || len(parsed) == 0 {
		return ""
	}
	if parsed[0].Name != "" {
		return parsed[0].Name
	}
	return parsed[0].Address
}

// sentAt is when a mail was sent; the zero time if it does not say.
func sentAt(h message.Header) time.Time {
	sent, err := mail.ParseDate(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return sent
}
