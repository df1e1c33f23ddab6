package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/eval/stat"
)

func (p *program) evalRetrievalCommand() *cobra.Command {
	var flags search
	var file string
	var each bool
	command := &cobra.Command{
		Use:   "retrieval --dataset FILE",
		Short: "Measure how well passages are found, without a chat model",
		Example: examples("grounded eval retrieval --dataset questions.jsonl",
			"grounded eval retrieval --dataset questions.jsonl --mode lexical --json"),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			questions, err := loadDataset(file)
			if err != nil {
				return err
			}
			if n := dataset.Drafts(questions); n > 0 {
				p.notef("%d of %s are drafts of a model that nobody has reviewed\n", n, count(len(questions), "question"))
			}
			return p.withStore(cmd.Context(), func(s *services) error {
				request, err := flags.request(cmd, s)
				if err != nil {
					return err
				}
				if !cmd.Flags().Changed("top-k") {
					request.TopK = 0 // the configured number is for answers
				}
				if questions, err = p.resolve(cmd.Context(), s, questions); err != nil {
					return err
				}
				r, err := s.retriever(cmd.Context())
				if err != nil {
					return err
				}
				report, err := eval.MeasureRetrieval(cmd.Context(), eval.RetrievalConfig{Retriever: r, Request: request}, questions)
				if err != nil {
					return err
				}
				return p.printRetrieval(report, each)
			})
		},
	}
	flags.flags(command)
	command.Flags().StringVar(&file, "dataset", "", "JSONL `file` of questions with evidence")
	command.Flags().BoolVar(&each, "each", false, "with --json: the scores of each question too")
	return command
}

func loadDataset(file string) ([]dataset.Question, error) {
	if file == "" {
		return nil, usageError{needed("--dataset", "name a JSONL file of questions: --dataset questions.jsonl")}
	}
	return dataset.Load(file)
}

// resolve gives evidence the paths of the collection's documents, and tells what is not there.
func (p *program) resolve(ctx context.Context, s *services, questions []dataset.Question) ([]dataset.Question, error) {
	r, err := dataset.NewResolver(ctx, s.store, s.scope())
	if err != nil {
		return nil, err
	}
	resolved, findings := r.Resolve(questions)
	if evidence := countEvidence(questions); evidence > 0 && len(findings) == evidence {
		return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "none of the documents of the evidence is in the collection %s; of %s: %s", s.config.Collection, findings[0].Question, findings[0].Text),
			"is it another collection's dataset? Name that with --collection; see also: grounded eval dataset check")
	}
	for i, f := range findings {
		if i == 5 {
			p.notef("… and %d more; see: grounded eval dataset check\n", len(findings)-i)
			break
		}
		p.notef("%s: %s It counts as not found.\n", f.Question, f.Text)
	}
	return resolved, nil
}

func countEvidence(questions []dataset.Question) (n int) {
	for _, q := range questions {
		n += len(q.Evidence)
	}
	return n
}

func (p *program) printRetrieval(r eval.RetrievalReport, each bool) error {
	if p.json {
		if !each {
			r.PerQuestion = nil
		}
		return p.printJSON(r)
	}
	t := newTable("by", "metric", "mean", "95% interval", "questions")
	for _, s := range r.Scores {
		t.add(s.Level, fmt.Sprintf("%s@%d", s.Metric, s.K), scoreText(s.Mean.Mean), interval(s.Interval), fmt.Sprintf("%d of %d", s.Scored, s.Items))
	}
	t.write(p.stdout, p.width())
	p.printf("intervals resample by %s\n", r.Unit)
	if n := r.Scores[0].Scored; n < stat.MinClusters {
		p.printf("too few questions, %d of at least %d: other questions may give other figures, whatever the intervals say\n", n, stat.MinClusters)
	}
	return nil
}

// scoreText shows a score; a dash is unknown.
func scoreText(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.3f", *v)
}

func interval(i *stat.Interval) string {
	if i == nil {
		return "–"
	}
	return fmt.Sprintf("%.3f to %.3f", i.Low, i.High)
}
