package eval_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"grounded/answer"
	"grounded/corpus"
	"grounded/eval"
	"grounded/eval/stat"
	"grounded/model"
	"grounded/prompts"
)

// judge is a chat model that says what a function says, and counts.
type judge struct {
	named
	says  func(prompt string) (string, error)
	calls *atomic.Int64
}

func newJudge(id string, says func(prompt string) (string, error)) judge {
	price := 1.
	return judge{chat(id, &price), says, &atomic.Int64{}}
}

func (j judge) Complete(_ context.Context, q model.Request, _ func(model.Delta) error) (model.Response, error) {
	j.calls.Add(1)
	text, err := j.says(q.Messages[len(q.Messages)-1].Content)
	tokens := 10
	return model.Response{Text: text, PromptTokens: &tokens, CompletionTokens: &tokens}, err
}

// fair prefers the answer that says yes, and finds supported what speaks of leave.
func fair(prompt string) (string, error) {
	if _, sentences, ok := strings.Cut(prompt, "Sentences:\n"); ok {
		var lines []string
		for _, line := range strings.Split(strings.TrimSpace(sentences), "\n") {
			n, text, _ := strings.Cut(line, ": ")
			lines = append(lines, n+": "+map[bool]string{true: "yes", false: "no"}[strings.Contains(text, "leave")])
		}
		return strings.Join(lines, "\n"), nil
	}
	_, a, _ := strings.Cut(prompt, "<answer A")
	a, b, _ := strings.Cut(a, "<answer B")
	switch inA, inB := strings.Contains(a, "yes"), strings.Contains(b, "yes"); {
	case inA && !inB:
		return "A says it.\nVerdict: A", nil
	case inB && !inA:
		return "**Verdict: B**", nil
	}
	return "Neither.\nVerdict: tie", nil
}

