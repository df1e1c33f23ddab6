package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"grounded/corpus"
	"grounded/retrieve"
	"grounded/wire"
)

// search are the flags of every command that looks for passages.
type search struct {
	topK    int
	mode    string
	filters []string
}

func (f *search) flags(c *cobra.Command) {
	c.Flags().IntVar(&f.topK, "top-k", 0, "`number` of passages, 1 to 1000 (default 10)")
	c.Flags().StringVar(&f.mode, "mode", "", "hybrid, dense (by meaning) or lexical (by words) (default hybrid)")
	filterFlag(c, &f.filters)
}

// question puts the flags to a question.
func (f search) question(cmd *cobra.Command, text string) (wire.Question, error) {
	q := wire.Question{Question: text}
	var err error
	if q.Filter, err = parseFilter(f.filters); err != nil {
		return q, err
	}
	if cmd.Flags().Changed("top-k") {
		if f.topK < 1 || f.topK > 1000 {
			return q, usageError{corpus.Errorf(corpus.ErrInvalid, "--top-k is %d; it must be from 1 to 1000", f.topK)}
		}
		q.TopK = &f.topK
	}
	switch f.mode {
	case "", retrieve.ModeHybrid, retrieve.ModeDense, retrieve.ModeLexical:
	default:
		return q, usageError{corpus.Errorf(corpus.ErrInvalid, "--mode is %q; it must be hybrid, dense or lexical", f.mode)}
	}
	q.Mode = f.mode
	return q, nil
}

func (p *program) retrieveCommand() *cobra.Command {
	var flags search
	var file string
	command := &cobra.Command{
		Use:   "retrieve QUESTION | --questions FILE",
		Short: "Find the passages that a question is about, without asking a chat model",
		Example: examples(`grounded retrieve "How many days of leave do I have?"`,
			`grounded retrieve --mode lexical --top-k 5 "form HR-17"`,
			`grounded retrieve --filter department=HR --filter "date>=2025-01-01" "parental leave"`,
			`grounded retrieve --questions questions.jsonl > passages.jsonl   # - reads standard input`),
		Args: func(cmd *cobra.Command, args []string) error {
			if file != "" {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.ExactArgs(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			q, err := flags.question(cmd, "")
			if err != nil {
				return err
			}
			return p.withEngine(cmd.Context(), mustExist, "", func(e engine, collection string) error {
				q.Collection = collection
				if file != "" {
					return p.retrieveBatch(cmd.Context(), e, q, file)
				}
				q.Question = args[0]
				return p.retrieveOne(cmd.Context(), e, q)
			})
		},
	}
	remote(command)
	flags.flags(command)
	command.Flags().StringVar(&file, "questions", "", "JSONL `file` with {\"id\", \"question\"} a line; answers {\"id\", \"passages\"} a line")
	return command
}

func (p *program) retrieveOne(ctx context.Context, e engine, q wire.Question) error {
	found, err := e.retrieve(ctx, []wire.Question{q})
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(found[0])
	}
	if len(found[0].Passages) == 0 {
		p.printf("no passage was found\n")
		return nil
	}
	for _, passage := range found[0].Passages {
		p.printPassage(passage)
	}
	return nil
}

// printPassage shows where a passage is from and its text.
func (p *program) printPassage(passage corpus.Passage) {
	p.printf("[%d] %s   %s\n", passage.Rank, place(passage), scores(passage))
	for _, line := range wrap(passage.Text, max(40, min(p.width(), 110)-4)) {
		p.printf("    %s\n", line)
	}
	p.printf("\n")
}

// place says where a passage is from: its document, page and heading.
func place(passage corpus.Passage) string {
	text := fmt.Sprintf("%s, page %d", passage.Document, passage.PageStart)
	if passage.PageEnd > passage.PageStart {
		text = fmt.Sprintf("%s, pages %d–%d", passage.Document, passage.PageStart, passage.PageEnd)
	}
	if passage.Heading != "" {
		text += ", " + string(passage.Heading)
	}
	return text
}

func scores(passage corpus.Passage) string {
	text := fmt.Sprintf("score %.3f", passage.Score)
	if v := passage.Scores.Dense; v != nil {
		text += fmt.Sprintf(", dense %.3f", *v)
	}
	if v := passage.Scores.Lexical; v != nil {
		text += fmt.Sprintf(", lexical %.2f", *v)
	}
	if v := passage.Scores.Rerank; v != nil {
		text += fmt.Sprintf(", rerank %.3f", *v)
	}
	return text
}

// asked is a line of a file of questions. Lines of an evaluation dataset fit; what else they hold is not read.
type asked struct {
	ID       any    `json:"id"`
	Question string `json:"question"`
}

// readQuestions reads a JSONL file of questions; "-" is standard input. A question without id gets its line's
// number.
func (p *program) readQuestions(path string) ([]asked, error) {
	var in io.Reader = p.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, corpus.Errorf(corpus.ErrInvalid, "read questions: %w", err)
		}
		defer f.Close()
		in = f
	}
	var questions []asked
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" {
			continue
		}
		var q asked
		if err := json.Unmarshal([]byte(line), &q); err != nil {
			return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "read questions %s, line %d: %w", path, n, err),
				`a line is a JSON object: {"id": "q1", "question": "…"}`)
		}
		if strings.TrimSpace(q.Question) == "" {
			return nil, corpus.Errorf(corpus.ErrInvalid, "read questions %s, line %d: there is no question", path, n)
		}
		if q.ID == nil {
			q.ID = fmt.Sprint(n)
		}
		questions = append(questions, q)
	}
	if err := lines.Err(); err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "read questions %s: %w", path, err)
	}
	if len(questions) == 0 {
		return nil, corpus.Errorf(corpus.ErrInvalid, "read questions %s: there are none", path)
	}
	return questions, nil
}

// batchSize is how many questions are searched at once.
const batchSize = 32

// retrieveBatch answers a line of JSON for each question, in order.
func (p *program) retrieveBatch(ctx context.Context, e engine, q wire.Question, file string) error {
	questions, err := p.readQuestions(file)
	if err != nil {
		return err
	}
	for len(questions) > 0 {
		batch := questions[:min(batchSize, len(questions))]
		questions = questions[len(batch):]
		asked := make([]wire.Question, len(batch))
		for i, b := range batch {
			asked[i] = q
			asked[i].Question = b.Question
		}
		results, err := e.retrieve(ctx, asked)
		if err != nil {
			return err
		}
		for i, result := range results {
			line := struct {
				ID       any              `json:"id"`
				Passages []corpus.Passage `json:"passages"`
			}{batch[i].ID, result.Passages}
			if err := p.printJSON(line); err != nil {
				return err
			}
		}
	}
	return nil
}
