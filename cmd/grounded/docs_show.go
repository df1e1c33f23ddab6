package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"grounded/corpus"
)

// showRequest says what of a document is shown besides what is known of it.
type showRequest struct {
	document    string // path or id
	pages       string // "3", "3-7", "3-" or "all"; empty shows none
	chunks      bool   // those that begin on the pages; all without pages
	first, last int    // pages, parsed; last 0 is the end
}

func (p *program) showCommand() *cobra.Command {
	var r showRequest
	command := &cobra.Command{
		Use:   "show DOCUMENT",
		Short: "Show what is known and stored of one document, named by its path or id",
		Long: `Shows when a document was ingested, from what and how; with --pages its text as it is stored, with
--chunks its chunks, each with its pages, its range in their text (in Unicode code points) and its
headings.`,
		Example: examples("grounded docs show handbook/leave.md", "grounded docs show handbook/leave.md --pages 2-3 --chunks",
			"grounded docs show handbook/leave.md --pages all --json"),
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r.document = args[0]
			if err := r.parsePages(); err != nil {
				return usageError{err}
			}
			return p.withShelf(cmd.Context(), func(s shelf) error { return p.showDocument(cmd.Context(), s, r) })
		},
	}
	command.Flags().StringVar(&r.pages, "pages", "", "also the text of these `pages`: 3, 3-7, 3- or all")
	command.Flags().BoolVar(&r.chunks, "chunks", false, "also the chunks that are on these pages, or all")
	return command
}

func (r *showRequest) parsePages() error {
	r.first = 1
	if r.pages == "" || r.pages == "all" {
		return nil
	}
	from, to, isRange := strings.Cut(r.pages, "-")
	var err error
	if r.first, err = strconv.Atoi(from); err == nil {
		r.last = r.first
		if isRange {
			r.last = 0
			if to != "" {
				r.last, err = strconv.Atoi(to)
			}
		}
	}
	if err != nil || r.first < 1 || r.last < 0 || r.last > 0 && r.last < r.first || isRange && to == "0" {
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "%q are no pages", r.pages), "write 3, 3-7, 3- or all; pages count from 1")
	}
	return nil
}

// shown is a document with what was asked for of it.
type shown struct {
	corpus.Document
	Quarantined *corpus.Quarantined `json:"quarantined"` // why its file could not be read since; null if it could
	PageTexts   []corpus.Page       `json:"page_texts,omitempty"`
	ChunkList   []corpus.Chunk      `json:"chunk_list,omitempty"`
}

func (p *program) showDocument(ctx context.Context, s shelf, r showRequest) error {
	d, err := s.findDocument(ctx, r.document)
	if err != nil {
		return err
	}
	out := shown{Document: d}
	if out.Quarantined, err = s.quarantineOf(ctx, string(d.ID)); err != nil {
		return err
	}
	if r.pages != "" {
		if r.first > d.PageCount && d.PageCount > 0 {
			return corpus.Errorf(corpus.ErrNotFound, "show %s: it has %s", d.Path, count(d.PageCount, "page"))
		}
		if out.PageTexts, err = s.Pages(ctx, s.scope, d.ID, r.first, r.last); err != nil {
			return err
		}
	}
	if r.chunks {
		if out.ChunkList, err = s.chunksOn(ctx, d.ID, r.first, r.last); err != nil {
			return err
		}
	}
	if p.json {
		return p.printJSON(out)
	}
	p.printDocument(out)
	return nil
}

// quarantineOf returns the entry of a file, named by path or id, if it could not be read.
func (s shelf) quarantineOf(ctx context.Context, name string) (*corpus.Quarantined, error) {
	list, err := s.Quarantined(ctx, s.scope.Collection)
	if err != nil {
		return nil, err
	}
	for _, q := range list {
		if q.Path == name || string(q.DocumentID) == name {
			return &q, nil
		}
	}
	return nil, nil
}

// chunksOn returns the chunks that have text of the pages from first to last; last 0 is the end.
func (s shelf) chunksOn(ctx context.Context, id corpus.DocumentID, first, last int) ([]corpus.Chunk, error) {
	all, err := s.DocumentChunks(ctx, s.scope, id, 0, -1)
	var on []corpus.Chunk
	for _, k := range all {
		if k.PageEnd >= first && (last == 0 || k.PageStart <= last) {
			on = append(on, k)
		}
	}
	return on, err
}

func (p *program) printDocument(d shown) {
	groups := "everyone"
	if len(d.Groups) > 0 {
		groups = strings.Join(d.Groups, ", ")
	}
	rows := [][2]string{
		{"document", d.Path}, {"id", string(d.ID)}, {"title", d.Title}, {"source", d.Source}, {"read from", d.URI},
		{"type", d.MediaType}, {"language", d.Language}, {"seen by", groups},
		{"size", fmt.Sprintf("%d bytes, %s, %s", d.Bytes, count(d.PageCount, "page"), count(d.ChunkCount, "chunk"))},
		{"modified", d.ModifiedAt.Local().Format("2006-01-02 15:04:05")}, {"ingested", d.IngestedAt.Local().Format("2006-01-02 15:04:05")},
		{"content", d.ContentHash}, {"pipeline", d.PipelineFingerprint}, {"embedding", d.EmbeddingFingerprint},
	}
	if q := d.Quarantined; q != nil {
		rows = append(rows, [2]string{"stale", "its file could not be read on " + q.At.Local().Format("2006-01-02 15:04:05") + ": " + q.Reason})
	}
	for _, row := range rows {
		p.printf("%-10s %s\n", row[0], row[1])
	}
	for _, key := range sortedKeys(d.Metadata) {
		p.printf("%-10s %v\n", key, d.Metadata[key])
	}
	for _, page := range d.PageTexts {
		label := ""
		if page.Label != "" {
			label = " (" + page.Label + ")"
		}
		p.printf("\n── page %d%s ──\n%s\n", page.Number, label, page.Text)
	}
	for _, k := range d.ChunkList {
		where := fmt.Sprintf("page %d, %d–%d", k.PageStart, k.Start, k.End)
		if k.PageEnd > k.PageStart {
			where = fmt.Sprintf("page %d from %d to page %d, %d", k.PageStart, k.Start, k.PageEnd, k.End)
		}
		p.printf("\n── chunk %d · %s · %s · %s ──\n", k.Ordinal, where, count(k.Tokens, "token"), k.ID)
		if heading := k.HeadingPath(); heading != "" {
			p.printf("[%s]\n", heading)
		}
		p.printf("%s\n", k.Text)
	}
}
