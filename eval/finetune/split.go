package finetune

import (
	"crypto/sha256"
	"math"
	"slices"
	"strconv"
	"strings"

	"grounded/corpus"
	"grounded/eval/dataset"
)

// Units that questions are kept together by.
const (
	ByDocument = "document"
	ByPage     = "page"
)

// Split parts questions so that none that share a document, or a page where the unit is that, and no two of the same
// words are on both sides. The share of validation, from 0 to below 1, is met as nearly as that allows; the same
// questions are parted the same way each time. A share that can't be met at all, since all hang together, is
// corpus.ErrInvalid.
func Split(questions []dataset.Question, share float64, unit string) (train, validation []dataset.Question, err error) {
	if share < 0 || share >= 1 || math.IsNaN(share) {
		return nil, nil, corpus.Errorf(corpus.ErrInvalid, "split questions: the share of validation is a number from 0 to below 1")
	}
	if unit != ByDocument && unit != ByPage {
		return nil, nil, corpus.Errorf(corpus.ErrInvalid, "split questions: %q is not one of document and page", unit)
	}
	wanted := int(math.Round(share * float64(len(questions))))
	if wanted == 0 {
		return questions, nil, nil
	}
	inValidation := map[int]bool{}
	for _, group := range groups(questions, unit) {
		if len(inValidation) < wanted && len(inValidation)+len(group) <= wanted+wanted/2 {
			for _, i := range group {
				inValidation[i] = true
			}
		}
	}
	if len(inValidation) == 0 {
		hint := "leave validation out with --validation 0, or add questions about other documents"
		if unit == ByDocument {
			hint = "split by page (--split page), where a page is on one side only but its document on both, or leave validation out with --validation 0"
		}
		return nil, nil, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "split questions: too many share a %s for a validation of %d of %d", unit, wanted, len(questions)), hint)
	}
	for i, q := range questions {
		if inValidation[i] {
			validation = append(validation, q)
		} else {
			train = append(train, q)
		}
	}
	return train, validation, nil
}

// groups are the indices of questions that hang together, in an order by hash.
func groups(questions []dataset.Question, unit string) [][]int {
	root := make([]int, len(questions))
	for i := range root {
		root[i] = i
	}
	var find func(int) int
	find = func(i int) int {
		if root[i] != i {
			root[i] = find(root[i])
		}
		return root[i]
	}
	first, whole := map[string]int{}, withoutPages(questions)
	for i, q := range questions {
		for _, key := range keys(q, unit, whole) {
			if j, seen := first[key]; seen {
				root[find(i)] = find(j)
			} else {
				first[key] = i
			}
		}
	}
	members := map[int][]int{}
	for i := range questions {
		members[find(i)] = append(members[find(i)], i)
	}
	type ordered struct {
		hash    string
		indices []int
	}
	var list []ordered
	for _, indices := range members {
		smallest := questions[indices[0]].ID // whatever the order of the questions
		for _, i := range indices {
			smallest = min(smallest, questions[i].ID)
		}
		sum := sha256.Sum256([]byte(smallest))
		list = append(list, ordered{string(sum[:]), indices})
	}
	slices.SortFunc(list, func(a, b ordered) int { return strings.Compare(a.hash, b.hash) })
	all := make([][]int, len(list))
	for i, o := range list {
		all[i] = o.indices
	}
	return all
}

// withoutPages are documents of which some evidence has no page: it may be any.
func withoutPages(questions []dataset.Question) map[string]bool {
	whole := map[string]bool{}
	for _, q := range questions {
		for _, e := range q.Evidence {
			if e.Page == 0 {
				whole[e.Document] = true
			}
		}
	}
	return whole
}

// keys are what ties a question to others: its words, and the places of its evidence; of whole documents they have no
// pages.
func keys(q dataset.Question, unit string, whole map[string]bool) []string {
	list := []string{"question " + strings.ToLower(strings.Join(strings.Fields(q.Question), " "))}
	for _, e := range q.Evidence {
		key := "document " + e.Document
		if unit == ByPage && !whole[e.Document] {
			key += " " + strconv.Itoa(e.Page)
		}
		list = append(list, key)
	}
	return list
}

// Documents lists the documents of the questions' evidence.
func Documents(questions []dataset.Question) []string {
	var list []string
	for _, q := range questions {
		for _, e := range q.Evidence {
			list = append(list, e.Document)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
