package eval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"grounded/corpus"
	"grounded/eval/dataset"
	"grounded/eval/metric"
	"grounded/model"
	"grounded/prompts"
	"grounded/store"
)

// Shelf is what questions are drafted from; a store.Store is one.
type Shelf interface {
	dataset.Library
	DocumentChunks(ctx context.Context, scope corpus.Scope, id corpus.DocumentID, first, last int) ([]corpus.Chunk, error)
}

// DraftConfig says how questions are drafted.
type DraftConfig struct {
	Shelf   Shelf
	Scope   corpus.Scope
	Chat    model.Chat
	Prompts *prompts.Set
	Wanted  int                // questions
	Seed    int                // chooses the chunks
	Known   []dataset.Question // that are not asked again

	AtOnce  int      // calls at once; 0 is 1 for local models, else 4
	MaxCost *float64 // US dollars; nil is no limit
	Cache   Cache
	Observe func(Progress)
}

// Drafted is what came of it.
type Drafted struct {
	Questions  []dataset.Question `json:"-"`
	Kept       int                `json:"kept"`
	Asked      int                `json:"asked"`
	Failed     int                `json:"failed"`
	Unreadable int                `json:"unreadable"` // not in the form that was asked for
	NoQuote    int                `json:"no_quote"`   // the quote is not on the page
	Unclear    int                `json:"unclear"`    // it speaks of "the passage"
	Duplicate  int                `json:"duplicate"`
	SpentUSD   float64            `json:"spent_usd"`
}

const (
	draftTokens  = 300 // of what a model writes, at most
	mostAttempts = 5   // for each wanted question
	shortest     = 60  // characters of a chunk that a question is drafted from
	alike        = .9  // F1 of two questions that count as the same
)

// Draft asks a model for questions that chunks of the collection answer, in turn of each document, and keeps those whose
// quote stands on its page word for word. All are drafts. With an error, what was kept until then is returned too:
// corpus.ErrLimit at MaxCost, corpus.ErrNotFound when nothing could be kept.
func Draft(ctx context.Context, c DraftConfig) (Drafted, error) {
	d := &drafting{DraftConfig: c, budget: budget{limit: c.MaxCost}}
	if err := d.list(ctx); err != nil {
		return d.made, err
	}
	if err := d.afford(ctx); err != nil {
		return d.made, err
	}
	var err error
	for err == nil && len(d.made.Questions) < c.Wanted && d.made.Asked < c.Wanted*mostAttempts {
		var done bool
		if done, err = d.round(ctx); done {
			break
		}
	}
	d.made.Kept, d.made.SpentUSD = len(d.made.Questions), d.budget.total()
	if err == nil && d.made.Kept == 0 {
		err = errors.Join(corpus.Hint(corpus.Errorf(corpus.ErrNotFound, "draft questions: none of %d could be kept", d.made.Asked), "try a larger model"), d.failure)
	}
	return d.made, err
}

// drafting is the work that is going on.
type drafting struct {
	DraftConfig
	documents []*draftSource
	next      int      // document
	ready     *attempt // that was prepared, and not made
	budget    budget
	failure   error // the last of a call
	made      Drafted
}

// draftSource is a document with the chunks that were not used yet.
type draftSource struct {
	document corpus.Document
	chunks   []corpus.Chunk
	read     bool
}

// list puts documents in an order that the seed decides.
func (d *drafting) list(ctx context.Context) error {
	query := store.DocumentQuery{Scope: d.Scope, Limit: 1000}
	for {
		docs, next, err := d.Shelf.Documents(ctx, query)
		if err != nil {
			return err
		}
		for _, doc := range docs {
			d.documents = append(d.documents, &draftSource{document: doc})
		}
		if next == "" {
			break
		}
		query.Cursor = next
	}
	if len(d.documents) == 0 {
		return corpus.Hint(corpus.Errorf(corpus.ErrNotFound, "draft questions: the collection has no documents"), "grounded ingest them first")
	}
	slices.SortFunc(d.documents, func(a, b *draftSource) int {
		return cmp.Compare(d.lot(string(a.document.ID)), d.lot(string(b.document.ID)))
	})
	return nil
}

// lot is what the seed makes of an id.
func (d *drafting) lot(id string) string { return hashOf(d.Seed, id) }

