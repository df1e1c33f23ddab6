package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"grounded/answer"
	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/model"
	"grounded/prompts"
)

// runFlags are those of eval run.
type runFlags struct {
	search
	file, out, examples string
	unanswerable        string
	models, arms        []string
	limit, atOnce, seed int
	maxCost             float64
	retryErrors         bool
	noCache, drafts     bool
}

func (p *program) evalRunCommand() *cobra.Command {
	var f runFlags
	command := &cobra.Command{
		Use:   "run --dataset FILE",
		Short: "Ask models by several arms all questions of a dataset; the same command goes on after a stop",
		Example: examples("grounded eval run --dataset questions.jsonl",
			"grounded eval run --dataset questions.jsonl --models gpt-6-luna,smollm2 --arms plain,grounded,oracle --max-cost 2",
			"grounded eval run --dataset questions.jsonl --limit 50 --out first-try"),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := errors.Join(eval.CheckArms(f.arms), f.check()); err != nil {
				return usageError{err}
			}
			questions, err := f.questions()
			if err != nil {
				return err
			}
			if n := dataset.Drafts(questions); n > 0 && !f.drafts {
				return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "%d of %s are drafts of a model that nobody has reviewed", n, count(len(questions), "question")),
					"review them: grounded eval dataset review "+f.file+"; or ask them as they are with --drafts")
			}
			return p.withStore(cmd.Context(), func(s *services) error { return p.evalRun(cmd, s, f, questions) })
		},
	}
	f.flags(command)
	flags := command.Flags()
	flags.StringVar(&f.file, "dataset", "", "JSONL `file` of questions with answers and evidence")
	flags.StringSliceVar(&f.models, "models", nil, "chat models, `ids` of `grounded models` (default: the configured one, or what is there)")
	flags.StringSliceVar(&f.arms, "arms", []string{answer.ArmPlain, answer.ArmGrounded}, "`ways` to answer: "+strings.Join(eval.ArmNames(), ", "))
	flags.StringVar(&f.out, "out", "", "`folder` of the run (default runs/NAME-OF-DATASET below the data folder)")
	flags.StringVar(&f.examples, "examples", "", "`file` of {question, answer} for the few-shot arm")
	flags.StringVar(&f.unanswerable, "unanswerable", "", "`file` of questions about other documents, to be asked as ones that these can't answer")
	flags.IntVar(&f.limit, "limit", 0, "ask only a fixed sample of this `number` of questions, of each file")
	flags.IntVar(&f.atOnce, "concurrency", 0, "calls at once to one provider, a `number` (default 1 for local models, else 4)")
	flags.IntVar(&f.seed, "seed", 0, "`number` that models with a seed are given")
	flags.Float64Var(&f.maxCost, "max-cost", 0, "US `dollars` that the run may cost; what may cost more is refused, and the run stops before it does")
	flags.BoolVar(&f.retryErrors, "retry-errors", false, "ask again what failed before")
	flags.BoolVar(&f.drafts, "drafts", false, "ask questions too that nobody has reviewed")
	flags.BoolVar(&f.noCache, "no-cache", false, "ask even what another run has asked the same model with the same words")
	return command
}

func (f runFlags) check() error {
	for _, n := range []struct {
		name  string
		value float64
	}{{"limit", float64(f.limit)}, {"concurrency", float64(f.atOnce)}, {"max-cost", f.maxCost}} {
		if n.value < 0 {
			return corpus.Errorf(corpus.ErrInvalid, "--%s is %g; it must not be below 0", n.name, n.value)
		}
	}
	return nil
}

// mayHoldRun refuses a folder that has something else in it, such as documents.
func mayHoldRun(path string) error {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "open run: %w", err)
	}
	if isThere(filepath.Join(path, "run.json")) {
		return nil
	}
	for _, e := range entries {
		if name := e.Name(); name != "lock" && !strings.HasPrefix(name, ".") { // what a run leaves that is killed as it begins
			return corpus.Hint(corpus.Errorf(corpus.ErrConflict, "open run %s: it is no run and has other files, such as %s", path, name), "name an empty folder, or one that is not there yet, with --out")
		}
	}
	return nil
}

// questions are those of the dataset, and of other documents.
func (f runFlags) questions() ([]dataset.Question, error) {
	questions, err := loadDataset(f.file)
	if err != nil {
		return nil, err
	}
	questions = dataset.Sample(questions, f.limit)
	if f.unanswerable == "" {
		return questions, nil
	}
	others, err := dataset.Load(f.unanswerable)
	if err != nil {
		return nil, err
	}
	return dataset.WithUnanswerable(questions, dataset.Sample(others, f.limit)), nil
}

func (p *program) evalRun(cmd *cobra.Command, s *services, f runFlags, questions []dataset.Question) (err error) {
	ctx := cmd.Context()
	request, err := s.question(cmd, f.search, "", f.examples, f.arms...)
	if err != nil {
		return err
	}
	if cmd.Flags().Changed("seed") {
		request.Seed = &f.seed
	}
	settings, err := s.settings(ctx, f.file, questions, request)
	if err != nil {
		return err
	}
	if questions, err = p.resolve(ctx, s, questions); err != nil {
		return err
	}
	c := eval.Config{Request: request, Arms: f.arms, Questions: questions, AtOnce: f.atOnce, RetryErrors: f.retryErrors, Cache: s.cache(f.noCache)}
	if cmd.Flags().Changed("max-cost") {
		c.MaxCost = &f.maxCost
	}
	cards, err := s.connect(ctx, &c, f.models)
	if err != nil {
		return err
	}
	if f.out == "" {
		f.out = filepath.Join(s.config.Data, "runs", strings.TrimSuffix(filepath.Base(f.file), filepath.Ext(f.file)))
	}
	if err := mayHoldRun(f.out); err != nil {
		return err
	}
	folder, err := eval.OpenFolder(f.out, settings, cards, f.arms)
	if err != nil {
		return err
	}
	observe, done := p.runProgress("asking")
	c.Observe = observe
	state, err := eval.Run(ctx, folder, c)
	done()
	if err := errors.Join(err, folder.Close()); err != nil {
		if state.Done > 0 {
			p.notef("%d of %d items are in %s; the same command goes on from there\n", state.Done, state.Total, f.out)
		}
		return err
	}
	return p.evalRunDone(state, f.out)
}

