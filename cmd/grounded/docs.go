package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"grounded/corpus"
	"grounded/ingest/parse"
	"grounded/store"
)

func (p *program) docsCommand() *cobra.Command {
	var filters []string
	var source, prefix string
	command := &cobra.Command{
		Use:   "docs",
		Short: "List the documents of a collection",
		Example: examples("grounded docs", "grounded docs --filter department=HR", "grounded docs --source handbook --prefix hr/", "grounded docs show handbook/leave.md",
			"grounded docs delete handbook/old.md"),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, err := parseFilter(filters)
			if err != nil {
				return err
			}
			return p.withShelf(cmd.Context(), func(s shelf) error {
				return p.listDocuments(cmd.Context(), s, store.DocumentQuery{Scope: s.scope, Filter: filter, Source: source, Prefix: prefix, Limit: 500})
			})
		},
	}
	filterFlag(command, &filters)
	command.Flags().StringVar(&source, "source", "", "only of the source of this `name`")
	command.Flags().StringVar(&prefix, "prefix", "", "only paths that begin with this `text`")
	remove := &cobra.Command{
		Use:     "delete DOCUMENT…",
		Short:   "Delete documents, named by path or id, with what is inside of them",
		Example: examples("grounded docs delete handbook/old.md"),
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withShelf(cmd.Context(), func(s shelf) error { return p.deleteDocuments(cmd.Context(), s, args) })
		},
	}
	show := p.showCommand()
	remote(command, show, remove)
	command.AddCommand(show, remove)
	return command
}

// eachDocument calls use for every document of the scope that passes the filter, page by page.
func eachDocument(ctx context.Context, s library, q store.DocumentQuery, use func(corpus.Document) error) error {
	for {
		docs, next, err := s.Documents(ctx, q)
		if err != nil {
			return err
		}
		for _, d := range docs {
			if err := use(d); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		q.Cursor = next
	}
}

func (p *program) listDocuments(ctx context.Context, s shelf, q store.DocumentQuery) error {
	quarantined, err := s.Quarantined(ctx, s.scope.Collection)
	if err != nil {
		return err
	}
	quarantined = slices.DeleteFunc(quarantined, func(f corpus.Quarantined) bool {
		return q.Source != "" && f.Source != q.Source || !strings.HasPrefix(f.Path, q.Prefix)
	})
	if p.json {
		list := struct {
			Data        []corpus.Document    `json:"data"`
			Next        *string              `json:"next"`
			Quarantined []corpus.Quarantined `json:"quarantined"`
		}{Data: []corpus.Document{}, Quarantined: append([]corpus.Quarantined{}, quarantined...)}
		err := eachDocument(ctx, s, q, func(d corpus.Document) error {
			list.Data = append(list.Data, d)
			return nil
		})
		if err != nil {
			return err
		}
		return p.printJSON(list)
	}
	t := newTable("document", "source", "title", "lang", "pages", "chunks", "ingested")
	n := 0
	err = eachDocument(ctx, s, q, func(d corpus.Document) error {
		n++
		t.add(d.Path, d.Source, d.Title, d.Language, fmt.Sprint(d.PageCount), fmt.Sprint(d.ChunkCount), d.IngestedAt.Local().Format("2006-01-02 15:04"))
		return nil
	})
	if err != nil {
		return err
	}
	t.write(p.stdout, p.width())
	p.printf("%s in collection %s\n", count(n, "document"), s.scope.Collection)
	if len(quarantined) > 0 {
		p.printf("\n%s could not be read:\n", count(len(quarantined), "file"))
		for _, q := range quarantined {
			p.printf("  %s: %s\n", q.Path, q.Reason)
		}
	}
	return nil
}

// findDocument finds a document by id, or by a path that only one source has.
func (s shelf) findDocument(ctx context.Context, name string) (corpus.Document, error) {
	d, err := s.Document(ctx, s.scope, corpus.DocumentID(name))
	if !errors.Is(err, corpus.ErrNotFound) {
		return d, err
	}
	if _, err := s.Collection(ctx, s.scope.Collection); err != nil {
		return d, err
	}
	var found []corpus.Document
	err = eachDocument(ctx, s, store.DocumentQuery{Scope: s.scope, Prefix: name}, func(d corpus.Document) error {
		if d.Path == name {
			found = append(found, d)
		}
		return nil
	})
	switch {
	case err != nil:
		return d, err
	case len(found) == 0:
		q, err := s.quarantineOf(ctx, name)
		if err != nil {
			return d, err
		}
		if q != nil {
			return d, corpus.Errorf(corpus.ErrNotFound, "%s is not stored, since it could not be read: %s", name, q.Reason)
		}
		return d, corpus.Hint(corpus.Errorf(corpus.ErrNotFound, "no document %q in collection %s", name, s.scope.Collection), "`grounded docs` lists them")
	case len(found) > 1:
		var ids []string
		for _, d := range found {
			ids = append(ids, fmt.Sprintf("%s (source %s)", d.ID, d.Source))
		}
		return d, corpus.Hint(corpus.Errorf(corpus.ErrConflict, "%s sources have a document %q", fmt.Sprint(len(found)), name),
			"name it by its id: "+strings.Join(ids, ", "))
	}
	return found[0], nil
}

func (p *program) deleteDocuments(ctx context.Context, s shelf, names []string) error {
	var ids []corpus.DocumentID
	for _, name := range names {
		d, err := s.findDocument(ctx, name)
		if err != nil {
			return err
		}
		ids = append(ids, d.ID)
		inside := store.DocumentQuery{Scope: s.scope, Source: d.Source, Prefix: d.Path + parse.PartSeparator}
		err = eachDocument(ctx, s, inside, func(part corpus.Document) error {
			ids = append(ids, part.ID)
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := s.Delete(ctx, s.scope.Collection, ids...); err != nil {
		return err
	}
	if p.json {
		return p.printJSON(map[string]any{"deleted": ids})
	}
	p.printf("deleted %s; the files themselves are untouched, and the next ingest of them brings them back\n", count(len(ids), "document"))
	return nil
}
