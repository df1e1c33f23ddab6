package eval_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/dataset"
	"grounded/model"
	"grounded/prompts"
	"grounded/store"
)

// papers is a collection of documents with five chunks each, a page a chunk.
type papers []string

func paragraph(path string, page int) string {
	return fmt.Sprintf("Paragraph %d of %s says that rule %d%s holds for everybody who works here.", page, path, page, path)
}

func (p papers) Documents(context.Context, store.DocumentQuery) (docs []corpus.Document, next string, err error) {
	for _, path := range p {
		docs = append(docs, corpus.Document{ID: corpus.DocumentID(path), Path: path, Language: "en"})
	}
	return docs, "", nil
}

func (papers) Pages(_ context.Context, _ corpus.Scope, id corpus.DocumentID, first, last int) (pages []corpus.Page, err error) {
	for n := first; n <= last; n++ {
		pages = append(pages, corpus.Page{Number: n, Text: paragraph(string(id), n)})
	}
	return pages, nil
}

func (papers) DocumentChunks(_ context.Context, _ corpus.Scope, id corpus.DocumentID, _, _ int) (chunks []corpus.Chunk, err error) {
	for n := 1; n <= 5; n++ {
		chunks = append(chunks, corpus.Chunk{ID: corpus.ChunkID(fmt.Sprint(id, n)), DocumentID: id, PageStart: n, PageEnd: n, Text: paragraph(string(id), n)})
	}
	return chunks, nil
}

// drafted is what a careful model makes of a passage in a prompt.
func drafted(prompt string) (string, error) {
	lines := strings.Split(prompt, "\n")
	text := lines[len(lines)-2]
	rule := strings.Fields(text[strings.Index(text, "rule "):])[1]
	return fmt.Sprintf("**Question:** For whom does %s hold?\n**Answer:** everybody\n**Quote:** “rule %s\nholds for everybody”\n", rule, rule), nil
}

func draft(t *testing.T, j judge, change func(*eval.DraftConfig)) (eval.Drafted, error) {
	t.Helper()
	set, err := prompts.Load("")
	if err != nil {
		t.Fatal(err)
	}
	c := eval.DraftConfig{Shelf: papers{"a", "b", "c"}, Chat: j, Prompts: set, Wanted: 6, Seed: 1, AtOnce: 2}
	if change != nil {
		change(&c)
	}
	return eval.Draft(t.Context(), c)
}

func TestDraftsAreSpreadOverDocumentsAndQuoteTheirPage(t *testing.T) {
	made, err := draft(t, newJudge("m", drafted), nil)
	if err != nil || made.Kept != 6 || made.Asked != 6 {
		t.Fatalf("%+v, %v", made, err)
	}
	per := map[string]int{}
	for _, q := range made.Questions {
		e := q.Evidence[0]
		per[e.Document]++
		if !q.Draft || !dataset.Holds(paragraph(e.Document, e.Page), e.Quote) || !slices.Equal(q.Answers, []string{"everybody"}) {
			t.Errorf("question is %+v", q)
		}
	}
	if per["a"] != 2 || per["b"] != 2 || per["c"] != 2 {
		t.Errorf("documents have %v questions", per)
	}
	again, _ := draft(t, newJudge("m", drafted), nil)
	other, _ := draft(t, newJudge("m", drafted), func(c *eval.DraftConfig) { c.Seed = 2 })
	if dataset.Hash(again.Questions) != dataset.Hash(made.Questions) || dataset.Hash(other.Questions) == dataset.Hash(made.Questions) {
		t.Error("the seed does not decide what is asked")
	}
	rest, err := draft(t, newJudge("m", drafted), func(c *eval.DraftConfig) { c.Known, c.Wanted = made.Questions, 100 })
	if err != nil || rest.Kept != 9 || rest.Duplicate != 6 || rest.Asked != 15 {
		t.Errorf("of what is left: %+v, %v", rest, err)
	}
}

func TestWhatADraftLacksIsCounted(t *testing.T) {
	n := 0
	made, err := draft(t, newJudge("m", func(prompt string) (string, error) {
		text, _ := drafted(prompt)
		switch n++; n {
		case 1:
			return "Here is a question for you.", nil
		case 2:
			return strings.Replace(text, "holds for", "is good for", 1), nil
		case 3:
			return strings.Replace(text, "For whom", "In this passage, for whom", 1), nil
		case 4:
			return "", corpus.Errorf(corpus.ErrUnavailable, "busy")
		case 5:
			return "问题：谁？\n答案：所有人\n引文：" + text[strings.Index(text, "“"):], nil
		}
		return text, nil
	}), func(c *eval.DraftConfig) { c.AtOnce = 1 })
	if err != nil || made.Kept != 6 || made.Asked != 10 || made.Unreadable != 1 || made.NoQuote != 1 || made.Unclear != 1 || made.Failed != 1 {
		t.Errorf("%+v, %v", made, err)
	}
}

func TestADraftIsFoundAmongWhatElseAModelSays(t *testing.T) {
	for name, around := range map[string]func(draft string) string{
		"words around it": func(draft string) string { return "Sure! Here it is.\n\n" + draft + "\nLet me know if you need more!" },
		"thinking": func(draft string) string {
			return "<think>\nQuestion: Which?\nAnswer: hm\nQuote: none\n</think>\n\n" + draft
		},
		"thinking that the server began": func(draft string) string { return "Question: Which?\nAnswer: hm\nQuote: none\n</think>\n" + draft },
		"two of them": func(draft string) string {
			return strings.Replace(draft, "\nholds", " holds", 1) + "Question: And?\nAnswer: x\nQuote: none"
		},
	} {
		made, err := draft(t, newJudge("m", func(prompt string) (string, error) {
			text, err := drafted(prompt)
			return around(text), err
		}), nil)
		if err != nil || made.Kept != 6 || made.Asked != 6 || !strings.HasSuffix(made.Questions[0].Evidence[0].Quote, "holds for everybody") {
			t.Errorf("%s: %+v, %v", name, made, err)
		}
	}
}

func TestDraftingIsLimitedInCost(t *testing.T) {
	low := .0001
	if made, err := draft(t, newJudge("m", drafted), func(c *eval.DraftConfig) { c.MaxCost = &low }); !errors.Is(err, corpus.ErrLimit) || made.Asked != 0 {
		t.Errorf("%+v, %v", made, err)
	}
	// Nothing can be kept of most replies, so that more are asked for than was estimated.
	n, enough := 0, .004
	made, err := draft(t, newJudge("m", func(prompt string) (string, error) {
		if n++; n > 1 {
			return strings.Repeat("no ", 100), nil
		}
		return drafted(prompt)
	}), func(c *eval.DraftConfig) { c.MaxCost, c.AtOnce = &enough, 1; c.Chat = dear{c.Chat.(judge)} })
	if !errors.Is(err, corpus.ErrLimit) || made.Kept != 1 || made.SpentUSD > enough {
		t.Errorf("%+v, %v", made, err)
	}
	if _, err := draft(t, newJudge("m", func(string) (string, error) { return "", corpus.Errorf(corpus.ErrForbidden, "wrong key") }), nil); !errors.Is(err, corpus.ErrForbidden) {
		t.Errorf("a refused key: %v", err)
	}
}

// dear is a judge whose replies cost as much as the longest.
type dear struct{ judge }

func (d dear) Complete(ctx context.Context, q model.Request, stream func(model.Delta) error) (model.Response, error) {
	r, err := d.judge.Complete(ctx, q, stream)
	prompt, completion := 100, 300
	r.PromptTokens, r.CompletionTokens = &prompt, &completion
	return r, err
}
