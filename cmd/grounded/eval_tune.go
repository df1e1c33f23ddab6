package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"grounded/config"
	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/ingest"
	"grounded/ingest/source"
	"grounded/model"
	"grounded/retrieve"
	"grounded/store"
)

// tuneFlags are those of eval tune.
type tuneFlags struct {
	file, out   string
	modes       []string
	weights     []float64
	topK        []int
	chunkTokens []int
}

func (p *program) evalTuneCommand() *cobra.Command {
	var f tuneFlags
	command := &cobra.Command{
		Use:   "tune --dataset FILE",
		Short: "Search for better retrieval settings on half of the documents, and test them on the other half",
		Long: `Tries each mode, fusion and weight, chooses by nDCG@10 on the questions about half of the documents, and reports on
those about the others, which nothing was chosen by. With --out the configuration is written with the better settings;
without better ones nothing is. --chunk-tokens ingests the collection's folders again into stores of their own, below
tune in the data folder.`,
		Example: examples("grounded eval tune --dataset questions.jsonl", "grounded eval tune --dataset questions.jsonl --chunk-tokens 150,300 --out tuned.yaml"),
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return usageError{err}
			}
			questions, err := loadDataset(f.file)
			if err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(s *services) error { return p.tune(cmd.Context(), s, f, questions) })
		},
	}
	flags := command.Flags()
	flags.StringVar(&f.file, "dataset", "", "JSONL `file` of questions with evidence")
	flags.StringVar(&f.out, "out", "", "`file` to write the configuration to if better settings are found; it must not be there yet")
	flags.StringSliceVar(&f.modes, "modes", eval.DefaultModes(), "`modes` to try")
	flags.Float64SliceVar(&f.weights, "weights", eval.DefaultWeights(), "`weights` of the dense score to try in hybrid mode")
	flags.IntSliceVar(&f.topK, "top-k", eval.DefaultTopKs(), "`numbers` of passages to try")
	flags.IntSliceVar(&f.chunkTokens, "chunk-tokens", nil, "`lengths` of chunks to try (default: the collection's own only)")
	return command
}

func (f tuneFlags) check() error {
	for _, m := range f.modes {
		if m != retrieve.ModeHybrid && m != retrieve.ModeDense && m != retrieve.ModeLexical {
			return corpus.Errorf(corpus.ErrInvalid, "--modes has %q; they are hybrid, dense and lexical", m)
		}
	}
	for _, w := range f.weights {
		if w <= 0 || w > 1 {
			return corpus.Errorf(corpus.ErrInvalid, "--weights has %v; they are above 0 and up to 1", w)
		}
	}
	for _, k := range f.topK {
		if k < 1 || k > 1000 {
			return corpus.Errorf(corpus.ErrInvalid, "--top-k has %d; it is from 1 to 1000", k)
		}
	}
	for _, n := range f.chunkTokens {
		if n < 20 || n > 100_000 {
			return corpus.Errorf(corpus.ErrInvalid, "--chunk-tokens has %d; it is from 20 to 100000", n)
		}
	}
	return nil
}

func (p *program) tune(ctx context.Context, s *services, f tuneFlags, questions []dataset.Question) (err error) {
	if questions, err = p.resolve(ctx, s, questions); err != nil {
		return err
	}
	if f.out != "" {
		if err := p.besideConfig(f.out); err != nil {
			return err
		}
		if _, err := os.Stat(f.out); err == nil {
			return corpus.Hint(corpus.Errorf(corpus.ErrConflict, "%s is there already", f.out), "remove it, or name another file")
		}
	}
	t := &tuner{program: p, services: s, stores: map[int]*services{0: s}}
	if t.embedder, err = newEmbedOnce(ctx, s); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	c := s.tuneConfig(eval.Space{Modes: f.modes, Weights: f.weights, ChunkTokens: f.chunkTokens}, f.topK)
	c.Open, c.Request.Scope = t.open, s.scope()
	observe, done := p.watchVerify()
	c.Observe = func(n, of int) {
		if observe != nil {
			observe(n, of)
		}
	}
	tuned, err := eval.Tune(ctx, c, questions)
	done()
	if err != nil {
		return err
	}
	if p.json {
		if err := p.printJSON(tuned); err != nil {
			return err
		}
	} else {
		p.printTuned(tuned, cmp.Or(c.TopK, 10))
	}
	if f.out == "" || !tuned.Better && !tuned.Deeper {
		return nil
	}
	return p.writeTuned(tuned, f.out)
}

