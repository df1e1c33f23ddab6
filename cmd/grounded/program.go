package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"grounded/config"
	"grounded/corpus"
)

// program is one run of the command line with its streams, so that tests can run it in process.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) (string, bool)

	// Flags that mean the same everywhere.
	configFile string
	dataFolder string
	collection string
	server     string
	serverSet  func() bool // whether --server is given, be it empty
	json       bool
}

// run executes a command line and returns its exit code.
func (p *program) run(ctx context.Context, args []string) int {
	root := p.root()
	root.SetArgs(args)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	err := root.ExecuteContext(ctx)
	printError(p.stderr, err)
	return exitCode(err)
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "grounded",
		Short: "Answers from your own documents, with checked citations, and what the documents changed",
		Long: `grounded ingests a folder of documents, answers questions from them with citations that
are checked against the stored text, and shows the same question answered without them.

Begin with:
  grounded ingest ~/company/documents
  grounded ask "How many days of leave do I have?"
  grounded compare "How many days of leave do I have?"`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := root.PersistentFlags()
	flags.StringVar(&p.configFile, "config", "", "configuration `file` (GROUNDED_CONFIG; default grounded.yaml if it is there)")
	flags.StringVar(&p.dataFolder, "data", "", "`folder` of the store (GROUNDED_DATA; default .grounded)")
	flags.StringVar(&p.collection, "collection", "", "`name` of the collection (default \"default\")")
	flags.StringVar(&p.server, "server", "", "`address` of a server to ask instead (GROUNDED_SERVER; its key in GROUNDED_API_KEY)")
	p.serverSet = func() bool { return flags.Changed("server") }
	flags.BoolVar(&p.json, "json", false, "print JSON and nothing else on standard output")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return p.checkServer(cmd) }
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{corpus.Hint(plainFlagError(err), "see: "+cmd.CommandPath()+" --help")}
	})
	root.AddCommand(
		p.ingestCommand(), p.retrieveCommand(), p.askCommand(), p.compareCommand(),
		p.docsCommand(), p.collectionsCommand(), p.modelsCommand(),
		p.reindexCommand(), p.copyCommand(), p.verifyCommand(),
		p.evalCommand(), p.finetuneCommand(), p.serveCommand(), p.keysCommand(), p.jobsCommand(), p.workerCommand(),
		p.doctorCommand(), p.configCommand(), p.versionCommand(),
	)
	for _, c := range root.Commands() {
		usageErrors(c)
	}
	return root
}

// plainFlagError says what a flag wants without the name of the function that read it.
func plainFlagError(err error) error {
	var number *strconv.NumError
	if !errors.As(err, &number) {
		return err
	}
	wants := "a whole number"
	switch {
	case errors.Is(number.Err, strconv.ErrRange):
		wants = "a smaller number"
	case number.Func == "ParseFloat":
		wants = "a number"
	case number.Func == "ParseBool":
		wants = "true or false"
	}
	return corpus.Errorf(corpus.ErrInvalid, "%sit must be %s", strings.TrimSuffix(err.Error(), number.Error()), wants)
}

// usageErrors makes wrong arguments of a command, and of those below it, usage errors.
func usageErrors(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError{corpus.Hint(err, "see: "+cmd.CommandPath()+" --help")}
			}
			return nil
		}
	}
	for _, child := range c.Commands() {
		usageErrors(child)
	}
}

// configPath is the file of the configuration; empty if there is none.
func (p *program) configPath() string {
	path, given := p.configFile, p.configFile != ""
	if !given {
		path, given = p.env("GROUNDED_CONFIG")
	}
	if !given || path == "" {
		path = "grounded.yaml"
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			path = ""
		}
	}
	return path
}

// config reads the configuration, and lets flags and environment go before it.
func (p *program) config() (config.Config, error) {
	path := p.configPath()
	var c config.Config
	if path != "" {
		var err error
		if c, err = config.Load(path); err != nil {
			return c, err
		}
	}
	if folder, ok := p.env("GROUNDED_DATA"); ok && folder != "" {
		c.Data = folder
	}
	if p.dataFolder != "" {
		c.Data = p.dataFolder
	}
	if c.Data == "" {
		c.Data = ".grounded"
	}
	if venv, ok := p.env("GROUNDED_VENV"); ok && venv != "" {
		c.Models.VirtualEnv = venv
	}
	p.chooseServer(&c)
	if p.collection != "" {
		c.Collection = p.collection
	}
	if c.Collection == "" {
		c.Collection = "default"
	}
	if err := corpus.CheckCollectionName(c.Collection); err != nil {
		return c, usageError{err}
	}
	return c, nil
}

// storeFile is the embedded store's file.
func storeFile(c config.Config) string { return filepath.Join(c.Data, "grounded.db") }

// printJSON writes one line of JSON to standard output.
func (p *program) printJSON(v any) error {
	encoder := json.NewEncoder(p.stdout)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// printf writes to standard output.
func (p *program) printf(format string, args ...any) { fmt.Fprintf(p.stdout, format, args...) }

// notef writes to standard error.
func (p *program) notef(format string, args ...any) { fmt.Fprintf(p.stderr, format, args...) }

// examples indents a command's examples as cobra shows them.
func examples(lines ...string) string { return "  " + strings.Join(lines, "\n  ") }
