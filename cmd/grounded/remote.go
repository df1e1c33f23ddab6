package main

import (
	"github.com/spf13/cobra"

	"grounded/client"
	"grounded/config"
	"grounded/corpus"
)

// worksRemotely is the annotation of commands that can ask a server.
const worksRemotely = "works remotely"

// remote marks commands that can ask a server instead of working on this machine's store.
func remote(commands ...*cobra.Command) {
	for _, c := range commands {
		c.Annotations = map[string]string{worksRemotely: ""}
	}
}

// withoutStore are commands that a server in the environment or in the configuration means nothing to.
var withoutStore = map[string]bool{"serve": true, "worker": true, "keys": true, "config": true, "version": true, "doctor": true, "help": true, "completion": true,
	cobra.ShellCompRequestCmd: true, cobra.ShellCompNoDescRequestCmd: true}

// checkServer refuses to work on this machine's store when a server is meant.
func (p *program) checkServer(cmd *cobra.Command) error {
	if _, ok := cmd.Annotations[worksRemotely]; ok || !cmd.HasParent() {
		return nil
	}
	here := corpus.Errorf(corpus.ErrInvalid, "%s does not ask a server: it works on this machine's own store and configuration", cmd.CommandPath())
	if p.serverSet() {
		if p.server == "" {
			return nil
		}
		return usageError{corpus.Hint(here, "run it where the server's data is, without --server")}
	}
	top := cmd
	for top.Parent().HasParent() {
		top = top.Parent()
	}
	if withoutStore[top.Name()] {
		return nil
	}
	c, err := p.config()
	if err != nil || c.Server.URL == "" {
		return nil //nolint:nilerr // the command itself tells of it
	}
	return usageError{corpus.Hint(here, `run it where the server's data is, or add --server "" to work on this machine's store`)}
}

// chooseServer lets the flag and the environment go before the configuration. A configured key is for the configured
// server only.
func (p *program) chooseServer(c *config.Config) {
	configured := c.Server.URL
	if url, ok := p.env("GROUNDED_SERVER"); ok && url != "" {
		c.Server.URL = url
	}
	if p.serverSet != nil && p.serverSet() {
		c.Server.URL = p.server
	}
	if c.Server.URL != configured {
		c.Server.Key = ""
	}
	if key, ok := p.env("GROUNDED_API_KEY"); ok && key != "" {
		c.Server.Key = config.Secret(key)
	}
}

// connect makes the client of the server that is meant; nil if none is.
func (p *program) connect(c config.Config) (*client.Client, error) {
	if c.Server.URL == "" {
		return nil, nil
	}
	server, err := client.New(client.Config{URL: c.Server.URL, Key: string(c.Server.Key)})
	if err != nil {
		return nil, usageError{err}
	}
	return server, nil
}