// afford holds the cost of the questions that are wanted against the limit, as if each chunk were as long as the first.
func (d *drafting) afford(ctx context.Context) error {
	if d.MaxCost == nil {
		return nil
	}
	first, err := d.take(ctx)
	if err != nil || first == nil {
		return err
	}
	d.ready = first
	if first.cost == nil {
		return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "draft questions: the cost can't be limited, since the price of %s is not known", d.Chat.Card().ID),
			"give the model a price in your catalog, or leave --max-cost out")
	}
	return d.budget.allows(*first.cost * float64(d.Wanted))
}

// attempt is one call that is to be made.
type attempt struct {
	document corpus.Document
	chunk    corpus.Chunk
	request  model.Request
	cost     *float64
	text     string
	err      error
}

// take prepares the next chunk of the next document; nil when there is none left.
func (d *drafting) take(ctx context.Context) (*attempt, error) {
	if a := d.ready; a != nil {
		d.ready = nil
		return a, nil
	}
	for range d.documents {
		source := d.documents[d.next]
		d.next = (d.next + 1) % len(d.documents)
		if !source.read {
			chunks, err := d.Shelf.DocumentChunks(ctx, d.Scope, source.document.ID, 0, -1)
			if err != nil {
				return nil, err
			}
			source.read = true
			for _, c := range chunks {
				if utf8.RuneCountInString(strings.TrimSpace(c.Text)) >= shortest {
					source.chunks = append(source.chunks, c)
				}
			}
			slices.SortFunc(source.chunks, func(a, b corpus.Chunk) int { return cmp.Compare(d.lot(string(a.ID)), d.lot(string(b.ID))) })
		}
		if len(source.chunks) == 0 {
			continue
		}
		chunk := source.chunks[0]
		source.chunks = source.chunks[1:]
		return d.prepare(ctx, source.document, chunk)
	}
	return nil, nil
}

func (d *drafting) prepare(ctx context.Context, doc corpus.Document, chunk corpus.Chunk) (*attempt, error) {
	messages, err := d.Prompts.Render(prompts.Draft, prompts.Data{Language: cmp.Or(chunk.Language, doc.Language), Passages: []corpus.Passage{{
		Document: doc.Path, Title: corpus.Text(doc.Title), PageStart: chunk.PageStart, PageEnd: chunk.PageEnd,
		Heading: corpus.Text(chunk.HeadingPath()), Text: chunk.Text, Chunk: chunk,
	}}})
	if err != nil {
		return nil, err
	}
	a := &attempt{document: doc, chunk: chunk, request: model.Request{MaxTokens: draftTokens, Seed: &d.Seed}}
	tokens := 0
	for _, m := range messages {
		n, err := d.Chat.CountTokens(ctx, m.Content)
		if err != nil {
			return nil, err
		}
		tokens += n + 8 // of the message's frame
		a.request.Messages = append(a.request.Messages, model.Message(m))
	}
	a.cost = d.Chat.Card().Cost(tokens, draftTokens)
	return a, nil
}

// round makes some calls at once and looks at what came back, in order. done: no chunk is left.
func (d *drafting) round(ctx context.Context) (done bool, err error) {
	var batch []*attempt
	size := min(atOnce(d.AtOnce, d.Chat.Card()), d.Wanted-len(d.made.Questions))
	for len(batch) < size && err == nil {
		var a *attempt
		if a, err = d.take(ctx); a == nil || err != nil {
			break
		}
		if err = d.budget.reserve(a.cost); err == nil {
			batch = append(batch, a)
		}
	}
	var group errgroup.Group
	for _, a := range batch {
		group.Go(func() error { return d.ask(ctx, a) })
	}
	err = errors.Join(group.Wait(), err)
	for _, a := range batch {
		if ctx.Err() != nil {
			return true, ctx.Err()
		}
		d.made.Asked++
		if a.err != nil {
			d.made.Failed++
			d.failure = a.err
			continue
		}
		if lookErr := d.look(ctx, a); lookErr != nil {
			return true, lookErr
		}
	}
	if d.Observe != nil {
		d.Observe(Progress{Done: len(d.made.Questions), Total: d.Wanted, Failed: d.made.Failed, SpentUSD: d.budget.total()})
	}
	return len(batch) == 0, err
}

