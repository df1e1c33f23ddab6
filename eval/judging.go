package eval

import (
	"cmp"
	"fmt"
	"slices"

	"grounded/eval/stat"
)

// mostFlips is the share of pairs about which a judge may say another thing in the other order. One that throws a coin
// flips half of them, one that always prefers what it sees first all.
const mostFlips = 1. / 3

// Judging is what one judge made of a run.
type Judging struct {
	Judge      string            `json:"judge"`
	Pairs      []JudgedPair      `json:"pairs"`
	Faithful   []JudgedSentences `json:"faithful"`
	Unreadable int               `json:"unreadable"` // judgements that failed or could not be read
	// OtherPrompts are judgements by other versions of the judge's prompts than it was asked with last; they are left out.
	OtherPrompts int      `json:"other_prompts,omitempty"`
	CostUSD      *float64 `json:"cost_usd"` // nil when one is not known
}

// JudgedPair is a column compared with another by a judge, question by question.
type JudgedPair struct {
	Model  string `json:"model"`
	Arm    string `json:"arm"`
	Than   string `json:"than_model"`
	Beside string `json:"than_arm"`
	// Of the questions that were judged in both orders: where both orders agree that the answer is better or worse. All
	// others are ties.
	Wins   int `json:"wins"`
	Ties   int `json:"ties"`
	Losses int `json:"losses"`
	// Flips are those whose verdict depends on the order; FirstRate is the share of verdicts for what is shown first.
	Flips     int      `json:"flips"`
	FlipRate  *float64 `json:"flip_rate"`
	FirstRate *float64 `json:"prefers_first"`
	// Used is false when the verdicts follow the order more than the answers: then there is no comparison.
	Used            bool   `json:"used"`
	Why             string `json:"why,omitempty"` // a sentence, when it is not used
	stat.Comparison        // of 1 for a win, 0 for a tie and -1 for a loss; adjusted for all pairs of the judge

	verdicts map[string]int // by question
}

// JudgedSentences is how many sentences of a column's answers a judge found supported.
type JudgedSentences struct {
	Model string `json:"model"`
	Arm   string `json:"arm"`
	Mean         // share of an answer's sentences, over the answers whose sentences were all judged

	supported map[string]map[string]bool // by question and sentence
}

// judgings evaluates judgements that are still about what the run's items hold, the last of each. Verdicts by two versions
// of a prompt are not to be compared: only those by the one that the judge was asked with last count.
func (r *Report) judgings(c ReportConfig) (list []Judging) {
	type asked struct{ run, judge, kind string }
	version := map[asked]string{}
	for _, j := range c.Judgements {
		if r.current(j) {
			version[asked{j.run, j.Judge, j.Kind}] = j.Prompt
		}
	}
	last, others := map[string]map[subject]Judgement{}, map[string]map[subject]bool{}
	for _, j := range c.Judgements {
		if !r.current(j) {
			continue
		}
		if last[j.Judge] == nil {
			last[j.Judge], others[j.Judge] = map[subject]Judgement{}, map[subject]bool{}
			list = append(list, Judging{Judge: j.Judge})
		}
		if j.Prompt == version[asked{j.run, j.Judge, j.Kind}] {
			last[j.Judge][j.subject()] = j
		} else {
			others[j.Judge][j.subject()] = true
		}
	}
	for i := range list {
		made := last[list[i].Judge]
		for s := range others[list[i].Judge] {
			if _, again := made[s]; !again {
				list[i].OtherPrompts++
			}
		}
		list[i].evaluate(r, made, c.Rule)
	}
	return list
}

// current reports whether the answers that were judged are those that are there.
func (r *Report) current(j Judgement) bool {
	item := func(model, arm string) (Item, bool) {
		c := r.find(model, arm)
		if c == nil {
			return Item{}, false
		}
		i, ok := c.items[j.Question]
		return i, ok && i.Answer != nil
	}
	first, ok := item(j.Model, j.Arm)
	if !ok || j.Kind != JudgedPairs {
		return ok && ofSupport(first) == j.Of
	}
	second, ok := item(j.Than, j.Beside)
	return ok && ofPair(first, second) == j.Of
}

func (g *Judging) evaluate(r *Report, made map[subject]Judgement, rule stat.Rule) {
	total, known := 0.0, true
	for _, j := range made {
		if !j.readable() {
			g.Unreadable++
		}
		if j.CostUSD == nil {
			known = false
		} else {
			total += *j.CostUSD
		}
	}
	if known {
		g.CostUSD = &total
	}
	g.pairs(r, made)
	g.compare(r, rule)
	g.sentences(r, made)
}

