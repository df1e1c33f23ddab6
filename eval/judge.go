package eval

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"grounded/answer"
	"grounded/corpus"
	"grounded/model"
	"grounded/prompts"
)

// JudgeConfig says what a judge is asked about a run.
type JudgeConfig struct {
	Chat    model.Chat
	Prompts *prompts.Set
	// Pairs of arms whose answers are compared, of each model; nil is DefaultPairs. Of a pair of the same arm twice, each
	// model's answers are compared with the first model's.
	Pairs   [][2]string
	Support bool // sentences of answers from passages are checked

	AtOnce      int      // calls at once; 0 is 1 for local models, else 4
	MaxCost     *float64 // US dollars of all judgements by this judge in the run, those of former times too; nil is no limit
	RetryErrors bool     // what failed, or could not be read, is asked again
	Cache       Cache
	Observe     func(Progress)
}

const judgeTokens = 1024 // of a judge's answer, at most

// judging is a judge at work.
type judging struct {
	JudgeConfig
	mu     sync.Mutex
	file   *os.File
	done   map[subject]Judgement
	budget budget
	state  Progress
}

// Judge asks a model about the answers of a run and keeps what it says in the run's folder: of each pair in both orders,
// since many judges prefer what they see first. What is there is not asked again. Errors are as those of Run.
func Judge(ctx context.Context, path string, c JudgeConfig) (state Progress, err error) {
	h, items, err := Load(path)
	if err != nil {
		return state, err
	}
	if c.Pairs == nil {
		c.Pairs = DefaultPairs(h.Arms)
	}
	if err := CheckJudging(c.Pairs, c.Support, len(h.Models), h.Arms); err != nil {
		return state, err
	}
	lock, err := LockRun(path)
	if err != nil {
		return state, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	j := &judging{JudgeConfig: c, done: map[subject]Judgement{}, budget: budget{limit: c.MaxCost}}
	if j.file, err = openRecords(filepath.Join(path, judgementsFile), j.note); err != nil {
		return state, err
	}
	defer func() { err = errors.Join(err, j.file.Close()) }()
	tasks, err := j.plan(ctx, h, items)
	if err != nil {
		return j.state, err
	}
	if c.Observe != nil {
		c.Observe(j.state)
	}
	group, going := errgroup.WithContext(ctx)
	group.SetLimit(atOnce(c.AtOnce, c.Chat.Card()))
	for _, t := range tasks {
		if err = j.budget.reserve(t.cost); err != nil || going.Err() != nil {
			break // what is being asked is waited for: it is paid
		}
		group.Go(func() error {
			if err := going.Err(); err != nil { // while it waited for its turn
				j.budget.settle(t.cost, nil)
				return err
			}
			return j.ask(going, t)
		})
	}
	err = errors.Join(group.Wait(), err, ctx.Err())
	return j.state, err
}

// judgePrompts are the prompts by kind of judgement.
var judgePrompts = map[string]string{JudgedPairs: prompts.JudgePair, JudgedSupport: prompts.JudgeSupport}

func (j *judging) note(made Judgement) {
	if made.Judge != j.Chat.Card().ID {
		return
	}
	if made.Prompt == j.Prompts.Version(judgePrompts[made.Kind]) { // another prompt may say another thing
		j.done[made.subject()] = made
	}
	if made.CostUSD != nil && !made.Call.Cached {
		j.budget.spent += *made.CostUSD
	}
}

// judged is one call that is to be made.
type judged struct {
	Judgement
	messages []model.Message
	cost     *float64
	anew     bool // what was said before could not be read
}

func (j *judging) plan(ctx context.Context, h Header, items []Item) ([]judged, error) {
	all, err := j.subjects(h, items)
	if err != nil {
		return nil, err
	}
	var tasks []judged
	total := 0.0
	planned := map[subject]bool{}
	for _, t := range all {
		if planned[t.subject()] {
			continue
		}
		planned[t.subject()] = true
		j.state.Total++
		if made, there := j.done[t.subject()]; there && (made.readable() || !j.RetryErrors) {
			j.state.Done++
			if !made.readable() {
				j.state.Failed++
			}
			continue
		}
		_, t.anew = j.done[t.subject()]
		prompt := 0
		for _, m := range t.messages {
			n, err := j.Chat.CountTokens(ctx, m.Content)
			if err != nil {
				return nil, err
			}
			prompt += n + 8 // of the message's frame
		}
		if t.cost = j.Chat.Card().Cost(prompt, judgeTokens); t.cost != nil {
			total += *t.cost
		} else if j.MaxCost != nil {
			return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "judge run: the cost can't be limited, since the price of %s is not known", t.Judge),
				"give the model a price in your catalog, or leave --max-cost out")
		}
		tasks = append(tasks, t)
	}
	if len(all) == 0 {
		return nil, errNothingToJudge
	}
	j.state.SpentUSD = j.budget.spent
	return tasks, j.budget.allows(total)
}

