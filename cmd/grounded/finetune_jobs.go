package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"grounded/corpus"
	"grounded/eval/finetune"
	"grounded/model"

	"grounded/eval/report"
)

func (p *program) finetuneCreateCommand() *cobra.Command {
	var r model.TuningRequest
	var base string
	var seed int
	var wait bool
	command := &cobra.Command{
		Use:   "create FOLDER",
		Short: "Upload a training set and begin to fine-tune, which costs money",
		Example: examples("grounded finetune create .grounded/finetunes/questions --suffix leave",
			"grounded finetune create train --snapshot gpt-4.1-mini-2025-04-14 --epochs 3 --wait"),
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("seed") {
				r.Seed = &seed
			}
			return p.createJob(cmd.Context(), args[0], base, r, wait)
		},
	}
	flags := command.Flags()
	flags.StringVar(&base, "model", "", "`id` of the model to fine-tune (default the one that the training set was made for)")
	flags.StringVar(&r.Model, "snapshot", "", "`name` that the provider knows the model by for fine-tuning, where it is another than for answers")
	flags.StringVar(&r.Suffix, "suffix", "", "`text` in the new model's name")
	flags.IntVar(&r.Epochs, "epochs", 0, "`number` of times through (default the provider's choice)")
	flags.IntVar(&r.BatchSize, "batch-size", 0, "`number` of examples a step (default the provider's choice)")
	flags.Float64Var(&r.RateMultiplier, "rate", 0, "`factor` of the learning rate (default the provider's choice)")
	flags.IntVar(&seed, "seed", 0, "`number` to draw from")
	flags.BoolVar(&wait, "wait", false, "wait until the job is over")
	return command
}

func (p *program) createJob(ctx context.Context, folder, base string, r model.TuningRequest, wait bool) error {
	set, err := finetune.Read(folder)
	if err != nil {
		return err
	}
	s, err := p.loadServices()
	if err != nil {
		return err
	}
	if base == "" {
		base = set.Manifest.Base
	}
	card, tuner, err := s.tuner(base)
	if err != nil {
		return err
	}
	if r.Model == "" {
		if r.Model = card.Model; r.Model == "" {
			r.Model = card.ID
		}
	}
	if r.TrainingFile, err = tuner.Upload(ctx, finetune.TrainFile, set.Train); err != nil {
		return err
	}
	if set.Validation != nil {
		if r.ValidationFile, err = tuner.Upload(ctx, finetune.ValidationFile, set.Validation); err != nil {
			return err
		}
	}
	job, err := tuner.Create(ctx, r)
	if err != nil {
		p.notef("whether a job began is not sure; before you try again, see: grounded finetune list --model %s\n", base)
		return err
	}
	record := finetune.Record{Job: job.ID, Base: card.ID, Dataset: filepath.Base(filepath.Clean(folder)), DatasetHash: set.Manifest.Hashes[finetune.TrainFile]}
	if err := finetune.Keep(s.records(), record); err != nil {
		return fmt.Errorf("job %s has begun, and: %w", job.ID, err)
	}
	if wait {
		p.notef("job %s has begun\n", job.ID)
		return p.awaitJob(ctx, s, tuner, card, job.ID)
	}
	if p.json {
		return p.printJSON(job)
	}
	p.printf("job %s is %s; see: grounded finetune status %s\n", job.ID, job.Status, job.ID)
	return nil
}

// tuner connects to where a base model is fine-tuned.
func (s *services) tuner(base string) (model.Card, *model.Tuner, error) {
	card, err := s.catalog.Get(base)
	if err != nil {
		return card, nil, err
	}
	t, err := model.NewTuner(card, s.model)
	return card, t, err
}

// records is the folder of what is kept of fine-tuning jobs.
func (s *services) records() string { return filepath.Join(s.config.Data, "finetunes", "jobs") }

