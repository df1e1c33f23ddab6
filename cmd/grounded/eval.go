package main

import (
	"github.com/spf13/cobra"

	"grounded/corpus"
)

func (p *program) evalCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "eval",
		Short: "Measure retrieval and answers on questions with known answers",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.AddCommand(p.evalRunCommand(), p.evalJudgeCommand(), p.evalScoreCommand(), p.evalReportCommand(), p.evalGateCommand(), p.evalRetrievalCommand(), p.evalTuneCommand(), p.evalDatasetCommand())
	return command
}

// needed is the error of a flag that was left out.
func needed(flag, hint string) error {
	return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "%s is needed", flag), hint)
}
