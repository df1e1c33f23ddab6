package eval

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"grounded/corpus"
	"grounded/model"
)

// Panel puts all models that were measured on a dataset beside each other, as one report: of each model by each arm the
// run with the most answers, the newest among equal ones. The dataset is the name of its file, with or without its
// extension, or its hash; it may be empty when there is only one. Runs of other questions under the same name, a sample
// of them for instance, are left out, and the notes say so; they also name settings in which the runs differ. None that
// fits is corpus.ErrNotFound.
func Panel(runs []Stored, dataset string, c ReportConfig) (Report, []string, error) {
	chosen, notes, err := sameQuestions(runs, dataset)
	if err != nil {
		return Report{}, nil, err
	}
	header, items, used := newest(chosen)
	r, err := NewReport(header, items, c)
	if err != nil {
		return Report{}, nil, err
	}
	r.Columns = slices.DeleteFunc(r.Columns, func(c Column) bool { return len(c.items) == 0 })
	r.Grounding = slices.DeleteFunc(r.Grounding, func(g Grounding) bool { return g.Pairs == 0 })
	r.Comparisons = slices.DeleteFunc(r.Comparisons, func(c Comparison) bool { return c.Questions == 0 })
	for _, run := range used {
		r.Panel = append(r.Panel, run.Name)
	}
	for _, run := range used[1:] {
		if name := difference(used[0].Header.Settings, run.Header.Settings); name != "" {
			notes = append(notes, fmt.Sprintf("The runs %s and %s have other settings (%s): not all of a difference need be the models'.", used[0].Name, run.Name, name))
		}
	}
	return r, notes, nil
}

// sameQuestions chooses the runs of one dataset that have the same questions.
func sameQuestions(runs []Stored, dataset string) (chosen []Stored, notes []string, err error) {
	groups := map[string][]Stored{}
	var hashes, names []string
	for _, run := range runs {
		h := run.Header
		if !slices.Contains(names, h.Dataset) {
			names = append(names, h.Dataset)
		}
		if len(run.Items) == 0 || dataset != "" && dataset != h.Dataset && dataset != h.DatasetHash && dataset != strings.TrimSuffix(h.Dataset, filepath.Ext(h.Dataset)) {
			continue
		}
		if groups[h.DatasetHash] == nil {
			hashes = append(hashes, h.DatasetHash)
		}
		groups[h.DatasetHash] = append(groups[h.DatasetHash], run)
	}
	slices.Sort(names)
	there := "the runs here are of " + strings.Join(names, ", ")
	switch {
	case len(runs) == 0:
		return nil, nil, corpus.Hint(corpus.Errorf(corpus.ErrNotFound, "no run is here"), "make one: grounded eval run --dataset questions.jsonl")
	case len(hashes) == 0:
		return nil, nil, corpus.Hint(corpus.Errorf(corpus.ErrNotFound, "no run is of dataset %q", dataset), there)
	case dataset == "" && len(names) > 1:
		return nil, nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "there are runs of several datasets"), "name one with --dataset: "+there)
	}
	slices.SortStableFunc(hashes, func(a, b string) int { return cmp.Compare(columnsOf(groups[b]), columnsOf(groups[a])) })
	for _, hash := range hashes[1:] {
		for _, run := range groups[hash] {
			notes = append(notes, fmt.Sprintf("The run %s is left out: it has other questions (%d, hash %s).", run.Name, run.Header.Questions, hash))
		}
	}
	return groups[hashes[0]], notes, nil
}

// columnsOf counts models by arms with items.
func columnsOf(runs []Stored) int {
	columns := map[[2]string]bool{}
	for _, run := range runs {
		for _, i := range run.Items {
			columns[[2]string{i.Model, i.Arm}] = true
		}
	}
	return len(columns)
}

// newest takes of each model by each arm the run with the most answers.
func newest(runs []Stored) (h Header, items []Item, used []Stored) {
	type best struct{ run, answers int }
	columns := map[[2]string]best{}
	for n, run := range runs {
		answers := map[[2]string]int{}
		for _, i := range run.Items {
			if i.Answer != nil {
				answers[[2]string{i.Model, i.Arm}]++
			} else {
				answers[[2]string{i.Model, i.Arm}] += 0
			}
		}
		for column, count := range answers {
			if b, there := columns[column]; !there || count > b.answers {
				columns[column] = best{n, count}
			}
		}
	}
	h = runs[0].Header
	h.Models, h.Arms = nil, nil
	arms := map[string]bool{}
	for n, run := range runs {
		taken := false
		for _, i := range run.Items {
			if columns[[2]string{i.Model, i.Arm}].run == n {
				items, taken = append(items, i), true
				arms[i.Arm] = true
			}
		}
		if taken {
			used = append(used, run)
		}
		for _, card := range run.Header.Models {
			if !slices.ContainsFunc(h.Models, func(o model.Card) bool { return o.ID == card.ID }) {
				h.Models = append(h.Models, card)
			}
		}
	}
	for _, arm := range ArmNames() {
		if arms[arm] {
			h.Arms = append(h.Arms, arm)
		}
	}
	return h, items, used
}
