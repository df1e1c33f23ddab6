package main

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"grounded/answer"
	"grounded/corpus"
	"grounded/eval/dataset"
	"grounded/eval/finetune"
	"grounded/model"
	"grounded/prompts"

	"grounded/eval/report"
)

func (p *program) finetuneCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "finetune",
		Short: "Fine-tune a model on your own questions and answers, and register what comes of it",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.AddCommand(p.finetuneDatasetCommand(), p.finetuneCreateCommand(), p.finetuneStatusCommand(), p.finetuneListCommand(), p.finetuneCancelCommand())
	return command
}

// trainingFlags are those of finetune dataset.
type trainingFlags struct {
	search
	file, model, arm, split, out string
	share                        float64
	epochs                       int
}

func (p *program) finetuneDatasetCommand() *cobra.Command {
	var f trainingFlags
	command := &cobra.Command{
		Use:   "dataset --dataset FILE --model MODEL",
		Short: "Make training files of a dataset's questions, answers and passages",
		Long: `Writes chats as they are asked here, with the answer that is right: train.jsonl, validation.jsonl, and holdout.jsonl,
all questions about the documents of validation, to evaluate the finished model with. No such document is trained on. Nothing is
sent.`,
		Example: examples("grounded finetune dataset --dataset questions.jsonl --model gpt-4.1-mini",
			"grounded finetune dataset --dataset questions.jsonl --model gpt-4.1-mini --arm plain --validation 0.3 --out train"),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.model == "" {
				return usageError{needed("--model", "name the model of the catalog that is to be fine-tuned")}
			}
			if f.arm != answer.ArmPlain && f.arm != answer.ArmGrounded {
				return usageError{corpus.Errorf(corpus.ErrInvalid, "--arm %q is not one of plain and grounded", f.arm)}
			}
			return p.withStore(cmd.Context(), func(s *services) error { return p.makeTrainingSet(cmd, s, f) })
		},
	}
	f.flags(command)
	flags := command.Flags()
	flags.StringVar(&f.file, "dataset", "", "JSONL `file` of questions with answers and evidence")
	flags.StringVar(&f.model, "model", "", "`id` of the model to fine-tune")
	flags.StringVar(&f.arm, "arm", answer.ArmGrounded, "`way` that the model will be asked: grounded or plain")
	flags.Float64Var(&f.share, "validation", .2, "`share` of the examples to validate on")
	flags.StringVar(&f.split, "split", finetune.ByDocument, "`unit` that is on one side only: document or page")
	flags.IntVar(&f.epochs, "epochs", 0, "`number` of times through that the estimate counts with (default 3)")
	flags.StringVar(&f.out, "out", "", "`folder` to make (default finetunes/NAME-OF-DATASET below the data folder)")
	return command
}

func (p *program) makeTrainingSet(cmd *cobra.Command, s *services, f trainingFlags) error {
	ctx := cmd.Context()
	questions, err := loadDataset(f.file)
	if err != nil {
		return err
	}
	base, err := s.catalog.Get(f.model)
	if err != nil {
		return err
	}
	source, err := s.trainingSource(cmd, f, base)
	if err != nil {
		return err
	}
	if questions, err = p.resolve(ctx, s, questions); err != nil {
		return err
	}
	learnt, held, err := finetune.Split(questions, f.share, f.split)
	if err != nil {
		return err
	}
	validation, left, err := finetune.Make(ctx, source, held)
	if err != nil {
		return err
	}
	if f.split == finetune.ByDocument {
		source.Without = finetune.Documents(held)
	}
	train, without, err := finetune.Make(ctx, source, learnt)
	if err != nil {
		return err
	}
	left = append(left, without...)
	m := finetune.Describe(base, train, validation, left, f.epochs)
	m.Arm, m.Split, m.Dataset, m.DatasetHash = f.arm, f.split, filepath.Base(f.file), dataset.Hash(questions)
	if f.out == "" {
		f.out = filepath.Join(s.config.Data, "finetunes", strings.TrimSuffix(filepath.Base(f.file), filepath.Ext(f.file)))
	}
	if m, err = finetune.Write(f.out, m, train, validation, held); err != nil {
		return err
	}
	return p.printManifest(f.out, m)
}

// trainingSource is what examples are made with: prompts and passages as they are when the model is asked.
func (s *services) trainingSource(cmd *cobra.Command, f trainingFlags, base model.Card) (finetune.Source, error) {
	ctx := cmd.Context()
	request, err := s.question(cmd, f.search, "", "", f.arm)
	if err != nil {
		return finetune.Source{}, err
	}
	request.Arm = f.arm
	answerer, err := s.answerer(ctx)
	if err != nil {
		return finetune.Source{}, err
	}
	set, err := prompts.Load(s.config.Answer.Prompts)
	if err != nil {
		return finetune.Source{}, err
	}
	count, err := model.Counter(base, s.model)
	if err != nil {
		return finetune.Source{}, err
	}
	return finetune.Source{Answerer: answerer, Prompts: set, Base: base, Count: count, Request: request}, nil
}

func (p *program) printManifest(folder string, m finetune.Manifest) error {
	if p.json {
		if err := p.printJSON(struct {
			Folder string `json:"folder"`
			finetune.Manifest
		}{folder, m}); err != nil {
			return err
		}
	} else {
		p.printf("%s to train on and %s to validate on, in %s\n", count(m.Train, "example"), count(m.Validation, "example"), folder)
		p.printf("%d tokens once through, %d in %s; training costs %s\n", m.TrainTokens, m.TrainTokens*m.Epochs, count(m.Epochs, "epoch"), report.Dollars(m.CostUSD))
	}
	for i, l := range m.LeftOut {
		if i == 5 {
			p.notef("… and %d more; manifest.json has them all\n", len(m.LeftOut)-i)
			break
		}
		p.notef("left out %s: %s\n", l.Question, l.Why)
	}
	for _, w := range m.Warnings {
		p.notef("%s\n", w)
	}
	if len(m.Problems) > 0 {
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "the provider would refuse it: %s", m.Problems[0]), "make it of more or shorter questions, in another folder")
	}
	return nil
}
