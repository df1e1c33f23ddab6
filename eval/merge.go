package eval

import (
	"slices"

	"grounded/corpus"
	"grounded/model"
)

// Merge puts runs of the same questions beside each other, as if each had models of its own: MODEL @ NAME. The names
// are the runs', different from each other. Each model is compared with its namesake in the first run that has it.
// Questions are matched by id; runs that share none, or that ask other words by the same id, fail with corpus.ErrInvalid.
func Merge(names []string, headers []Header, items [][]Item) (Header, []Item, map[string]string, error) {
	merged := headers[0]
	merged.Models, merged.Arms, merged.Merged = nil, nil, nil
	var all []Item
	baseline, first, arms := map[string]string{}, map[string]string{}, map[string]bool{}
	shared, words := map[string]int{}, map[string]string{}
	for n, h := range headers {
		called := func(id string) string { return calledIn(names[n], id) }
		run := MergedRun{Name: names[n], Header: h}
		run.Models = nil
		for _, card := range h.Models {
			name := called(card.ID)
			if before, there := first[card.ID]; there {
				baseline[name] = before
			} else {
				first[card.ID] = name
			}
			merged.Models = append(merged.Models, renamed(card, name))
			run.Models = append(run.Models, renamed(card, name))
		}
		merged.Merged = append(merged.Merged, run)
		for _, arm := range h.Arms {
			if !arms[arm] {
				arms[arm] = true
				merged.Arms = append(merged.Arms, arm)
			}
		}
		merged.Questions = max(merged.Questions, h.Questions)
		ids := map[string]bool{}
		for _, i := range items[n] {
			i.Model = called(i.Model)
			all = append(all, i)
			ids[i.Question.ID] = true
			if before, there := words[i.Question.ID]; there && before != i.Question.Question {
				return merged, nil, nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "compare runs: %s is not the same question in all of them", i.Question.ID), "compare runs of the same dataset")
			}
			words[i.Question.ID] = i.Question.Question
		}
		for id := range ids {
			shared[id]++
		}
	}
	for _, n := range shared {
		if n == len(headers) {
			return merged, all, baseline, nil
		}
	}
	return merged, nil, nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "compare runs: they have no question in common"), "compare runs of the same dataset")
}

// calledIn is what a model of a run is called beside those of others.
func calledIn(run, model string) string { return model + " @ " + run }

// RenameJudgements makes a run's judgements be about its models as Merge names them.
func RenameJudgements(run string, list []Judgement) []Judgement {
	list = slices.Clone(list)
	for i := range list {
		list[i].run = run
		list[i].Model = calledIn(run, list[i].Model)
		if list[i].Than != "" {
			list[i].Than = calledIn(run, list[i].Than)
		}
	}
	return list
}

func renamed(card model.Card, id string) model.Card {
	card.ID = id
	return card
}
