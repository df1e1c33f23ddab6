package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"grounded/corpus"
	"grounded/eval/dataset"
)

func (p *program) reviewDatasetCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "review FILE",
		Short: "Accept, edit or reject drafts one by one; each decision is kept, so that it can be stopped at any time",
		Long: `Shows each draft with its page. What is accepted is a question like any other; what is rejected moves to
FILE.rejected. Decisions are read from standard input, a line each: a(ccept), e(dit), r(eject), s(kip), q(uit).`,
		Example: examples("grounded eval dataset review drafts.jsonl"),
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if p.json {
				return usageError{corpus.Hint(corpus.Errorf(corpus.ErrUnsupported, "a review is a talk with a person, and has no JSON"), "leave --json out; the dataset itself is JSON Lines")}
			}
			questions, err := dataset.Load(args[0])
			if err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(s *services) error {
				resolver, err := dataset.NewResolver(cmd.Context(), s.store, s.scope())
				if err != nil {
					return err
				}
				r := &review{program: p, path: args[0], questions: questions, services: s, resolver: resolver, input: bufio.NewReader(p.stdin)}
				return r.all(cmd.Context())
			})
		},
	}
}

// review goes through the drafts of a dataset.
type review struct {
	*program
	services  *services
	resolver  *dataset.Resolver
	path      string
	questions []dataset.Question
	input     *bufio.Reader

	accepted, rejected int
}

// errQuit ends a review.
var errQuit = errors.New("quit")

func (r *review) all(ctx context.Context) error {
	total := dataset.Drafts(r.questions)
	if total == 0 {
		r.printf("there are no drafts in %s: nothing is left to review\n", r.path)
		return nil
	}
	var stopped error
	for at, n := 0, 0; at < len(r.questions); at++ {
		if !r.questions[at].Draft {
			continue
		}
		n++
		gone, err := r.one(ctx, at, fmt.Sprintf("%d of %d", n, total))
		if errors.Is(err, errQuit) || ctx.Err() != nil {
			stopped = ctx.Err()
			break
		}
		if err != nil {
			return err
		}
		if gone {
			at--
		}
	}
	left := dataset.Drafts(r.questions)
	r.printf("accepted %d, rejected %d, %s left\n", r.accepted, r.rejected, count(left, "draft"))
	return stopped
}

// one decides about one draft; gone: it is not in the list any more.
func (r *review) one(ctx context.Context, at int, number string) (gone bool, err error) {
	for {
		q := r.questions[at]
		problem, err := r.show(ctx, q, number)
		if err != nil {
			return false, err
		}
		choice, err := r.choose(ctx)
		if err != nil {
			return false, err
		}
		switch choice {
		case 'a':
			if problem != "" {
				r.printf("It can't be accepted: %s\n", problem)
				continue
			}
			r.questions[at].Draft = false
			r.accepted++
			return false, r.save()
		case 'e':
			if err := r.edit(ctx, at); err != nil {
				return false, err
			}
		case 'r':
			return true, r.reject(at)
		case 's':
			return false, nil
		case 'q':
			return false, errQuit
		}
	}
}

// choose asks until a decision is made, and returns its first letter.
func (r *review) choose(ctx context.Context) (byte, error) {
	for {
		choice, err := r.ask(ctx, "accept, edit, reject, skip, quit? ")
		if err != nil {
			return 0, err
		}
		choice = strings.ToLower(choice)
		for _, known := range []string{"accept", "edit", "reject", "skip", "quit"} {
			if choice == known || choice == known[:1] {
				return known[0], nil
			}
		}
		r.printf("Answer with a, e, r, s or q.\n")
	}
}

// aroundQuote is how much of the page is shown before and behind a quote, in bytes at most.
const aroundQuote = 300

// show prints a draft with its evidence; problem says why it can't be accepted as it is.
func (r *review) show(ctx context.Context, q dataset.Question, number string) (problem string, err error) {
	r.printf("\n[%s] %s\nQuestion: %s\nAnswer:   %s\n", number, q.ID, q.Question, strings.Join(q.Answers, " | "))
	for _, e := range q.Evidence {
		r.printf("Evidence: %s, page %d\nQuote:    %s\n", e.Document, e.Page, e.Quote)
		resolved, _ := r.resolver.Resolve([]dataset.Question{{Evidence: []dataset.Evidence{e}}})
		text, err := r.page(ctx, resolved[0].Evidence[0])
		if err != nil {
			return "", err
		}
		r.printf("Page:     %s\n", excerpt(text, e.Quote))
	}
	findings, err := dataset.Check(ctx, r.services.store, r.services.scope(), []dataset.Question{q})
	if err != nil {
		return "", err
	}
	for _, f := range findings {
		r.printf("!         %s\n", f.Text)
		if f.Kind != dataset.NoEvidence && f.Kind != dataset.NoAnswers {
			problem = f.Text
		}
	}
	return problem, nil
}

