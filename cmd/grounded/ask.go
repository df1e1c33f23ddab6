package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"grounded/answer"
	"grounded/corpus"
	"grounded/prompts"
	"grounded/wire"
)

func (p *program) askCommand() *cobra.Command {
	var flags search
	var modelID, arm, examplesFile string
	command := &cobra.Command{
		Use:   "ask QUESTION",
		Short: "Answer a question from the documents, with checked citations",
		Example: examples(`grounded ask "How many days of leave do I have?"`,
			`grounded ask --arm plain "How many days of leave do I have?"   # without the documents`,
			`grounded ask --arm few-shot --examples examples.yaml "…"`,
			`grounded ask --model gpt-6-luna --json "…"`),
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkArms(arm); err != nil {
				return err
			}
			q, err := flags.question(cmd, args[0])
			if err != nil {
				return err
			}
			q.Model, q.Arm = modelID, arm
			presence := mustExist
			if arm != answer.ArmGrounded {
				presence = mayCreate
			}
			return p.withEngine(cmd.Context(), presence, examplesFile, func(e engine, collection string) error {
				q.Collection = collection
				return p.ask(cmd.Context(), e, q)
			})
		},
	}
	remote(command)
	flags.flags(command)
	command.Flags().StringVar(&modelID, "model", "", "chat model, an `id` of `grounded models` (default: the configured one, or what is there)")
	command.Flags().StringVar(&arm, "arm", answer.ArmGrounded, "`way` to answer: plain, few-shot or grounded")
	command.Flags().StringVar(&examplesFile, "examples", "", "`file` of {question, answer} for the few-shot arm")
	return command
}

// checkArms refuses arms that this program's users can't choose.
func checkArms(arms ...string) error {
	for _, arm := range arms {
		switch arm {
		case answer.ArmPlain, answer.ArmFewShot, answer.ArmGrounded:
		default:
			return usageError{corpus.Errorf(corpus.ErrInvalid, "there is no arm %q; choose plain, few-shot or grounded", arm)}
		}
	}
	return nil
}

// answerer connects the parts that make answers, by further arms too.
func (s *services) answerer(ctx context.Context, arms ...answer.Arm) (*answer.Service, error) {
	set, err := prompts.Load(s.config.Answer.Prompts)
	if err != nil {
		return nil, err
	}
	embedder, err := s.embedder(ctx)
	if err != nil {
		return nil, err
	}
	retriever, err := s.retriever(ctx)
	if err != nil {
		return nil, err
	}
	c := answer.Config{Retriever: retriever, Pages: s.store, Prompts: set, Embedder: embedder, Arms: arms}
	if below := s.config.Answer.AbstainBelow; below != nil {
		c.Abstention = &answer.Abstention{Below: below}
	}
	return answer.New(ctx, c)
}

func (p *program) ask(ctx context.Context, e engine, q wire.Question) error {
	streaming := !p.json && isTerminal(p.stdout)
	var stream func(string) error
	if streaming {
		stream = func(text string) error {
			p.printf("%s", text)
			return nil
		}
	}
	result, err := e.answer(ctx, q, stream)
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(result)
	}
	if !streaming {
		p.printf("%s", strings.TrimSpace(result.Text))
	}
	p.printf("\n\n")
	p.printSources(result)
	p.printf("%s\n", figures(result))
	return nil
}

// pageOf is a citation's page behind these words, with what the document calls it; "" if there is none.
func pageOf(c corpus.Citation, before string) string {
	switch {
	case c.Page == nil:
		return ""
	case c.PageLabel != "":
		return fmt.Sprintf("%s %d (%s)", before, *c.Page, c.PageLabel)
	}
	return fmt.Sprintf("%s %d", before, *c.Page)
}

// printSources lists citations, what is unsupported, and, when there was no answer, the nearest passages.
func (p *program) printSources(a corpus.Answer) {
	for _, c := range a.Citations {
		p.printf("[%d] %s%s  (%s)\n", c.Marker, c.Document, pageOf(c, ", page"), verdict(c))
		if c.Quote != "" {
			for _, line := range wrap("“"+oneLine(string(c.Quote))+"”", 100) {
				p.printf("    %s\n", line)
			}
		}
	}
	if len(a.Unsupported) > 0 {
		p.printf("Not supported by the documents:\n")
		for _, sentence := range a.Unsupported {
			p.printf("  ! %s\n", oneLine(sentence))
		}
	}
	if a.Abstained && len(a.Passages) > 0 {
		p.printf("Nearest passages:\n")
		for _, passage := range a.Passages[:min(3, len(a.Passages))] {
			p.printf("  %s\n", place(passage))
		}
	}
	if len(a.Citations)+len(a.Unsupported) > 0 || a.Abstained {
		p.printf("\n")
	}
}

func verdict(c corpus.Citation) string {
	words := "not verified"
	if c.Verified {
		words = "verified"
	}
	if c.Origin == corpus.OriginAttributed {
		words += ", attributed"
	}
	return words
}

// figures is the line of model, arm, tokens, cost and time.
func figures(a corpus.Answer) string {
	parts := []string{a.Model, a.Arm}
	if u := a.Usage; u.PromptTokens != nil && u.CompletionTokens != nil {
		parts = append(parts, fmt.Sprintf("%d + %d tokens", *u.PromptTokens, *u.CompletionTokens))
	}
	return strings.Join(append(parts, cost(a), seconds(a.Timings.TotalMS)), " · ")
}

func cost(a corpus.Answer) string {
	switch {
	case a.CostUSD == nil:
		return "cost unknown"
	case *a.CostUSD == 0:
		return "$0"
	}
	return fmt.Sprintf("$%.6f", *a.CostUSD)
}

func seconds(ms *float64) string {
	if ms == nil {
		return "–"
	}
	return fmt.Sprintf("%.2f s", *ms/1000)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
