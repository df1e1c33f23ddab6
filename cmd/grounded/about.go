package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"grounded/config"
)

// version is set by the linker for a release.
var version = "dev"

// commit is what the program was built from, empty when that is not known.
func commit() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return ""
}

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: examples("grounded version", "grounded version --json"),
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			commit := commit()
			if p.json {
				return p.printJSON(map[string]string{"version": version, "commit": commit, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
			}
			p.printf("grounded %s", version)
			if commit != "" {
				p.printf(" (%.12s)", commit)
			}
			p.printf(", %s, %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}

func (p *program) configCommand() *cobra.Command {
	command := &cobra.Command{
		Use:     "config",
		Short:   "Show how grounded can be configured",
		Example: examples("grounded config example > grounded.yaml", "grounded config check --config grounded.yaml"),
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.AddCommand(&cobra.Command{
		Use:     "example",
		Short:   "Print a configuration with every key, its default and what it means",
		Example: examples("grounded config example > grounded.yaml"),
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			p.printf("%s", config.Example)
			return nil
		},
	}, &cobra.Command{
		Use:     "check",
		Short:   "Read the configuration and say what is wrong with it",
		Example: examples("grounded config check --config grounded.yaml"),
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := p.config()
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(map[string]string{"status": "ok", "data": c.Data, "collection": c.Collection})
			}
			p.printf("the configuration is well formed; data in %s, collection %s\n", c.Data, c.Collection)
			return nil
		},
	})
	return command
}
