package parse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/textproto"
	"github.com/gabriel-vasile/mimetype"
)

const (
	// maxMailDepth bounds multiparts in multiparts.
	maxMailDepth = 32
	// maxMailText bounds a text of a mail, in bytes; a longer one is an attachment.
	maxMailText = 16 << 20
)

// mailReader reads the body of a mail.
type mailReader struct {
	*unpacker
	sealed bool // something of it is encrypted
}

// read returns what people read of an entity, and takes out its attachments.
func (m *mailReader) read(e *message.Entity, depth int) ([]Block, error) {
	if err := m.ctx.Err(); err != nil {
		return nil, err
	}
	kind, params := mediaType(e.Header.Get("Content-Type"))
	if kind == "" {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") {
		if depth == maxMailDepth {
			return nil, m.loseRest("The mail is nested deeper than any program nests one. Get the original.")
		}
		if params["boundary"] != "" {
			return m.readMultipart(e, kind, params["boundary"], depth)
		}
		kind, params = "text/plain", nil
		m.warn("It does not say where its parts begin, and was read as one text.")
	}
	disposition, given := mediaType(e.Header.Get("Content-Disposition"))
	name := headerText(given["filename"])
	if name == "" {
		name = headerText(params["name"])
	}
	switch {
	case kind == "application/pgp-signature", kind == "application/pkcs7-signature", kind == "application/x-pkcs7-signature",
		kind == "text/x-amp-html", strings.HasPrefix(kind, "image/") && disposition != "attachment":
		return nil, nil
	case kind == "application/pkcs7-mime", kind == "application/x-pkcs7-mime", kind == "application/pgp-encrypted":
		m.sealed = true
		return nil, nil
	case (kind == "text/plain" || kind == "text/html") && disposition != "attachment" && (name == "" || disposition == "inline"):
		return m.readText(e, kind, params)
	}
	return nil, m.attach(e, kind, name)
}

// readMultipart reads the entities of one. Of alternatives it keeps the plain text, or else the last that has text.
func (m *mailReader) readMultipart(e *message.Entity, kind, boundary string, depth int) ([]Block, error) {
	if kind == "multipart/encrypted" {
		m.sealed = true
		return nil, nil
	}
	var all, plainest, last []Block
	r := textproto.NewMultipartReader(e.Body, boundary)
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if err := m.loseRest("The mail is damaged or cut off: what comes behind its text and the attachments that could be read is lost. Get the original."); err != nil {
				return nil, err
			}
			break
		}
		part, err := message.New(message.Header{Header: p.Header}, p)
		if message.IsUnknownEncoding(err) {
			m.warn("A part of it is in a transfer encoding that is not known, and was left out.")
			continue
		}
		if kind == "multipart/digest" && part.Header.Get("Content-Type") == "" {
			part.Header.Set("Content-Type", "message/rfc822")
		}
		blocks, err := m.read(part, depth+1)
		if err != nil {
			return nil, err
		}
		if len(blocks) == 0 {
			continue
		}
		all, last = append(all, blocks...), blocks
		if kind, _ := mediaType(part.Header.Get("Content-Type")); plainest == nil && (kind == "" || kind == "text/plain") {
			plainest = blocks
		}
	}
	switch {
	case kind != "multipart/alternative":
		return all, nil
	case plainest == nil, blocksLength(last) > stubRatio*blocksLength(plainest):
		return last, nil
	}
	return plainest, nil
}

// stubRatio is how many times longer the richest of alternatives is than a plain text that only says to look there.
const stubRatio = 10

func blocksLength(blocks []Block) int {
	n := 0
	for _, b := range blocks {
		n += len(b.Text)
	}
	return n
}

// readText reads a text that people see. What follows damage in it is lost, with a warning.
func (m *mailReader) readText(e *message.Entity, kind string, params map[string]string) ([]Block, error) {
	data, err := io.ReadAll(io.LimitReader(e.Body, maxMailText+1))
	if err != nil {
		m.warn("Its text is damaged or cut off, and was read up to there.")
	}
	if len(data) > maxMailText {
		return nil, errorf(TooLarge, "The mail has a text of more than %d MB.", maxMailText>>20)
	}
	text, err := decodeText(data, params["charset"])
	if err != nil {
		if text, err = decodeText(data, ""); err != nil { // the charset that it declares may be none
			m.warn("A text of it was left out. " + err.Error())
			return nil, nil
		}
	}
	in := Input{Name: m.in.Name, Data: []byte(text)}
	if kind == "text/html" {
		doc, err := parseHTML(m.ctx, in)
		if err != nil {
			m.warn("A text of it was left out. " + err.Error())
			return nil, m.ctx.Err()
		}
		return doc.Pages[0].Blocks, nil
	}
	if strings.EqualFold(params["format"], "flowed") {
		text = unflow(text, strings.EqualFold(params["delsp"], "yes"))
	}
	return m.readPlain(text)
}

