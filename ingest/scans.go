package ingest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"grounded/corpus"
	"grounded/ingest/parse"
	"grounded/model"
)

// transcribe asks a model that sees for the text of a page. Changing it changes the fingerprint.
const transcribe = `Write down all text on this page, word for word and in reading order, as Markdown: headings as headings, tables as tables, one column after the other. Don't translate, explain or complete anything. If there is no text, answer NONE.`

// maxTranscript bounds the text of a page, in tokens.
const maxTranscript = 4000

// scanReader names what reads scans, for fingerprints; "" if nothing does.
func (in *Ingester) scanReader() string {
	if in.Vision == nil {
		return in.OCR
	}
	return strings.TrimSpace(in.OCR + " vision " + in.Vision.Card().ID + " " + transcribe)
}

// readScans has the model read the pages that the parser has left as pictures. A page that it refuses is a warning; a
// model that can't be reached ends the run, as an embedder does.
func (r *run) readScans(ctx context.Context, doc *parse.Document) error {
	if len(doc.Scans) == 0 {
		return nil
	}
	if r.Vision == nil {
		return errors.New("the parser left pictures, and there is no model to read them")
	}
	zero := 0.0
	var without, refused, cut []string
	var reason error
	for _, scan := range doc.Scans {
		data, err := os.ReadFile(filepath.Join(doc.Folder, filepath.Base(scan.File)))
		if err != nil {
			return fmt.Errorf("read the picture of page %d: %w", scan.Page, err)
		}
		page := fmt.Sprint(scan.Page)
		reply, err := r.Vision.Complete(ctx, model.Request{
			Messages:    []model.Message{{Role: "user", Content: transcribe}},
			Pictures:    []model.Picture{{MediaType: scan.MediaType, Data: data}},
			MaxTokens:   maxTranscript,
			Temperature: &zero,
		}, nil)
		switch {
		case errors.Is(err, corpus.ErrInvalid):
			refused, reason = append(refused, page), err
			continue
		case err != nil:
			return fmt.Errorf("read the picture of page %d: %w", scan.Page, err)
		case reply.FinishReason == "length":
			cut = append(cut, page)
		}
		blocks, err := r.transcript(ctx, reply.Text)
		if err != nil {
			return err
		}
		if len(blocks) == 0 {
			without = append(without, page)
		}
		for i := range doc.Pages {
			if doc.Pages[i].Number == scan.Page {
				doc.Pages[i].Blocks = append(doc.Pages[i].Blocks, blocks...)
			}
		}
	}
	for _, w := range []struct {
		pages []string
		what  string
	}{
		{without, "are pictures in which " + r.Vision.Card().ID + " found no text"},
		{cut, "have more text than a model writes down at once"},
		{refused, fmt.Sprintf("are pictures that could not be read: %v", reason)},
	} {
		if len(w.pages) > 0 {
			doc.Warnings = append(doc.Warnings, fmt.Sprintf("Not all text is there: pages %s %s.", strings.Join(w.pages, ", "), w.what))
		}
	}
	return nil
}

// transcript makes blocks of what the model wrote down, which is no more to be trusted than a file.
func (r *run) transcript(ctx context.Context, text string) ([]parse.Block, error) {
	text = strings.TrimSpace(text)
	text = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(text, "```markdown"), "```"), "```"))
	if text == "" || strings.Trim(text, ".") == "NONE" {
		return nil, nil
	}
	for strings.HasPrefix(text, "---\n") { // a rule, and no front matter
		text = strings.TrimLeft(text[4:], "\n")
	}
	parsed, err := r.Parser.Parse(ctx, parse.Input{Name: "page.md", Data: []byte(text)})
	switch {
	case parse.CodeOf(err) == parse.Empty:
		return nil, nil
	case parse.CodeOf(err) != "":
		return []parse.Block{{Kind: parse.Paragraph, Text: text}}, nil
	case err != nil:
		return nil, fmt.Errorf("read what the model wrote: %w", err)
	}
	var blocks []parse.Block
	for _, page := range parsed.Pages {
		blocks = append(blocks, page.Blocks...)
	}
	return blocks, nil
}