// tuneConfig is what a search for better settings than the configured ones tries.
func (s *services) tuneConfig(space eval.Space, topKs []int) eval.TuneConfig {
	weighed := "blend"
	if s.config.Store == config.StoreQdrant {
		weighed = "rrf" // its blend has no weights
	}
	own := s.config.Retrieve
	return eval.TuneConfig{
		Current: eval.Setting{Mode: cmp.Or(own.Mode, retrieve.ModeHybrid), Fusion: own.Fusion, DenseWeight: own.DenseWeight},
		Others:  space.Settings(weighed), TopK: own.TopK, TopKs: topKs,
	}
}

// tuner opens what searches by a setting.
type tuner struct {
	*program
	services *services
	embedder model.Embedder    // of the questions
	stores   map[int]*services // by length of chunks; 0 is the collection as it is
}

// embedOnce embeds each question once, whatever number of settings it is searched by.
type embedOnce struct {
	model.Embedder
	mu      sync.Mutex
	vectors map[string][]float32
}

func newEmbedOnce(ctx context.Context, s *services) (*embedOnce, error) {
	embedder, err := s.questionEmbedder(ctx)
	return &embedOnce{Embedder: embedder, vectors: map[string][]float32{}}, err
}

// Embed embeds questions, those that are known without asking. Tokens are not told.
func (e *embedOnce) Embed(ctx context.Context, kind model.Kind, texts []string) (model.Embeddings, error) {
	if kind != model.Query {
		return e.Embedder.Embed(ctx, kind, texts)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var unknown []string
	for _, text := range texts {
		if _, known := e.vectors[text]; !known {
			unknown = append(unknown, text)
		}
	}
	if len(unknown) > 0 {
		made, err := e.Embedder.Embed(ctx, kind, unknown)
		if err != nil {
			return made, err
		}
		for i, text := range unknown {
			e.vectors[text] = made.Vectors[i]
		}
	}
	var all model.Embeddings
	for _, text := range texts {
		all.Vectors = append(all.Vectors, slices.Clone(e.vectors[text]))
	}
	return all, nil
}

func (t *tuner) open(ctx context.Context, setting eval.Setting) (eval.BatchRetriever, error) {
	s, err := t.chunked(ctx, setting.ChunkTokens)
	if err != nil {
		return nil, err
	}
	return s.retrieverOf(ctx, t.embedder, setting)
}

// retrieverOf connects what searches the store by a setting.
func (s *services) retrieverOf(ctx context.Context, embedder model.Embedder, setting eval.Setting) (eval.BatchRetriever, error) {
	return s.retrieverBy(ctx, s.store, embedder, store.Fusion{Method: setting.Fusion, DenseWeight: setting.DenseWeight})
}

// chunked is the collection with chunks of that length, ingested into a store of its own. It fails when not all of its
// documents can be read again, since what lacks some can't be compared.
func (t *tuner) chunked(ctx context.Context, tokens int) (*services, error) {
	if s, there := t.stores[tokens]; there {
		return s, nil
	}
	s := *t.services
	s.config.Store = config.StoreSQLite
	s.config.Data = filepath.Join(t.services.config.Data, "tune", fmt.Sprint(s.config.Collection, "-", tokens))
	s.config.Ingest.ChunkTokens = tokens
	if err := os.MkdirAll(s.config.Data, 0o700); err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "make folder: %w", err)
	}
	var err error
	if s.store, err = openStore(ctx, "", mayCreate, s.config); err != nil {
		return nil, err
	}
	t.stores[tokens] = &s
	sources, err := t.services.store.Sources(ctx, s.config.Collection)
	if err != nil {
		return nil, err
	}
	ingester, closeParser, err := s.ingester(ctx, t.embedder, &opener{program: t.program, config: s.config.Ingest}, s.passwords())
	if err != nil {
		return nil, err
	}
	defer closeParser()
	globs, err := chosenGlobs(s.config.Ingest, source.Globs{})
	if err != nil {
		return nil, err
	}
	t.notef("ingesting with chunks of %d tokens into %s\n", tokens, s.config.Data)
	for _, known := range sources {
		paths := known.Paths
		if len(paths) == 0 {
			paths = []string{known.Root}
		}
		for i, path := range paths {
			if !filepath.IsAbs(path) && filepath.IsAbs(known.Root) {
				paths[i] = filepath.Join(known.Root, path)
			}
		}
		if _, err := ingester.Run(ctx, ingest.Request{Collection: s.config.Collection, Paths: paths, Source: known.Name, Prune: true, Globs: globs}, nil); err != nil {
			return nil, fmt.Errorf("ingest source %s again: %w", known.Name, err)
		}
	}
	return &s, t.complete(ctx, &s)
}