// subjects lists everything that there is to judge.
func (j *judging) subjects(h Header, items []Item) (list []judged, err error) {
	answers := map[key]Item{}
	for _, i := range items {
		if i.Answer != nil {
			answers[i.key()] = i
		}
	}
	for _, i := range items {
		if i.Answer == nil {
			continue
		}
		if j.Support && len(i.Answer.Passages) > 0 && !i.Answer.Abstained {
			if t, ok, err := j.support(i); err != nil {
				return nil, err
			} else if ok {
				list = append(list, t)
			}
		}
		for _, arms := range j.Pairs {
			than := i.Model
			if arms[0] == arms[1] {
				than = h.Models[0].ID
			}
			other, there := answers[key{than, arms[1], i.Question.ID}]
			if i.Arm != arms[0] || !there || than == i.Model && arms[0] == arms[1] {
				continue
			}
			for _, order := range [][2]Item{{i, other}, {other, i}} {
				t, err := j.pair(order[0], order[1])
				if err != nil {
					return nil, err
				}
				list = append(list, t)
			}
		}
	}
	return list, nil
}

// pair is the call that compares two answers. References to passages are left out: they tell which arm is which.
func (j *judging) pair(first, second Item) (judged, error) {
	shown := []string{bareText(*first.Answer), bareText(*second.Answer)}
	return j.render(prompts.JudgePair, Judgement{
		Kind: JudgedPairs, Question: first.Question.ID, Model: first.Model, Arm: first.Arm, Than: second.Model, Beside: second.Arm, Of: ofPair(first, second),
	}, prompts.Data{Question: first.Question.Question, Accepted: first.Question.Answers, Answers: shown})
}

func (j *judging) support(i Item) (t judged, ok bool, err error) {
	sentences, _ := sentencesOf(*i.Answer)
	if len(sentences) == 0 {
		return t, false, nil
	}
	t, err = j.render(prompts.JudgeSupport, Judgement{Kind: JudgedSupport, Question: i.Question.ID, Model: i.Model, Arm: i.Arm, Of: ofSupport(i)},
		prompts.Data{Question: i.Question.Question, Passages: i.Answer.Passages, Sentences: sentences})
	for _, s := range sentences {
		t.Sentences = append(t.Sentences, JudgedSentence{Sentence: s})
	}
	return t, true, err
}

func (j *judging) render(name string, made Judgement, d prompts.Data) (t judged, err error) {
	messages, err := j.Prompts.Render(name, d)
	if err != nil {
		return t, err
	}
	made.Judge, made.Prompt = j.Chat.Card().ID, j.Prompts.Version(name)
	t.Judgement = made
	for _, m := range messages {
		t.messages = append(t.messages, model.Message(m))
	}
	return t, nil
}

func ofPair(first, second Item) string {
	return hashOf(first.Question.Question, first.Question.Answers, first.Answer.Text, second.Answer.Text)
}

func ofSupport(i Item) string {
	var texts []string
	for _, p := range i.Answer.Passages {
		texts = append(texts, p.Text)
	}
	return hashOf(i.Answer.Text, texts)
}

// bareText is an answer without its references.
func bareText(a corpus.Answer) string {
	if len(a.Passages) == 0 {
		return a.Text
	}
	return strings.TrimSpace(marker.ReplaceAllString(a.Text, ""))
}

// ask makes one judgement. Its error ends the work.
func (j *judging) ask(ctx context.Context, t judged) error {
	recorded := &recorder{Chat: j.Chat, cache: j.Cache, anew: t.anew}
	zero := 0.0
	response, err := recorded.Complete(ctx, model.Request{Messages: t.messages, MaxTokens: judgeTokens, Temperature: &zero}, nil)
	made := t.Judgement
	if len(recorded.calls) > 0 {
		made.Call = recorded.calls[0]
	}
	var known *float64
	if err == nil {
		made.read(response.Text)
		known = costOf(j.Chat.Card(), response)
	} else {
		made.Error = err.Error()
	}
	paid := spent(recorded.calls, known, t.cost, err)
	if made.CostUSD = paid; made.Call.Cached {
		made.CostUSD = cmp.Or(known, t.cost) // then
	}
	j.budget.settle(t.cost, paid)
	if err != nil && (ctx.Err() != nil || errors.Is(err, corpus.ErrForbidden)) {
		return errors.Join(err, ctx.Err())
	}
	return errors.Join(j.keep(made), recorded.notKept)
}