// tunerOf connects to where a job runs: by its record, or by the base model that was named.
func (s *services) tunerOf(job, base string) (model.Card, *model.Tuner, error) {
	if base == "" {
		r, found, err := finetune.Recorded(s.records(), job)
		switch {
		case err != nil:
			return model.Card{}, nil, err
		case !found:
			return model.Card{}, nil, usageError{corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "job %s was not begun here", job), "name the model of the catalog that it tunes with --model")}
		}
		base = r.Base
	}
	return s.tuner(base)
}

// firstLook and longestLook are how soon a job is looked at again, and how seldom.
const (
	firstLook   = time.Second
	longestLook = 30 * time.Second
)

func (p *program) awaitJob(ctx context.Context, s *services, tuner *model.Tuner, card model.Card, id string) error {
	before := ""
	for delay := firstLook; ; delay = min(2*delay, longestLook) {
		job, err := tuner.Job(ctx, id)
		if err != nil {
			return err
		}
		if job.Status != before {
			p.notef("%s\n", job.Status)
			before = job.Status
		}
		if job.Over() {
			return p.tellJob(ctx, s, tuner, card, job)
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			p.notef("the job goes on; see: grounded finetune status %s\n", id)
			return ctx.Err()
		}
	}
}

func (p *program) finetuneStatusCommand() *cobra.Command {
	var base string
	command := &cobra.Command{
		Use:     "status JOB",
		Short:   "Tell how a job is; a finished model is registered in the catalog",
		Example: examples("grounded finetune status ftjob-abc123"),
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := p.loadServices()
			if err != nil {
				return err
			}
			card, tuner, err := s.tunerOf(args[0], base)
			if err != nil {
				return err
			}
			job, err := tuner.Job(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return p.tellJob(cmd.Context(), s, tuner, card, job)
		},
	}
	command.Flags().StringVar(&base, "model", "", "`id` of the model that is tuned, for a job that was not begun here")
	return command
}

// tellJob prints a job with its events and checkpoints, registers what it made, and fails when it failed.
func (p *program) tellJob(ctx context.Context, s *services, tuner *model.Tuner, card model.Card, job model.TuningJob) error {
	events, err := tuner.Events(ctx, job.ID)
	if err != nil {
		return err
	}
	var checkpoints []model.Checkpoint
	if job.Over() {
		if checkpoints, err = tuner.Checkpoints(ctx, job.ID); err != nil {
			return err
		}
	}
	registered, err := s.register(card, job, checkpoints)
	if err != nil {
		return err
	}
	if p.json {
		err = p.printJSON(struct {
			model.TuningJob
			Events      []model.TuningEvent `json:"events"`
			Checkpoints []model.Checkpoint  `json:"checkpoints"`
			Registered  corpus.Text         `json:"registered"` // id in the catalog
		}{job, append([]model.TuningEvent{}, events...), append([]model.Checkpoint{}, checkpoints...), corpus.Text(registered)})
	} else {
		p.printTuning(card, job, events, checkpoints, registered)
	}
	if err == nil && job.Status == model.TuningFailed {
		err = corpus.Errorf(corpus.ErrUnavailable, "job %s failed: %s", job.ID, job.Failure())
	}
	return err
}

func (p *program) printTuning(card model.Card, job model.TuningJob, events []model.TuningEvent, checkpoints []model.Checkpoint, registered string) {
	p.printf("job %s of %s is %s\n", job.ID, job.Model, job.Status)
	for _, e := range events {
		p.printf("%s  %s\n", time.Unix(e.CreatedAt, 0).UTC().Format("2006-01-02 15:04:05"), oneLine(e.Message))
	}
	if job.TrainedTokens != nil {
		cost := ""
		if price := card.Price.Training; price != nil {
			dear := float64(*job.TrainedTokens) / 1e6 * *price
			cost = ", " + report.Dollars(&dear)
		}
		p.printf("%d tokens were trained on%s\n", *job.TrainedTokens, cost)
	}
	for _, c := range checkpoints {
		p.printf("checkpoint at step %d: %s\n", c.Step, c.Model)
	}
	if registered != "" {
		p.printf("%s is in the catalog; compare it with its base: grounded eval run --models %s,%s --dataset holdout.jsonl\n", registered, card.ID, registered)
		p.printf("its price is not known: write it into your own catalog\n")
	}
}