// complete checks that a store has as many documents as the collection.
func (t *tuner) complete(ctx context.Context, s *services) error {
	all, err := t.services.store.Collection(ctx, s.config.Collection)
	if err != nil {
		return err
	}
	made, err := s.store.Collection(ctx, s.config.Collection)
	if err != nil && !errors.Is(err, corpus.ErrNotFound) {
		return err
	}
	if made.Documents != all.Documents {
		return corpus.Hint(corpus.Errorf(corpus.ErrConflict, "%d of %d documents could be read again from their sources", made.Documents, all.Documents),
			"bring the collection up to date with grounded ingest --prune, or tune without --chunk-tokens")
	}
	return nil
}

func (t *tuner) close() (err error) {
	for tokens, s := range t.stores {
		if tokens != 0 {
			err = errors.Join(err, s.store.Close())
		}
	}
	return err
}

const shownTrials = 8

func (p *program) printTuned(t eval.Tuned, topK int) {
	p.printf("chosen by %s, tested on %s about other documents, by %s\n\n", count(t.Chosen, "question"), count(t.Tested, "question"), t.Level)
	table := newTable("setting", "nDCG@10 that it was chosen by")
	for _, trial := range t.Trials[:min(shownTrials, len(t.Trials))] {
		table.add(trial.String(), scoreText(&trial.NDCG))
	}
	table.write(p.stdout, p.width())
	p.printf("\non the other questions:\n")
	table = newTable("", "now", "best", "difference", "95% interval", "verdict")
	table.add("nDCG@10 of "+t.Best.String(), scoreText(t.Before.Mean), scoreText(t.After.Mean), signedText(t.Gain.Difference), interval(t.Gain.Interval), string(t.Gain.Verdict))
	table.write(p.stdout, p.width())
	table = newTable("passages", "share of the evidence among them", "95% interval")
	for _, d := range t.TopKTries {
		table.add(fmt.Sprint(d.TopK), scoreText(d.Mean.Mean), interval(d.Interval))
	}
	table.write(p.stdout, p.width())
	switch {
	case !t.Better && !t.Deeper:
		p.printf("\nnothing is better than the settings that are there\n")
	case t.Better:
		p.printf("\nbetter: %s\n", t.Best)
	}
	if t.Deeper {
		p.printf("\nbetter: top_k %d instead of %d\n", t.BestTopK, topK)
	}
}

// besideConfig refuses a file for a configuration that is not in the folder of the present one.
func (p *program) besideConfig(out string) error {
	path := p.configPath()
	if path == "" {
		return nil
	}
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "find the configuration: %w", err)
	}
	wanted, err := filepath.Abs(filepath.Dir(out))
	if err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "find the folder of %s: %w", out, err)
	}
	if folder != wanted {
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "the configuration can't be written to %s: its paths are relative to %s", out, filepath.Dir(path)), "name a file in that folder")
	}
	return nil
}

// writeTuned writes the configuration with the better settings.
func (p *program) writeTuned(t eval.Tuned, out string) error {
	path, text := p.configPath(), ""
	if path != "" {
		had, err := os.ReadFile(path)
		if err != nil {
			return corpus.Errorf(corpus.ErrInvalid, "read configuration: %w", err)
		}
		text = string(had)
	}
	if t.Better && t.Best.ChunkTokens > 0 {
		p.notef("ingest again with the new configuration: chunks get another length\n")
	}
	text, err := config.Set(text, tunedValues(t))
	if err != nil {
		return err
	}
	if _, err := config.Parse([]byte(text), p.env); err != nil {
		return fmt.Errorf("check the configuration that is written: %w", err)
	}
	if err := writeNew(out, func(f *os.File) error { _, err := f.WriteString(text); return err }); err != nil {
		return err
	}
	p.notef("configuration in %s\n", out)
	return nil
}

// tunedValues are the better settings as the configuration has them; none when nothing is better.
func tunedValues(t eval.Tuned) (values []config.Value) {
	if t.Better {
		values = append(values, config.Value{Section: "retrieve", Key: "mode", Value: t.Best.Mode}, config.Value{Section: "retrieve", Key: "fusion", Value: t.Best.Fusion},
			config.Value{Section: "retrieve", Key: "dense_weight", Value: t.Best.DenseWeight})
		if t.Best.ChunkTokens > 0 {
			values = append(values, config.Value{Section: "ingest", Key: "chunk_tokens", Value: t.Best.ChunkTokens})
		}
	}
	if t.Deeper {
		values = append(values, config.Value{Section: "retrieve", Key: "top_k", Value: t.BestTopK})
	}
	return values
}
