package eval

import (
	"fmt"

	"grounded/corpus"
	"grounded/eval/dataset"
)

// Levels that a place is compared at.
const (
	ByDocument = "document"
	ByPage     = "page"
)

// gold is what is relevant to a question by each level: gains by item. By page it is empty unless all evidence names
// its page, since what is found on other pages could not be judged.
func gold(q dataset.Question) map[string]map[string]float64 {
	documents, pages := map[string]float64{}, map[string]float64{}
	paged := true
	for _, e := range q.Evidence {
		documents[e.Document] = max(documents[e.Document], e.Gain())
		page := pageItem(e.Document, e.Page)
		pages[page] = max(pages[page], e.Gain())
		paged = paged && e.Page > 0
	}
	if !paged {
		pages = nil
	}
	return map[string]map[string]float64{ByDocument: documents, ByPage: pages}
}

func pageItem(document string, page int) string { return fmt.Sprintf("%s#%d", document, page) }

// rankings lists the documents, and the pages, that passages are from, in the order of their first passage. A passage
// over several pages counts for each, the earlier first.
func rankings(passages []corpus.Passage) map[string][]string {
	lists, seen := map[string][]string{}, map[string]bool{}
	add := func(level, item string) {
		if !seen[level+item] {
			seen[level+item] = true
			lists[level] = append(lists[level], item)
		}
	}
	for _, p := range passages {
		add(ByDocument, p.Document)
		for n := p.PageStart; n <= p.PageEnd; n++ {
			add(ByPage, pageItem(p.Document, n))
		}
	}
	return lists
}

// Units of resampling.
const (
	UnitQuestion = "question"
	UnitPage     = "page"
	UnitDocument = "document"
)

// enoughClusters is how many there must be for them to stand for others.
const enoughClusters = 20

// clusters puts questions together that are about the same thing and so may be right or wrong together: by the first
// document of their evidence when there are at least 20 of them, else by its page when there are 20, else each
// question is alone. With few documents figures hold for other questions on the same documents, not for other
// documents.
func clusters(questions []dataset.Question) (unit string, keys map[string]string) {
	for _, unit := range []string{UnitDocument, UnitPage} {
		keys, different := map[string]string{}, map[string]bool{}
		for _, q := range questions {
			if len(q.Evidence) == 0 {
				keys[q.ID] = "question " + q.ID // alone
				continue
			}
			key := q.Evidence[0].Document
			if unit == UnitPage {
				key = pageItem(key, q.Evidence[0].Page)
			}
			keys[q.ID], different[key] = key, true
		}
		if len(different) >= enoughClusters {
			return unit, keys
		}
	}
	keys = map[string]string{}
	for _, q := range questions {
		keys[q.ID] = q.ID
	}
	return UnitQuestion, keys
}
