package qdrant

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sort"
	"strconv"

	"github.com/qdrant/go-client/qdrant"

	"grounded/corpus"
)

const (
	everyone  = "p"
	groupMark = "g:"
	// maxFact bounds the text of a fact, in bytes; a longer one is known by its hash.
	maxFact = 256
	// blockBytes of a text make a number that a double holds exactly.
	blockBytes = 6
)

// orderFields are the blocks of a text that has an order.
var orderFields = []string{"t1", "t2", "t3", "t4"}

// access is who may see a document.
func access(groups []string) []string {
	if len(groups) == 0 {
		return []string{everyone}
	}
	marks := make([]string, len(groups))
	for i, g := range groups {
		marks[i] = groupMark + g
	}
	return marks
}

// canSee is the condition that the caller may see a point; nil if any.
func canSee(a corpus.Access) []*qdrant.Condition {
	if a.Unrestricted {
		return nil
	}
	marks := []string{everyone}
	for _, g := range a.Groups {
		marks = append(marks, groupMark+g)
	}
	return []*qdrant.Condition{qdrant.NewMatchKeywords(fieldGroups, marks...)}
}

// setFacts puts in what filters ask of a document.
func setFacts(p payload, d corpus.Document) {
	p[fieldGroups] = list(access(d.Groups))
	all := corpus.Facts(d)
	keys := make([]string, 0, len(all))
	for key := range all {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	var facts []string
	var order []*qdrant.Value
	for _, key := range keys {
		for _, value := range all[key] {
			s := corpus.ScalarText(value)
			facts = append(facts, fact(key, s))
			if corpus.HasOrder(s) {
				order = append(order, qdrant.NewValueFromFields(ordered(key, s)))
			}
		}
	}
	slices.Sort(facts)
	p[fieldFacts] = list(slices.Compact(facts))
	p[fieldKeys] = list(keys)
	if len(order) > 0 {
		p[fieldOrder] = qdrant.NewValueFromList(order...)
	}
}

// fact is a key with a value, equal for values that compare as equal.
func fact(key, value string) string {
	if x, ok := corpus.Number(value); ok {
		value = strconv.FormatFloat(x+0, 'g', -1, 64)
	}
	s := key + separator + value
	if len(s) > maxFact {
		sum := sha256.Sum256([]byte(s))
		s = separator + hex.EncodeToString(sum[:])
	}
	return s
}

func ordered(key, value string) payload {
	p := payload{"k": text(key)}
	if x, ok := corpus.Number(value); ok {
		p["n"] = qdrant.NewValueDouble(x)
	}
	for i, field := range orderFields {
		p[field] = qdrant.NewValueInt(block(value, i))
	}
	return p
}

// block is a part of a text as a number, so that numbers compare like the texts; zeros are behind its end.
func block(s string, i int) int64 {
	n := int64(0)
	for at := i * blockBytes; at < (i+1)*blockBytes; at++ {
		n <<= 8
		if at < len(s) {
			n |= int64(s[at])
		}
	}
	return n
}

// conditions is a filter in the server's terms.
func conditions(f corpus.Filter) (must, not []*qdrant.Condition, err error) {
	for _, c := range f {
		switch c.Op {
		case corpus.OpEqual:
			must = append(must, qdrant.NewMatchKeywords(fieldFacts, factsOf(c)...))
		case corpus.OpNotEqual:
			not = append(not, qdrant.NewMatchKeywords(fieldFacts, factsOf(c)...))
		case corpus.OpExists:
			if c.Values[0] == true {
				must = append(must, keyword(fieldKeys, c.Key))
			} else {
				not = append(not, keyword(fieldKeys, c.Key))
			}
		default:
			condition, err := comparison(c)
			if err != nil {
				return nil, nil, err
			}
			must = append(must, condition)
		}
	}
	return must, not, nil
}

func factsOf(c corpus.Condition) []string {
	facts := make([]string, len(c.Values))
	for i, v := range c.Values {
		facts[i] = fact(c.Key, corpus.ScalarText(v))
	}
	return facts
}

// comparison asks for a value that is greater or less: a number if both are, else a text.
func comparison(c corpus.Condition) (*qdrant.Condition, error) {
	value := corpus.ScalarText(c.Values[0])
	if most := len(orderFields)*blockBytes - 1; len(value) > most {
		return nil, corpus.Errorf(corpus.ErrInvalid, "filter %q: %q is too long to be greater or less than: at most %d bytes", c.Key, value, most)
	}
	nothing := qdrant.NewHasID() // which no point has
	if !corpus.HasOrder(value) {
		return nothing, nil
	}
	byText := textComparison(c.Op, value)
	compare := byText
	if x, ok := corpus.Number(value); ok {
		number := &qdrant.Filter{Must: []*qdrant.Condition{qdrant.NewRange("n", numberRange(c.Op, x))}}
		noNumber := &qdrant.Filter{Must: []*qdrant.Condition{qdrant.NewIsEmpty("n"), qdrant.NewFilterAsCondition(byText)}}
		compare = &qdrant.Filter{Should: []*qdrant.Condition{qdrant.NewFilterAsCondition(number), qdrant.NewFilterAsCondition(noNumber)}}
	}
	return qdrant.NewNestedFilter(fieldOrder, all(keyword("k", c.Key), qdrant.NewFilterAsCondition(compare))), nil
}

func numberRange(op string, x float64) *qdrant.Range {
	switch op {
	case corpus.OpGreater:
		return &qdrant.Range{Gt: &x}
	case corpus.OpGreaterEqual:
		return &qdrant.Range{Gte: &x}
	case corpus.OpLess:
		return &qdrant.Range{Lt: &x}
	}
	return &qdrant.Range{Lte: &x}
}

// textComparison compares block by block: at the first that differs, or, where equality is enough, at none.
func textComparison(op, value string) *qdrant.Filter {
	strict := corpus.OpGreater
	if op == corpus.OpLess || op == corpus.OpLessEqual {
		strict = corpus.OpLess
	}
	f := &qdrant.Filter{}
	var equal []*qdrant.Condition
	for i, field := range orderFields {
		n := block(value, i)
		differs := append(slices.Clone(equal), qdrant.NewRange(field, numberRange(strict, float64(n))))
		f.Should = append(f.Should, qdrant.NewFilterAsCondition(all(differs...)))
		equal = append(equal, qdrant.NewMatchInt(field, n))
	}
	if op != strict {
		f.Should = append(f.Should, qdrant.NewFilterAsCondition(all(equal...)))
	}
	return f
}

// filter is the whole of what a search or a listing of a collection is limited to.
func (r record) filter(a corpus.Access, f corpus.Filter) (*qdrant.Filter, error) {
	must, not, err := conditions(f)
	if err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	return &qdrant.Filter{Must: slices.Concat([]*qdrant.Condition{keyword(fieldCollection, r.key)}, canSee(a), must), MustNot: not}, nil
}