// page is the text that evidence points to; empty when it is not there, which Check says.
func (r *review) page(ctx context.Context, e dataset.Evidence) (string, error) {
	id, there := r.resolver.ID(e.Document)
	if !there {
		return "", nil
	}
	pages, err := r.services.store.Pages(ctx, r.services.scope(), id, max(1, e.Page), max(1, e.Page))
	if err != nil && !errors.Is(err, corpus.ErrNotFound) || len(pages) == 0 {
		return "", err
	}
	return pages[0].Text, nil
}

// excerpt is what stands around a quote in a text, on one line.
func excerpt(text, quote string) string {
	line, wanted := strings.Join(strings.Fields(text), " "), strings.Join(strings.Fields(quote), " ")
	at := strings.Index(line, wanted)
	if at < 0 {
		at, wanted = 0, ""
	}
	from, to := max(0, at-aroundQuote), min(len(line), at+len(wanted)+aroundQuote)
	short := strings.ToValidUTF8(line[from:to], "")
	if wanted != "" {
		short = strings.Replace(short, wanted, "»"+wanted+"«", 1)
	}
	if from > 0 {
		short = "… " + short
	}
	if to < len(line) {
		short += " …"
	}
	return short
}

// edit asks for what to change; an empty line leaves it.
func (r *review) edit(ctx context.Context, at int) error {
	q := r.questions[at]
	question, err := r.ask(ctx, "question (empty: as it is): ")
	if err != nil {
		return err
	}
	answers, err := r.ask(ctx, "answers, divided by | (empty: as they are): ")
	if err != nil {
		return err
	}
	quote := ""
	if len(q.Evidence) == 1 {
		if quote, err = r.ask(ctx, "quote (empty: as it is): "); err != nil {
			return err
		}
	}
	if question != "" {
		q.Question = question
	}
	if answers != "" {
		q.Answers = nil
		for part := range strings.SplitSeq(answers, "|") {
			if part = strings.TrimSpace(part); part != "" {
				q.Answers = append(q.Answers, part)
			}
		}
	}
	if quote != "" {
		q.Evidence = []dataset.Evidence{q.Evidence[0]}
		q.Evidence[0].Quote = quote
	}
	r.questions[at] = q
	return r.save()
}

// reject moves a draft to the rejected ones.
func (r *review) reject(at int) error {
	f, err := os.OpenFile(r.path+".rejected", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "keep rejected draft: %w", err)
	}
	if err := errors.Join(dataset.Write(f, r.questions[at:at+1]), f.Close()); err != nil {
		return corpus.Errorf(corpus.ErrFull, "keep rejected draft: %w", err)
	}
	r.questions = append(r.questions[:at:at], r.questions[at+1:]...)
	r.rejected++
	return r.save()
}

// save writes the whole dataset, so that a reader sees the old file or the new one.
func (r *review) save() error {
	path, err := filepath.EvalSymlinks(r.path)
	if err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "write dataset: %w", err)
	}
	had, err := os.Stat(path)
	if err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "write dataset: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".review-*")
	if err != nil {
		return corpus.Errorf(corpus.ErrInvalid, "write dataset: %w", err)
	}
	err = errors.Join(dataset.Write(f, r.questions), f.Chmod(had.Mode().Perm()), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(corpus.Errorf(corpus.ErrFull, "write dataset: %w", err), os.Remove(f.Name()))
	}
	return nil
}

// ask prints a question and reads a line; the end of the input quits, and so does the end of the context, though a
// terminal that waits for a line goes on waiting.
func (r *review) ask(ctx context.Context, prompt string) (string, error) {
	r.printf("%s", prompt)
	type reply struct {
		line string
		err  error
	}
	read := make(chan reply, 1)
	go func() {
		line, err := r.input.ReadString('\n')
		read <- reply{line, err}
	}()
	select {
	case <-ctx.Done():
		r.printf("\n")
		return "", ctx.Err()
	case got := <-read:
		if errors.Is(got.err, io.EOF) && got.line != "" {
			got.err = nil
		}
		if errors.Is(got.err, io.EOF) {
			r.printf("\n")
			return "", errQuit
		}
		if got.err != nil {
			return "", corpus.Errorf(corpus.ErrUnavailable, "read decision: %w", got.err)
		}
		return strings.TrimSpace(got.line), nil
	}
}
