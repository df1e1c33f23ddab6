package eval

import (
	"slices"

	"grounded/answer"
	"grounded/corpus"
	"grounded/eval/stat"
)

// Grounding is what the documents changed for one model: grounded against plain, question by question.
type Grounding struct {
	Model string `json:"model"`
	Pairs int    `json:"questions"` // that both arms have a score of
	// Wins, ties and losses of grounded by the report's metric; a difference of at most Tie is one.
	Wins   int `json:"wins"`
	Ties   int `json:"ties"`
	Losses int `json:"losses"`
	// Harmed were right without and wrong with documents; the rate is their share of those that were right without.
	Harmed     []Harm   `json:"harmed"`
	HarmRate   *float64 `json:"harm_rate"`
	Rescued    []string `json:"rescued"` // wrong without, right with
	RescueRate *float64 `json:"rescue_rate"`
	// ToOracle is how much better the metric would be with the right passages; Distracted how much worse than plain it
	// is with wrong ones.
	ToOracle   *float64 `json:"distance_to_oracle"`
	Distracted *float64 `json:"damage_by_distractors"`
	// Abstention of the grounded arm: shares of the unanswerable and of the answerable questions that it declined.
	DeclinedRightly *float64 `json:"declined_unanswerable"`
	DeclinedWrongly *float64 `json:"declined_answerable"`
	// What grounding adds to a question, by the mean cost and the median time, and what one more right answer costs, on the
	// questions that both have a known right of; nil when unknown, or when there are none more.
	AddedUSD     *float64 `json:"added_cost_usd"`
	AddedMS      *float64 `json:"added_ms"`
	PerRightMore *float64 `json:"cost_per_additional_right_usd"`
}

// Harm is a question whose right answer the documents turned wrong.
type Harm struct {
	ID       string   `json:"id"`
	Question string   `json:"question"`
	Plain    string   `json:"plain"`
	Grounded string   `json:"grounded"`
	Misled   []Misled `json:"misled_by"` // passages that the wrong answer cites, or all that were given if it cites none; best first
	Evidence bool     `json:"evidence_given"`
}

// Misled is a passage that a wrong answer is made from.
type Misled struct {
	Place string `json:"place"` // document#page
	Quote string `json:"quote"` // words of it that the answer rests on; empty if it cites none
}

// Tie is the largest difference of two answers' scores that counts as none.
const Tie = 0.05

func (r *Report) grounding(model string) (Grounding, bool) {
	plain, grounded := r.find(model, answer.ArmPlain), r.find(model, answer.ArmGrounded)
	if plain == nil || grounded == nil {
		return Grounding{}, false
	}
	g := Grounding{Model: model, Harmed: []Harm{}, Rescued: []string{}}
	differences, _ := r.paired(*grounded, *plain, r.Metric)
	g.Pairs = len(differences)
	for _, d := range differences {
		switch {
		case d > Tie:
			g.Wins++
		case d < -Tie:
			g.Losses++
		default:
			g.Ties++
		}
	}
	g.rights(r, *plain, *grounded)
	if oracle := r.find(model, ArmOracle); oracle != nil {
		d, _ := r.paired(*oracle, *grounded, r.Metric)
		g.ToOracle = average(d)
	}
	if wrong := r.find(model, ArmDistractor); wrong != nil {
		d, _ := r.paired(*plain, *wrong, r.Metric)
		g.Distracted = average(d)
	}
	g.costs(r, *plain, *grounded)
	return g, true
}

// rights counts harm, rescue and abstention.
func (g *Grounding) rights(r *Report, plain, grounded Column) {
	var right, wrong, unanswerable, answerable, declinedRightly, declinedWrongly int
	for _, q := range r.questions {
		if a := grounded.scores[q.ID].get(Abstained); a != nil {
			switch {
			case q.Answerable:
				answerable++
				declinedWrongly += int(*a)
			default:
				unanswerable++
				declinedRightly += int(*a)
			}
		}
		before, after := plain.scores[q.ID].get(Right), grounded.scores[q.ID].get(Right)
		switch {
		case before == nil || after == nil:
		case *before == 1:
			right++
			if *after == 0 {
				g.Harmed = append(g.Harmed, harmOf(plain.items[q.ID], grounded.items[q.ID]))
			}
		default:
			wrong++
			if *after == 1 {
				g.Rescued = append(g.Rescued, q.ID)
			}
		}
	}
	g.HarmRate, g.RescueRate = share(len(g.Harmed), right), share(len(g.Rescued), wrong)
	g.DeclinedRightly, g.DeclinedWrongly = share(declinedRightly, unanswerable), share(declinedWrongly, answerable)
}

func harmOf(plain, grounded Item) Harm {
	h := Harm{ID: plain.Question.ID, Question: plain.Question.Question, Plain: plain.Answer.Text, Grounded: grounded.Answer.Text, Misled: misled(*grounded.Answer)}
	h.Evidence = Score(grounded)[EvidenceGiven] > 0
	return h
}

func misled(a corpus.Answer) []Misled {
	list := []Misled{}
	for _, c := range a.Citations {
		page := 0
		if c.Page != nil {
			page = *c.Page
		}
		if m := (Misled{pageItem(c.Document, page), string(c.Quote)}); !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	if len(list) > 0 {
		return list
	}
	for _, p := range a.Passages {
		list = append(list, Misled{Place: pageItem(p.Document, p.PageStart)})
	}
	return list
}

func (g *Grounding) costs(r *Report, plain, grounded Column) {
	if plain.CostUSD != nil && grounded.CostUSD != nil {
		cost, _ := r.paired(grounded, plain, CostUSD)
		g.AddedUSD = average(cost)
	}
	if times, _ := r.paired(grounded, plain, TotalMS); len(times) > 0 {
		median := stat.Percentile(times, .5)
		g.AddedMS = &median
	}
	// Over the questions that harm and rescue are counted on: others can't become right.
	total, known := 0.0, true
	for _, q := range r.questions {
		if plain.scores[q.ID].get(Right) == nil || grounded.scores[q.ID].get(Right) == nil {
			continue
		}
		before, after := plain.scores[q.ID].get(CostUSD), grounded.scores[q.ID].get(CostUSD)
		if before == nil || after == nil {
			known = false
			break
		}
		total += *after - *before
	}
	if more := len(g.Rescued) - len(g.Harmed); known && more > 0 {
		per := total / float64(more)
		g.PerRightMore = &per
	}
}

func average(values []float64) *float64 {
	if len(values) == 0 {
		return nil
	}
	m := stat.NewSample(values, nil).Mean()
	return &m
}

func share(n, of int) *float64 {
	if of == 0 {
		return nil
	}
	s := float64(n) / float64(of)
	return &s
}