// pairs counts verdicts, for each two columns in the order that the report has them in, the later compared with the
// earlier.
func (g *Judging) pairs(r *Report, made map[subject]Judgement) {
	for b := range r.Columns {
		for a := range b {
			later, earlier := r.Columns[b], r.Columns[a]
			p := JudgedPair{Model: later.Model, Arm: later.Arm, Than: earlier.Model, Beside: earlier.Arm, verdicts: map[string]int{}}
			first, verdicts := 0, 0
			for _, q := range r.questions {
				ahead, behind, ok := bothOrders(made, q.ID, later, earlier)
				if !ok {
					continue
				}
				p.verdicts[q.ID] = 0
				for _, v := range []string{ahead, behind} {
					verdicts++
					if v == FirstIsBetter {
						first++
					}
				}
				switch one, other := sign(ahead), -sign(behind); {
				case one != other:
					p.Flips++
					p.Ties++
				case one > 0:
					p.Wins++
				case one < 0:
					p.Losses++
				default:
					p.Ties++
				}
				if sign(ahead) == -sign(behind) {
					p.verdicts[q.ID] = sign(ahead)
				}
			}
			if verdicts > 0 {
				p.FlipRate, p.FirstRate = share(p.Flips, verdicts/2), share(first, verdicts)
				g.Pairs = append(g.Pairs, p)
			}
		}
	}
}

// bothOrders are the verdicts on two columns' answers to a question, with the first column's shown first and second.
func bothOrders(made map[subject]Judgement, question string, a, b Column) (ahead, behind string, ok bool) {
	one, other := a.items[question], b.items[question]
	if one.Answer == nil || other.Answer == nil {
		return "", "", false
	}
	ahead = made[subject{JudgedPairs, question, a.Model, a.Arm, b.Model, b.Arm, ofPair(one, other)}].Verdict
	behind = made[subject{JudgedPairs, question, b.Model, b.Arm, a.Model, a.Arm, ofPair(other, one)}].Verdict
	return ahead, behind, ahead != "" && behind != ""
}

func sign(verdict string) int {
	switch verdict {
	case FirstIsBetter:
		return 1
	case SecondIsBetter:
		return -1
	}
	return 0
}

// compare gives verdicts where the judge can be used.
func (g *Judging) compare(r *Report, rule stat.Rule) {
	var samples []stat.Sample
	var at []int
	for i := range g.Pairs {
		p := &g.Pairs[i]
		p.Questions = len(p.verdicts)
		if p.Used = *p.FlipRate <= mostFlips; !p.Used {
			p.Why = fmt.Sprintf("The verdict on %.0f%% of the pairs changes with the order in which they are shown; it is not used.", *p.FlipRate*100)
			continue
		}
		var values []float64
		var keys []string
		for _, q := range r.questions {
			if v, ok := p.verdicts[q.ID]; ok {
				values, keys = append(values, float64(v)), append(keys, r.keys[q.ID])
			}
		}
		samples, at = append(samples, stat.NewSample(values, keys)), append(at, i)
	}
	for n, compared := range stat.Compare(samples, rule) {
		g.Pairs[at[n]].Comparison = compared
	}
}

// sentences averages over the answers of a column whose sentences were all judged.
func (g *Judging) sentences(r *Report, made map[subject]Judgement) {
	byColumn := map[[2]string]*JudgedSentences{}
	shares := map[[2]string]map[string]float64{}
	for s, j := range made {
		if s.kind != JudgedSupport || !j.readable() || len(j.Sentences) == 0 {
			continue
		}
		column := [2]string{s.model, s.arm}
		if byColumn[column] == nil {
			byColumn[column] = &JudgedSentences{Model: s.model, Arm: s.arm, supported: map[string]map[string]bool{}}
			shares[column] = map[string]float64{}
		}
		yes := map[string]bool{}
		for _, sentence := range j.Sentences {
			yes[sentence.Sentence] = *sentence.Supported
			if *sentence.Supported {
				shares[column][s.question] += 1 / float64(len(j.Sentences))
			}
		}
		shares[column][s.question] += 0 // known, if none is supported
		byColumn[column].supported[s.question] = yes
	}
	for column, judged := range byColumn {
		var scores []*float64
		var keys []string
		c := r.find(column[0], column[1])
		for _, q := range r.questions {
			var score *float64
			if v, ok := shares[column][q.ID]; ok {
				score = &v
			}
			if i := c.items[q.ID]; i.Answer != nil && !i.Answer.Abstained {
				scores, keys = append(scores, score), append(keys, r.keys[q.ID])
			}
		}
		judged.Mean = meanOf(scores, keys)
		g.Faithful = append(g.Faithful, *judged)
	}
	slices.SortFunc(g.Faithful, func(a, b JudgedSentences) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Arm, b.Arm))
	})
}
