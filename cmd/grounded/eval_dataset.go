package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"grounded/corpus"
	"grounded/eval/dataset"
)

func (p *program) evalDatasetCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "dataset",
		Short: "Check questions, import them from another format, or draft and review them",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.AddCommand(&cobra.Command{
		Use:     "check FILE",
		Short:   "Find evidence that is not in the collection, quotes that are not on their page, and duplicates",
		Example: examples("grounded eval dataset check questions.jsonl"),
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			questions, err := dataset.Load(args[0])
			if err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(s *services) error {
				return p.checkDataset(cmd.Context(), s, questions)
			})
		},
	}, p.importDatasetCommand(), p.makeDatasetCommand(), p.reviewDatasetCommand())
	return command
}

func (p *program) checkDataset(ctx context.Context, s *services, questions []dataset.Question) error {
	findings, err := dataset.Check(ctx, s.store, s.scope(), questions)
	if err != nil {
		return err
	}
	wrong := 0
	for _, f := range findings {
		if f.Kind != dataset.NoEvidence && f.Kind != dataset.NoAnswers {
			wrong++
		}
		if !p.json {
			p.printf("%s: %s\n", f.Question, f.Text)
		}
	}
	if p.json {
		err = p.printJSON(map[string]any{"questions": len(questions), "findings": append([]dataset.Finding{}, findings...)})
	} else {
		p.printf("%s, %s\n", count(len(questions), "question"), count(len(findings), "finding"))
	}
	if err == nil && wrong > 0 {
		err = corpus.Errorf(corpus.ErrInvalid, "%s of the dataset to correct", count(wrong, "place"))
	}
	return err
}

func (p *program) importDatasetCommand() *cobra.Command {
	var format, out, documents string
	command := &cobra.Command{
		Use:   "import --format FORMAT FILE",
		Short: "Make a dataset of questions in another format",
		Example: examples("grounded eval dataset import --format csv questions.csv --out questions.jsonl",
			"grounded eval dataset import --format squad xquad.zh.json --out zh.jsonl --documents zh/   # then: grounded ingest zh",
			"grounded eval dataset import --format beir scifact/ --out scifact.jsonl --documents scifact-texts/"),
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" || format == "" {
				return usageError{corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "--format and --out are needed"),
					"the formats are "+strings.Join(dataset.Formats(), ", "))}
			}
			return p.importDataset(format, args[0], out, documents)
		},
	}
	command.Flags().StringVar(&format, "format", "", "`name` of the format: "+strings.Join(dataset.Formats(), ", "))
	command.Flags().StringVar(&out, "out", "", "`file` to write; it must not be there yet")
	command.Flags().StringVar(&documents, "documents", "", "`folder` to write the texts to that the questions are about, where the format holds them")
	return command
}

func (p *program) importDataset(format, path, out, documents string) error {
	if err := mayWriteNew(out); err != nil { // before documents are written
		return err
	}
	made, err := dataset.Import(format, path)
	if err != nil {
		return err
	}
	if documents != "" {
		if err := made.WriteDocuments(documents); err != nil {
			return err
		}
	}
	if err := writeNew(out, func(f *os.File) error { return dataset.Write(f, made.Questions) }); err != nil {
		return err
	}
	for _, w := range made.Warnings {
		p.notef("%s\n", w)
	}
	written := 0
	if documents != "" {
		written = len(made.Documents)
	}
	if p.json {
		return p.printJSON(map[string]any{"questions": len(made.Questions), "documents": written, "warnings": append([]string{}, made.Warnings...)})
	}
	p.printf("%s in %s", count(len(made.Questions), "question"), out)
	if written > 0 {
		p.printf(", %s in %s", count(written, "document"), filepath.Clean(documents))
	}
	p.printf("\n")
	return nil
}

// mayWriteNew says early what writeNew would say.
func mayWriteNew(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return alreadyThere(path)
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "write %s: %w", path, err)
	}
	return nil
}

func alreadyThere(path string) error {
	return corpus.Hint(corpus.Errorf(corpus.ErrConflict, "%s is there already", path), "remove it, or name another file")
}

// writeNew writes a file that is not there yet. What fails leaves none.
func writeNew(path string, write func(*os.File) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return alreadyThere(path)
	case err != nil:
		return corpus.Errorf(corpus.ErrInvalid, "write %s: %w", path, err)
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return errors.Join(corpus.Errorf(corpus.ErrUnavailable, "write %s: %w", path, err), os.Remove(path))
	}
	return nil
}