// settings are what makes the items of a run comparable.
func (s *services) settings(ctx context.Context, file string, questions []dataset.Question, r answer.Request) (eval.Settings, error) {
	c, err := s.store.Collection(ctx, s.config.Collection)
	if err != nil {
		return eval.Settings{}, err
	}
	set, err := prompts.Load(s.config.Answer.Prompts)
	if err != nil {
		return eval.Settings{}, err
	}
	versions := map[string]string{}
	for _, name := range prompts.AnswerNames() {
		versions[name] = set.Version(name)
	}
	return eval.Settings{
		Dataset: filepath.Base(file), DatasetHash: dataset.Hash(questions), Questions: len(questions),
		Collection: c.Name, Embedding: c.Embedding, Fingerprint: c.Embedding.Fingerprint(), Prompts: versions,
		TopK: r.TopK, Mode: r.Mode, MaxTokens: r.MaxTokens, Temperature: r.Temperature, Seed: r.Seed, Examples: r.Examples,
	}, nil
}

// connect gives a run its models, its retriever and what answers.
func (s *services) connect(ctx context.Context, c *eval.Config, models []string) (cards []model.Card, err error) {
	if len(models) == 0 {
		models = []string{""}
	}
	for _, id := range models {
		chat, err := s.chat(ctx, id)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(cards, func(o model.Card) bool { return o.ID == chat.Card().ID }) {
			return nil, usageError{corpus.Errorf(corpus.ErrInvalid, "the model %s is named twice", chat.Card().ID)}
		}
		c.Chats, cards = append(c.Chats, chat), append(cards, chat.Card())
	}
	if c.Retriever, err = s.retriever(ctx); err != nil {
		return nil, err
	}
	c.Answerer, err = s.answerer(ctx, eval.Arms()...)
	return cards, err
}

// cache is where chat models' answers are kept; the empty one keeps none.
func (s *services) cache(none bool) eval.Cache {
	if none {
		return ""
	}
	return eval.Cache(filepath.Join(s.config.Data, "cache", "chat"))
}

// runProgress shows items, failures, cost and the time left on a terminal. Elsewhere only failures are worth a line.
func (p *program) runProgress(doing string) (observe func(eval.Progress), done func()) {
	if p.json || !isTerminal(p.stderr) {
		told := 1 // that many failures are worth a line, and ten times as many the next
		return func(s eval.Progress) {
			if s.Failed >= told {
				p.notef("%s: %d of %d failed so far\n", doing, s.Failed, s.Total)
				told = 10 * s.Failed
			}
		}, func() {}
	}
	bar := progressbar.NewOptions(-1, progressbar.OptionSetWriter(p.stderr), progressbar.OptionSetDescription(doing),
		progressbar.OptionShowCount(), progressbar.OptionSetItsString("items"), progressbar.OptionShowIts(),
		progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	return func(s eval.Progress) {
		bar.ChangeMax(s.Total)
		text := fmt.Sprintf("$%.4f spent", s.SpentUSD)
		if s.LeftUSD != nil {
			text += fmt.Sprintf(", at most $%.4f to come", *s.LeftUSD)
		}
		if s.Failed > 0 {
			text += ", " + count(s.Failed, "failure")
		}
		bar.Describe(text)
		_ = bar.Set(s.Done)
	}, func() { _ = bar.Finish() }
}

// evalRunDone prints the scores of a run that is whole, and fails when some of its items have.
func (p *program) evalRunDone(state eval.Progress, folder string) error {
	report, err := loadReport(folder, eval.ReportConfig{})
	if err != nil {
		return err
	}
	if p.json {
		err = p.printJSON(report)
	} else {
		p.printRun(report)
		p.printf("%s in %s; see also: grounded eval report %s --out report.html\n", count(state.Done, "item"), folder, folder)
	}
	if err == nil && state.Failed > 0 {
		p.tellFailures(report)
		err = corpus.Hint(corpus.Errorf(corpus.ErrUnavailable, "%d of %s failed", state.Failed, count(state.Total, "item")),
			"their scores are missing, not 0; ask them again with --retry-errors")
	}
	return err
}

// tellFailures names why items failed, what is most frequent first.
func (p *program) tellFailures(r eval.Report) {
	times := map[string]int{}
	for _, c := range r.Columns {
		for _, q := range r.Questions() {
			if item, _, ok := c.Item(q.ID); ok && item.Answer == nil {
				times[item.Error]++
			}
		}
	}
	reasons := slices.SortedFunc(maps.Keys(times), func(a, b string) int { return cmp.Or(cmp.Compare(times[b], times[a]), cmp.Compare(a, b)) })
	for i, reason := range reasons {
		if i == 3 {
			p.notef("… and %d other reasons; see error in the run's items.jsonl\n", len(reasons)-i)
			break
		}
		p.notef("%d × %s\n", times[reason], reason)
	}
}

func loadReport(folder string, c eval.ReportConfig) (eval.Report, error) {
	run, err := eval.LoadStored(folder, folder)
	if err != nil {
		return eval.Report{}, err
	}
	return eval.ReportOn([]eval.Stored{run}, c)
}