// register writes a finished model into the catalog, and returns its id; "" for a job that made none.
func (s *services) register(base model.Card, job model.TuningJob, checkpoints []model.Checkpoint) (string, error) {
	if job.Status != model.TuningSucceeded {
		return "", nil
	}
	record, _, err := finetune.Recorded(s.records(), job.ID)
	if err != nil {
		return "", err
	}
	card, err := finetune.Card(base, record, job, checkpoints)
	if err != nil {
		return "", err
	}
	if err := model.Register(ownModels(s.config), card); err != nil {
		return "", err
	}
	if record.Job != "" && record.Registered != card.ID {
		record.Registered = card.ID
		err = finetune.Keep(s.records(), record)
	}
	return card.ID, err
}

func (p *program) finetuneListCommand() *cobra.Command {
	var base string
	command := &cobra.Command{
		Use:     "list --model MODEL",
		Short:   "List the account's jobs where a model is fine-tuned; finished models that were begun here are registered",
		Example: examples("grounded finetune list --model gpt-4.1-mini"),
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if base == "" {
				return usageError{needed("--model", "name a model of the catalog whose provider is asked")}
			}
			return p.listTuning(cmd.Context(), base)
		},
	}
	command.Flags().StringVar(&base, "model", "", "`id` of a model whose provider is asked")
	return command
}

func (p *program) listTuning(ctx context.Context, base string) error {
	s, err := p.loadServices()
	if err != nil {
		return err
	}
	_, tuner, err := s.tuner(base)
	if err != nil {
		return err
	}
	jobs, err := tuner.Jobs(ctx)
	if err != nil {
		return err
	}
	t := newTable("job", "model", "status", "begun", "made")
	for _, job := range jobs {
		if err := s.registerRecorded(ctx, job); err != nil {
			return err
		}
		made := ""
		if job.FineTunedModel != nil {
			made = *job.FineTunedModel
		}
		t.add(job.ID, job.Model, job.Status, time.Unix(job.CreatedAt, 0).UTC().Format(time.DateTime), made)
	}
	if p.json {
		return p.printJSON(map[string]any{"data": append([]model.TuningJob{}, jobs...), "next": nil})
	}
	t.write(p.stdout, p.width())
	return nil
}

// registerRecorded registers what a job made that was begun here and is not registered yet.
func (s *services) registerRecorded(ctx context.Context, job model.TuningJob) error {
	r, found, err := finetune.Recorded(s.records(), job.ID)
	if err != nil || !found || r.Registered != "" || job.Status != model.TuningSucceeded {
		return err
	}
	card, tuner, err := s.tuner(r.Base)
	if err != nil {
		return err
	}
	checkpoints, err := tuner.Checkpoints(ctx, job.ID)
	if err != nil {
		return err
	}
	_, err = s.register(card, job, checkpoints)
	return err
}

func (p *program) finetuneCancelCommand() *cobra.Command {
	var base string
	command := &cobra.Command{
		Use:     "cancel JOB",
		Short:   "Stop a job",
		Example: examples("grounded finetune cancel ftjob-abc123"),
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := p.loadServices()
			if err != nil {
				return err
			}
			_, tuner, err := s.tunerOf(args[0], base)
			if err != nil {
				return err
			}
			job, err := tuner.Cancel(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(job)
			}
			p.printf("job %s is %s\n", job.ID, job.Status)
			return nil
		},
	}
	command.Flags().StringVar(&base, "model", "", "`id` of the model that is tuned, for a job that was not begun here")
	return command
}