// readPlain makes blocks of a text in which lines that begin with > are quoted.
func (m *mailReader) readPlain(text string) ([]Block, error) {
	var blocks []Block
	var run strings.Builder
	quoted := false
	flush := func() error {
		doc, err := parseText(m.ctx, Input{Data: []byte(run.String())})
		if err != nil {
			return err
		}
		for _, b := range doc.Pages[0].Blocks {
			if quoted {
				b.Kind, b.Level = Quote, 0
			}
			blocks = append(blocks, b)
		}
		run.Reset()
		return nil
	}
	for line := range strings.Lines(text) {
		isQuote := strings.HasPrefix(line, ">")
		if isQuote != quoted && strings.TrimSpace(line) != "" {
			if err := flush(); err != nil {
				return nil, err
			}
			quoted = isQuote
		}
		run.WriteString(strings.TrimLeft(strings.TrimPrefix(line, ">"), "> "))
		if isQuote && !strings.HasSuffix(line, "\n") {
			run.WriteByte('\n')
		}
	}
	return blocks, flush()
}

// unflow joins the lines of a text that were only broken for the mail (RFC 3676).
func unflow(text string, deleteSpace bool) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		bare := strings.TrimRight(line, "\r\n")
		switch {
		case !strings.HasSuffix(bare, " ") || bare == "-- " || strings.HasPrefix(bare, ">"):
			b.WriteString(bare + "\n")
		case deleteSpace:
			b.WriteString(strings.TrimSuffix(bare, " "))
		default:
			b.WriteString(bare)
		}
	}
	return b.String()
}

// attach takes out an attachment.
func (m *mailReader) attach(e *message.Entity, kind, name string) error {
	modified := time.Time{}
	content := e.Body
	if kind == "message/rfc822" || kind == "message/global" {
		if name == "" {
			// Its header is read to name it, and then again as part of it.
			start := make([]byte, 64<<10)
			n, _ := io.ReadFull(content, start)
			content = io.MultiReader(bytes.NewReader(start[:n]), content)
			name = "message"
			if inner, _ := message.Read(bytes.NewReader(cleanHead(start[:n]))); inner != nil {
				modified = sentAt(inner.Header)
				if subject := headerText(inner.Header.Get("Subject")); subject != "" {
					name = subject
				}
			}
		}
		if !strings.EqualFold(path.Ext(name), ".eml") {
			name += ".eml"
		}
	}
	if name == "" {
		name = "attachment"
		if known := mimetype.Lookup(kind); known != nil {
			name += known.Extension()
		}
	}
	// The name of an attachment is no path.
	name = strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' {
			return '_'
		}
		return r
	}, name)
	cut := &untilCut{reader: content}
	err := m.add(name, modified, cut)
	if cut.off {
		m.warn(fmt.Sprintf("The attachment %s is cut off, and was kept up to there.", name))
	}
	return err
}

// untilCut reads what there is of an attachment that is cut off: whether that can be used is up to its parser.
type untilCut struct {
	reader io.Reader
	off    bool
}

func (c *untilCut) Read(p []byte) (int, error) {
	n, err := c.reader.Read(p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		c.off, err = true, io.EOF
	}
	return n, err
}

func (m *mailReader) warn(sentence string) {
	if !slices.Contains(m.doc.Warnings, sentence) {
		m.doc.Warnings = append(m.doc.Warnings, sentence)
	}
}

var headerParameter = regexp.MustCompile(`;\s*([\w-]+)\*?\s*=\s*("[^"]*"|[^;]*)`)

// mediaType reads a field such as Content-Type. Of one that is not well formed it takes what it can.
func mediaType(field string) (kind string, params map[string]string) {
	kind, params, err := mime.ParseMediaType(field)
	if err == nil {
		return kind, params
	}
	before, _, _ := strings.Cut(field, ";")
	params = map[string]string{}
	for _, p := range headerParameter.FindAllStringSubmatch(field, -1) {
		params[strings.ToLower(p[1])] = strings.Trim(strings.TrimSpace(p[2]), `"`)
	}
	return strings.ToLower(strings.TrimSpace(before)), params
}
