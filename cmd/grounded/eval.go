package main

import (
	"github.com/spf13/cobra"
)

func (p *program) evalCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "eval",
		Short: "Measure retrieval and answers on questions with known answers",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.AddCommand(p.evalDatasetCommand())
	return command
}