func (j *judging) keep(made Judgement) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := appendRecord(j.file, made); err != nil {
		return err
	}
	j.state.Done++
	if !made.readable() {
		j.state.Failed++
	}
	j.state.SpentUSD = j.budget.total()
	if j.Observe != nil {
		j.Observe(j.state)
	}
	return nil
}

// Between the words of a verdict there may be signs, but no letter of any script.
const (
	signs       = `[^\p{L}\p{N}]*`
	verdictForm = `(?:answer\s+|答案\s*|回答\s*)?(a|b|tie|平局|平手)` + signs + `$`
)

var (
	verdictLine = regexp.MustCompile(`(?im)^` + signs + `(?:verdict|结论|裁决|判定|判决|评判)` + signs + verdictForm)
	verdictWord = regexp.MustCompile(`(?i)^` + signs + verdictForm)
	supportLine = regexp.MustCompile(`(?im)^` + signs + `第?(\d{1,3})句?[^\p{L}\p{N}\n]+(yes|no|是的?|否|不是|支持|不支持)(?:[^\p{L}\p{N}]|$)`)
)

// read finds the verdict in what a judge wrote: its last line that is one. What is none is left out and not guessed.
func (j *Judgement) read(text string) {
	if j.Kind == JudgedPairs {
		found := verdictLine.FindAllStringSubmatch(text, -1)
		if found == nil {
			found = verdictWord.FindAllStringSubmatch(text, -1)
		}
		if found != nil {
			j.Verdict = map[string]string{"a": FirstIsBetter, "b": SecondIsBetter, "tie": NeitherBetter, "平局": NeitherBetter, "平手": NeitherBetter}[strings.ToLower(found[len(found)-1][1])]
		}
		return
	}
	for _, m := range supportLine.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[1]) // digits
		if yes := slices.Contains([]string{"yes", "是", "是的", "支持"}, strings.ToLower(m[2])); n >= 1 && n <= len(j.Sentences) {
			j.Sentences[n-1].Supported = &yes
		}
	}
}

// readable reports whether the judge said what it was asked.
func (j Judgement) readable() bool {
	if j.Kind == JudgedPairs {
		return j.Verdict != ""
	}
	for _, s := range j.Sentences {
		if s.Supported == nil {
			return false
		}
	}
	return true
}

// DefaultPairs are the pairs that a run of these arms is judged by when none are named: grounded with plain answers.
func DefaultPairs(arms []string) [][2]string {
	if slices.Contains(arms, answer.ArmGrounded) && slices.Contains(arms, answer.ArmPlain) {
		return [][2]string{{answer.ArmGrounded, answer.ArmPlain}}
	}
	return nil
}

// CheckJudging refuses, with corpus.ErrInvalid, what a run of so many models and these arms has no answers for.
func CheckJudging(pairs [][2]string, support bool, models int, arms []string) error {
	for _, pair := range pairs {
		for _, arm := range pair {
			if !slices.Contains(arms, arm) {
				return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "judge run: it has no answers of the arm %s, which is in the pair %s:%s", arm, pair[0], pair[1]), "its arms are "+strings.Join(arms, ", "))
			}
		}
		if pair[0] == pair[1] && models < 2 {
			return corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "judge run: the pair %s:%s compares models, and the run has one", pair[0], pair[1]), "name two arms, or judge a run of several models")
		}
	}
	fromPassages := slices.ContainsFunc(arms, func(a string) bool { return a != answer.ArmPlain && a != answer.ArmFewShot })
	if len(pairs) == 0 && !(support && fromPassages) {
		return errNothingToJudge
	}
	return nil
}

var errNothingToJudge = corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "judge run: there is nothing to judge"),
	"a pair needs two arms that the run has answers of; sentences are checked of answers from passages")

// ParsePairs reads arms to compare, as "grounded:plain"; errors are corpus.ErrInvalid.
func ParsePairs(list []string) (pairs [][2]string, err error) {
	for _, text := range list {
		first, second, two := strings.Cut(text, ":")
		if !two {
			return nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "%q is no pair of arms", text), "write two arms with a colon between them: "+answer.ArmGrounded+":"+answer.ArmPlain)
		}
		if err := CheckArms([]string{first, second}); err != nil {
			return nil, err
		}
		pairs = append(pairs, [2]string{first, second})
	}
	return pairs, nil
}