// answered makes a folder of a run of 40 questions, where plain is right in the first 10 and grounded in the first 30.
func answered(t *testing.T) string {
	t.Helper()
	path := t.TempDir()
	folder, err := eval.OpenFolder(path, eval.Settings{Questions: 40}, []model.Card{{ID: "m"}}, []string{"plain", "grounded"})
	if err != nil {
		t.Fatal(err)
	}
	c := eval.Config{Chats: []model.Chat{chat("m", nil)}, Arms: []string{"plain", "grounded"}, Questions: numbered(40),
		Answerer: answers(func(arm string, n int) corpus.Answer {
			a := corpus.Answer{Text: "no"}
			if n <= 10 || arm == "grounded" && n <= 30 {
				a.Text = "yes"
			}
			if arm == "grounded" {
				a.Text += " [1]"
				a.Passages = []corpus.Passage{passage("a.pdf", 1, 1)}
				a.Citations = []corpus.Citation{cited("a.pdf", 1, "There is leave.", true)}
				a.Unsupported = []string{"It is paid."}
			}
			return a
		})}
	if _, err := eval.Run(t.Context(), folder, c); err != nil {
		t.Fatal(err)
	}
	if err := folder.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// answers answers by arm and number of the question.
type answers func(arm string, n int) corpus.Answer

func (f answers) Answer(_ context.Context, r answer.Request, _ func(answer.Event) error) (corpus.Answer, error) {
	n := 0
	_, err := fmt.Sscan(strings.TrimSuffix(r.Question, "?"), &n)
	return f(r.Arm, n), err
}

func asked(t *testing.T, path string, c eval.JudgeConfig, labels ...eval.Label) eval.Report {
	t.Helper()
	if _, err := eval.Judge(t.Context(), path, c); err != nil {
		t.Fatal(err)
	}
	return reported(t, path, labels...)
}

func reported(t *testing.T, path string, labels ...eval.Label) eval.Report {
	t.Helper()
	h, items, err := eval.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	judgements, err := eval.LoadJudgements(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := eval.NewReport(h, items, eval.ReportConfig{Judgements: judgements, Labels: labels})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func judgeConfig(t *testing.T, j judge) eval.JudgeConfig {
	t.Helper()
	set, err := prompts.Load("")
	if err != nil {
		t.Fatal(err)
	}
	return eval.JudgeConfig{Chat: j, Prompts: set, Pairs: [][2]string{{"grounded", "plain"}}, Support: true, AtOnce: 4}
}

func TestAFairJudgeIsUsedAndAsksNothingTwice(t *testing.T) {
	path, j := answered(t), newJudge("fair", fair)
	yes, no := true, false
	labels := []eval.Label{
		{ID: "1", Model: "m", Arm: "grounded", Sentence: "There is leave.", Supported: &yes}, {ID: "2", Model: "m", Arm: "grounded", Sentence: "It is paid.", Supported: &yes},
		{ID: "3", Model: "m", Arm: "grounded", Sentence: "It is paid.", Supported: &no}, {ID: "4", Model: "m", Arm: "grounded", Sentence: "Never said.", Supported: &no},
		{ID: "11", Model: "m", Arm: "grounded", Beside: "plain", Verdict: "better"}, {ID: "12", Model: "m", Arm: "plain", Beside: "grounded", Verdict: "worse"},
		{ID: "40", Model: "m", Arm: "grounded", Beside: "plain", Verdict: "tie"},
	}
	r := asked(t, path, judgeConfig(t, j), labels...)
	if len(r.Judging) != 1 || len(r.Judging[0].Pairs) != 1 || len(r.Judging[0].Faithful) != 1 {
		t.Fatalf("judging is %+v", r.Judging)
	}
	p := r.Judging[0].Pairs[0]
	if p.Arm != "grounded" || p.Beside != "plain" || p.Wins != 20 || p.Ties != 20 || p.Losses != 0 || *p.FlipRate != 0 || !p.Used || p.Verdict != stat.Better || *p.Difference != .5 {
		t.Errorf("pair is %+v", p)
	}
	if f := r.Judging[0].Faithful[0]; f.Arm != "grounded" || f.Scored != 40 || *f.Mean.Mean != .5 {
		t.Errorf("faithful is %+v", f)
	}
	want := []eval.Agreement{{By: "words and embeddings", Of: "sentences", Labels: 3, Same: 2}, {By: "fair", Of: "sentences", Labels: 3, Same: 2}, {By: "fair", Of: "pairs", Labels: 3, Same: 3}}
	kappa := []float64{.4, .4, 1}
	for i, a := range r.Agreement {
		if a.By != want[i].By || a.Of != want[i].Of || a.Labels != want[i].Labels || a.Same != want[i].Same || a.Kappa == nil || math.Abs(*a.Kappa-kappa[i]) > 1e-9 {
			t.Errorf("agreement is %+v, want %+v with kappa %v", a, want[i], kappa[i])
		}
	}
	if len(r.Agreement) != 3 || r.LabelsOfNothing != 1 {
		t.Errorf("%d agreements, %d labels of nothing", len(r.Agreement), r.LabelsOfNothing)
	}
	calls := j.calls.Load()
	if asked(t, path, judgeConfig(t, j)); calls != 120 || j.calls.Load() != calls {
		t.Errorf("%d calls, then %d", calls, j.calls.Load())
	}
}

func TestAJudgeThatPrefersTheFirstIsFoundOut(t *testing.T) {
	first := newJudge("first", func(prompt string) (string, error) {
		if strings.Contains(prompt, "Sentences:") {
			return "1: yes\n2: yes", nil
		}
		return "Verdict: A", nil
	})
	p := asked(t, answered(t), judgeConfig(t, first)).Judging[0].Pairs[0]
	if *p.FlipRate != 1 || *p.FirstRate != 1 || p.Used || p.Verdict != "" || p.Difference != nil || p.Wins+p.Losses != 0 || !strings.Contains(p.Why, "100%") {
		t.Errorf("pair is %+v", p)
	}
}

func TestWhatAJudgeDoesNotSayIsLeftOutAndCanBeAskedAgain(t *testing.T) {
	path, n := answered(t), 0
	c := judgeConfig(t, newJudge("vague", func(prompt string) (string, error) {
		switch n++; n % 3 {
		case 0:
			return "", corpus.Errorf(corpus.ErrUnavailable, "busy")
		case 1:
			return "I like answer A. Verdict: B is fine too.", nil
		}
		return fair(prompt)
	}))
	c.AtOnce, c.Cache = 1, eval.Cache(t.TempDir())
	state, err := eval.Judge(t.Context(), path, c)
	if err != nil || state.Done != 120 || state.Failed != 80 {
		t.Fatalf("%+v, %v", state, err)
	}
	if g := reported(t, path).Judging[0]; g.Unreadable != 80 {
		t.Errorf("%d are unreadable", g.Unreadable)
	}
	c.Chat, c.RetryErrors = newJudge("vague", fair), true
	if p := asked(t, path, c).Judging[0]; p.Unreadable != 0 || p.Pairs[0].Questions != 40 {
		t.Errorf("judging is %+v", p)
	}
}

func TestVerdictsAreReadAndNotGuessed(t *testing.T) {
	for text, want := range map[string]string{
		"A is right.\nVerdict: A": eval.FirstIsBetter, "**Verdict:** Answer B.": eval.SecondIsBetter, "TIE": eval.NeitherBetter, "b": eval.SecondIsBetter,
		"答案甲有误。\n结论：B": eval.SecondIsBetter, "**裁决：平局**": eval.NeitherBetter, "Verdict: 答案A。": eval.FirstIsBetter,
		"Verdict: A\nI looked again.\nVerdict: B": eval.SecondIsBetter,
		"答案 A 不好":                                 "", "我认为 A 更好": "", "结论：A 不如 B": "", "Verdict: B is fine too.": "", "I can't help with that.": "", "抱歉，我无法回答。": "", "": "",
	} {
		path := answered(t)
		c := judgeConfig(t, newJudge("j", func(string) (string, error) { return text, nil }))
		c.Support = false
		if _, err := eval.Judge(t.Context(), path, c); err != nil {
			t.Fatal(err)
		}
		list, err := eval.LoadJudgements(path)
		if err != nil || list[0].Verdict != want {
			t.Errorf("%q is read as %q, want %q, %v", text, list[0].Verdict, want, err)
		}
	}
	for text, want := range map[string]string{
		"1: yes\n2: no": "yes no", "1：是\n2：不支持": "yes no", "第1句：支持。\n第2句：否": "yes no", "**1**: Yes, it does\n- 2. NO": "yes no",
		"1: 是否可以\n2: none": "", "无法判断": "", "1: yes": "yes",
	} {
		path := answered(t)
		c := judgeConfig(t, newJudge("j", func(string) (string, error) { return text, nil }))
		c.Pairs = [][2]string{}
		if _, err := eval.Judge(t.Context(), path, c); err != nil {
			t.Fatal(err)
		}
		list, err := eval.LoadJudgements(path)
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for _, s := range list[0].Sentences {
			if s.Supported != nil {
				said = append(said, map[bool]string{true: "yes", false: "no"}[*s.Supported])
			}
		}
		if got := strings.Join(said, " "); got != want {
			t.Errorf("%q is read as %q, want %q", text, got, want)
		}
	}
}

// A judge is asked with a new prompt and stopped on the way: verdicts by both are not to be mixed.
func TestJudgementsByTwoVersionsOfAPromptAreNotMixed(t *testing.T) {
	path := answered(t)
	first := newJudge("j", func(string) (string, error) { return "Verdict: A", nil })
	c := judgeConfig(t, first)
	c.Support = false
	if g := asked(t, path, c).Judging[0]; g.Pairs[0].Questions != 40 || g.OtherPrompts != 0 {
		t.Fatalf("judging is %+v", g)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "judge-pair.tmpl"), []byte(`{{define "system"}}Compare.{{end}}{{define "user"}}{{range $i, $a := .Answers}}<answer {{if $i}}B{{else}}A{{end}} {{$.Fence}}>{{$a}}</answer>{{end}}{{end}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if c.Prompts, err = prompts.Load(folder); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	c.AtOnce, c.Chat = 1, newJudge("j", func(prompt string) (string, error) {
		if n++; n == 20 {
			cancel()
		}
		return fair(prompt)
	})
	if _, err := eval.Judge(ctx, path, c); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	g := reported(t, path).Judging[0]
	if p := g.Pairs[0]; p.Flips != 0 || p.Questions != 10 || g.OtherPrompts != 60 {
		t.Errorf("%d questions and %d flips, %d judgements by another prompt", p.Questions, p.Flips, g.OtherPrompts)
	}
}

func TestWhatAJudgeCostIsKnownThoughSomeCallsAreRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotImplemented) }))
	defer server.Close()
	price := 1.
	refused, err := model.NewChat(t.Context(), model.Card{ID: "j", Provider: "openai", Model: "j", BaseURL: server.URL, Context: 4096, Price: model.Price{In: &price, Out: &price}}, model.Config{})
	if err != nil {
		t.Fatal(err)
	}
	path := answered(t)
	c := judgeConfig(t, newJudge("j", fair))
	n := 0
	c.AtOnce, c.Support, c.Chat = 1, false, newJudge("j", func(prompt string) (string, error) {
		if n++; n%3 == 0 {
			_, err := refused.Complete(t.Context(), model.Request{Messages: []model.Message{{Role: "user", Content: "x"}}}, nil)
			return "", err
		}
		return fair(prompt)
	})
	state, err := eval.Judge(t.Context(), path, c)
	want := 54 * 20 / 1e6
	if err != nil || state.Failed != 26 || math.Abs(state.SpentUSD-want) > 1e-12 {
		t.Errorf("%+v, %v, want $%v", state, err, want)
	}
	if g := reported(t, path).Judging[0]; g.CostUSD == nil || math.Abs(*g.CostUSD-want) > 1e-12 {
		t.Errorf("the judge's cost is %v, want %v", g.CostUSD, want)
	}
}

func TestJudgingIsLimitedInCost(t *testing.T) {
	path := answered(t)
	c := judgeConfig(t, newJudge("dear", fair))
	low := .0001
	c.MaxCost = &low
	if _, err := eval.Judge(t.Context(), path, c); !errors.Is(err, corpus.ErrLimit) {
		t.Errorf("the limit is passed over: %v", err)
	}
	if n := c.Chat.(judge).calls.Load(); n != 0 {
		t.Errorf("%d calls were made", n)
	}
	c.Chat = judge{chat("priceless", nil), fair, &atomic.Int64{}}
	if _, err := eval.Judge(t.Context(), path, c); !errors.Is(err, corpus.ErrInvalid) {
		t.Errorf("without a price: %v", err)
	}
}

func TestJudgementsOfOtherAnswersAreNotUsed(t *testing.T) {
	path := answered(t)
	asked(t, path, judgeConfig(t, newJudge("fair", fair)))
	name := filepath.Join(path, "items.jsonl")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(strings.ReplaceAll(string(text), `"text":"yes [1]"`, `"text":"yes and no [1]"`)), 0o600); err != nil {
		t.Fatal(err)
	}
	g := reported(t, path).Judging[0]
	if p, f := g.Pairs[0], g.Faithful[0]; p.Questions != 10 || f.Scored != 10 || f.Items != 40 {
		t.Errorf("judgements of %d pairs and %d of %d answers are used; those of 10 are right", p.Questions, f.Scored, f.Items)
	}
}

func TestLabelsAreReadStrictly(t *testing.T) {
	for text, want := range map[string]string{
		`{"id": "1", "model": "m", "arm": "grounded", "sentence": "x", "supported": true}`:                   "",
		`{"id": "1", "model": "m", "arm": "grounded", "than_arm": "plain", "verdict": "tie"}`:                "",
		"\n" + `{"id": "1", "model": "m", "arm": "grounded", "sentence": "x"}`:                               "line 2",
		`{"id": "1", "model": "m", "arm": "grounded", "than_arm": "plain", "verdict": "first"}`:              "better, worse or tie",
		`{"id": "1", "model": "m", "arm": "grounded"}`:                                                       "neither",
		`{"id": "1", "arm": "grounded", "sentence": "x", "supported": true}`:                                 "are needed",
		`{"id": "1", "model": "m", "arm": "grounded", "sentence": "x", "supported": true, "sure": 1}`:        "sure",
		`{"id": "1", "model": "m", "arm": "grounded", "sentence": "x", "supported": true, "verdict": "tie"}`: "compared with nothing",
	} {
		path := filepath.Join(t.TempDir(), "labels.jsonl")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		labels, err := eval.LoadLabels(path)
		if want == "" && (err != nil || len(labels) != 1) || want != "" && (!errors.Is(err, corpus.ErrInvalid) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestARunAsksWhatItsCacheHasNoAnswerTo(t *testing.T) {
	j := newJudge("m", func(prompt string) (string, error) { return "said " + prompt, nil })
	c := eval.Config{Answerer: through{}, Chats: []model.Chat{j}, Arms: []string{"plain"}, Questions: numbered(12), Cache: eval.Cache(t.TempDir())}
	first, second := t.TempDir(), t.TempDir()
	if state, err := ask(t, t.Context(), first, c); err != nil || state.SpentUSD == 0 {
		t.Fatalf("%+v, %v", state, err)
	}
	limit := 1.
	c.MaxCost = &limit
	state, err := ask(t, t.Context(), second, c)
	if err != nil || j.calls.Load() != 12 || state.Done != 12 || state.SpentUSD != 0 {
		t.Errorf("%d calls, %+v, %v", j.calls.Load(), state, err)
	}
	_, one, err := eval.Load(first)
	if err != nil {
		t.Fatal(err)
	}
	_, other, err := eval.Load(second)
	if err != nil || len(one) != len(other) {
		t.Fatalf("%d and %d items, %v", len(one), len(other), err)
	}
	byID := map[string]eval.Item{}
	for _, i := range one {
		byID[i.Question.ID] = i
	}
	for _, i := range other {
		if !i.Calls[0].Cached || i.Answer.Text != byID[i.Question.ID].Answer.Text || *i.Answer.CostUSD != *byID[i.Question.ID].Answer.CostUSD {
			t.Errorf("item is %+v", i)
		}
	}
	c.Cache = ""
	if _, err := ask(t, t.Context(), t.TempDir(), c); err != nil || j.calls.Load() != 24 {
		t.Errorf("without a cache: %d calls, %v", j.calls.Load(), err)
	}
	seed := 7
	c.Cache, c.Request.Seed = eval.Cache(t.TempDir()), &seed
	if _, err := ask(t, t.Context(), t.TempDir(), c); err != nil || j.calls.Load() != 36 {
		t.Errorf("with another seed: %d calls, %v", j.calls.Load(), err)
	}
}

// through answers what its model says, whose tokens may be uncounted.
type through struct{ uncounted bool }

func (t through) Answer(ctx context.Context, r answer.Request, _ func(answer.Event) error) (corpus.Answer, error) {
	response, err := r.Chat.Complete(ctx, model.Request{Messages: []model.Message{{Role: "user", Content: r.Question}}, Seed: r.Seed}, nil)
	if err != nil {
		return corpus.Answer{}, err
	}
	if t.uncounted {
		return corpus.Answer{Text: response.Text}, nil
	}
	return corpus.Answer{Text: response.Text, CostUSD: r.Chat.Card().Cost(*response.PromptTokens, *response.CompletionTokens)}, nil
}
