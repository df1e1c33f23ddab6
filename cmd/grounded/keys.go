package main

import (
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"grounded/api"
	"grounded/corpus"
)

// keyEntry is a key as it stands in the configuration.
type keyEntry struct {
	Name        string    `yaml:"name" json:"name"`
	Hash        string    `yaml:"hash" json:"hash"`
	Scope       api.Scope `yaml:"scope" json:"scope"`
	Collections []string  `yaml:"collections,flow" json:"collections"`
	Groups      []string  `yaml:"groups,flow,omitempty" json:"groups,omitempty"`
	Expires     string    `yaml:"expires,omitempty" json:"expires,omitempty"`
}

func (p *program) keysCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "keys",
		Short: "Make keys for callers of `grounded serve`",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var e keyEntry
	var scope string
	create := &cobra.Command{
		Use:   "new",
		Short: "Make a key: its secret is printed once, its hash goes into the configuration",
		Example: examples("grounded keys new --name intranet --collections handbook --groups staff",
			"grounded keys new --name operator --scope admin --expires 2027-12-31"),
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			e.Scope = api.Scope(scope)
			return p.newKey(e)
		},
	}
	flags := create.Flags()
	flags.StringVar(&e.Name, "name", "key", "`name` of the key, for the log")
	flags.StringVar(&scope, "scope", string(api.ScopeRead), "`read`, write or admin (which sees every document)")
	flags.StringSliceVar(&e.Collections, "collections", []string{api.AllCollections}, "`names` of the collections that exist for it; * is all")
	flags.StringSliceVar(&e.Groups, "groups", nil, "access `groups` whose documents it sees, besides those without groups")
	flags.StringVar(&e.Expires, "expires", "", "last `day` on which it is taken, such as 2027-12-31 (default never)")
	command.AddCommand(create)
	return command
}

func (p *program) newKey(e keyEntry) error {
	secret := api.NewSecret()
	e.Hash = api.HashSecret(secret)
	key := api.Key{Name: e.Name, Hash: e.Hash, Scope: e.Scope, Collections: e.Collections, Groups: e.Groups}
	if err := api.CheckKeys([]api.Key{key}); err != nil {
		return usageError{err}
	}
	if e.Expires != "" {
		if _, err := time.Parse(time.DateOnly, e.Expires); err != nil {
			return usageError{corpus.Errorf(corpus.ErrInvalid, "--expires is %q, which is no day such as 2027-12-31", e.Expires)}
		}
	}
	if p.json {
		return p.printJSON(struct {
			Secret string `json:"secret"`
			keyEntry
		}{secret, e})
	}
	text, err := yaml.Marshal([]keyEntry{e})
	if err != nil {
		return err
	}
	p.notef("The secret is shown this once; give it to the caller:\n")
	p.printf("%s\n", secret)
	p.notef("Put this under serve.keys of the configuration:\n%s", text)
	return nil
}
