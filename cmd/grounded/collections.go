package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"grounded/corpus"
	"grounded/wire"
)

func (p *program) collectionsCommand() *cobra.Command {
	var all bool
	command := &cobra.Command{
		Use:     "collections",
		Short:   "List the collections",
		Example: examples("grounded collections", "grounded collections delete old --yes"),
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withShelf(cmd.Context(), func(s shelf) error { return p.listCollections(cmd.Context(), s, all) })
		},
	}
	command.Flags().BoolVar(&all, "all", false, "also the forms that a reindex makes or has left")
	var sure bool
	remove := &cobra.Command{
		Use:     "delete NAME",
		Short:   "Delete a collection with all that is in it",
		Example: examples("grounded collections delete old --yes"),
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withShelf(cmd.Context(), func(s shelf) error {
				return p.deleteCollection(cmd.Context(), s, args[0], sure)
			})
		},
	}
	remove.Flags().BoolVar(&sure, "yes", false, "do it")
	remote(command, remove)
	command.AddCommand(remove)
	return command
}

func (p *program) listCollections(ctx context.Context, s shelf, all bool) error {
	list, err := s.Collections(ctx)
	if err != nil {
		return err
	}
	if !all {
		list = slices.DeleteFunc(list, func(c wire.Collection) bool { return corpus.IsShadow(c.Name) })
	}
	if p.json {
		return p.printJSON(map[string]any{"data": append([]wire.Collection{}, list...), "next": nil})
	}
	t := newTable("collection", "documents", "chunks", "quarantined", "embedding", "created")
	for _, c := range list {
		t.add(c.Name, fmt.Sprint(c.Documents), fmt.Sprint(c.Chunks), known(c.Quarantined),
			fmt.Sprintf("%s (%d)", c.Embedding.Model, c.Embedding.Dimensions), c.CreatedAt.Local().Format("2006-01-02 15:04"))
	}
	t.write(p.stdout, p.width())
	return nil
}

func (p *program) deleteCollection(ctx context.Context, s shelf, name string, sure bool) error {
	c, err := s.Collection(ctx, name)
	if err != nil {
		return err
	}
	if !sure {
		return usageError{corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "delete collection %s: it has %s", name, count(c.Documents, "document")),
			"add --yes if you mean it")}
	}
	if err := s.DropCollection(ctx, name); err != nil {
		return err
	}
	if p.json {
		return p.printJSON(map[string]any{"deleted": name})
	}
	p.printf("deleted collection %s with %s\n", name, count(c.Documents, "document"))
	return nil
}

// known is a number, or a dash for one that is not known.
func known(n *int) string {
	if n == nil {
		return "–"
	}
	return fmt.Sprint(*n)
}