// ask makes a call. A failed one is noted in the attempt; the error ends the work.
func (d *drafting) ask(ctx context.Context, a *attempt) error {
	recorded := &recorder{Chat: d.Chat, cache: d.Cache}
	response, err := recorded.Complete(ctx, a.request, nil)
	a.text, a.err = response.Text, err
	d.budget.settle(a.cost, spent(recorded.calls, costOf(d.Chat.Card(), response), a.cost, err))
	if errors.Is(err, corpus.ErrForbidden) {
		return err
	}
	return recorded.notKept
}

var (
	draftForm   = regexp.MustCompile(`(?is)(?:question|问题)\W*[:：][*\s]*(.+?)\n[\W\d]*(?:answer|答案|回答)\W*[:：][*\s]*(.+?)\n[\W\d]*(?:quote|引文|引用)\W*[:：][*\s]*(.+)$`)
	aboutItself = regexp.MustCompile(`(?i)\b(?:the|this|given|above) (?:passage|text|excerpt|paragraph|document|context)\b|文中|本文|上文|上述|该段|这段`)
)

const quotationMarks = "\"'`“”‘’„«»「」『』*"

// thought is what a model that thinks aloud writes before its reply.
var thought = regexp.MustCompile(`(?s)^.*</think>`)

// look keeps a question that stands up to what can be checked without a person.
func (d *drafting) look(ctx context.Context, a *attempt) error {
	m := draftForm.FindStringSubmatch(strings.TrimSpace(thought.ReplaceAllString(a.text, "")))
	if m == nil {
		d.made.Unreadable++
		return nil
	}
	question, short := strings.TrimSpace(m[1]), strings.TrimSpace(m[2])
	quote, page, err := d.quoted(ctx, a, m[3])
	switch {
	case err != nil:
		return err
	case page == 0:
		d.made.NoQuote++
	case aboutItself.MatchString(question):
		d.made.Unclear++
	case d.known(question):
		d.made.Duplicate++
	default:
		d.made.Questions = append(d.made.Questions, dataset.Question{
			ID: "draft-" + hashOf(a.document.Path, question), Question: question, Answers: []string{short}, Answerable: true, Draft: true,
			Evidence: []dataset.Evidence{{Document: a.document.Path, Page: page, Quote: quote}},
		})
	}
	return nil
}

// quoted finds the quote at the beginning of a text, and its page: what is between quotation marks, or else all of it, or
// up to a blank line, or one line, since some models say more behind it. The page is 0 when none is on a page.
func (d *drafting) quoted(ctx context.Context, a *attempt, text string) (quote string, page int, err error) {
	text = strings.TrimSpace(text)
	first, _, _ := strings.Cut(text, "\n")
	candidates := []string{text, blankLine.Split(text, 2)[0], first}
	if m := marked.FindStringSubmatch(text); m != nil {
		candidates = m[1:]
	}
	for _, c := range candidates {
		quote = strings.Trim(strings.TrimSpace(c), quotationMarks)
		if page, err = d.pageOf(ctx, a, quote); page > 0 || err != nil {
			break
		}
	}
	return quote, page, err
}

var (
	blankLine = regexp.MustCompile(`\n\s*\n`)
	// marked is a text in quotation marks that end where a line ends.
	marked = regexp.MustCompile(`(?s)^["“„«「『](.+?)["”“»」』][.。]?\s*(?:\n|$)`)
)

// shortestQuote is how many characters a quote must have to show anything.
const shortestQuote = 6

// pageOf is the page of the chunk that has the quote; 0 if none has.
func (d *drafting) pageOf(ctx context.Context, a *attempt, quote string) (int, error) {
	if utf8.RuneCountInString(quote) < shortestQuote || !dataset.Holds(a.chunk.Text, quote) {
		return 0, nil
	}
	pages, err := d.Shelf.Pages(ctx, d.Scope, a.document.ID, a.chunk.PageStart, max(a.chunk.PageStart, a.chunk.PageEnd))
	if err != nil {
		return 0, fmt.Errorf("read pages of %s: %w", a.document.Path, err)
	}
	for _, p := range pages {
		if dataset.Holds(p.Text, quote) {
			return p.Number, nil
		}
	}
	return 0, nil
}

func (d *drafting) known(question string) bool {
	return slices.ContainsFunc(slices.Concat(d.Known, d.made.Questions), func(q dataset.Question) bool {
		return metric.NewAnswers("", []string{q.Question}).F1(question) >= alike
	})
}
