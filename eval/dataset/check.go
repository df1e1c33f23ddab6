package dataset

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"grounded/corpus"
	"grounded/store"
)

// Library is what a dataset is checked against; a store.Store is one.
type Library interface {
	Documents(ctx context.Context, q store.DocumentQuery) (docs []corpus.Document, next string, err error)
	Pages(ctx context.Context, scope corpus.Scope, id corpus.DocumentID, first, last int) ([]corpus.Page, error)
}

// Kinds of finding.
const (
	MissingDocument   = "missing-document"   // the evidence's document is not in the collection
	AmbiguousDocument = "ambiguous-document" // several documents have that base name
	MissingPage       = "missing-page"       // the document has fewer pages
	MissingQuote      = "missing-quote"      // the quote is not on its page
	Duplicate         = "duplicate"          // the question is asked twice
	NoEvidence        = "no-evidence"        // retrieval and citations can't be scored
	NoAnswers         = "no-answers"         // answers can't be scored
)

// Finding is something that a dataset's user should know.
type Finding struct {
	Question string `json:"id"`
	Kind     string `json:"kind"`
	Text     string `json:"text"` // a sentence
}

// Resolver finds the documents of a collection that evidence names.
type Resolver struct {
	paths map[string]corpus.Document
	bases map[string][]string
}

// NewResolver reads the list of documents.
func NewResolver(ctx context.Context, library Library, scope corpus.Scope) (*Resolver, error) {
	r := &Resolver{paths: map[string]corpus.Document{}, bases: map[string][]string{}}
	query := store.DocumentQuery{Scope: scope, Limit: 1000}
	for {
		docs, next, err := library.Documents(ctx, query)
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			if _, again := r.paths[d.Path]; !again {
				base := path.Base(d.Path)
				r.bases[base] = append(r.bases[base], d.Path)
			}
			r.paths[d.Path] = d
		}
		if next == "" {
			return r, nil
		}
		query.Cursor = next
	}
}

// find returns the path of the document that a name means: the path itself, or the only one of that base name.
func (r *Resolver) find(name string) (path string, kind, problem string) {
	name = norm.NFC.String(name) // as paths are, also of what a Mac wrote
	if _, ok := r.paths[name]; ok {
		return name, "", ""
	}
	switch same := r.bases[name]; len(same) {
	case 0:
		problem = fmt.Sprintf("%s is not in the collection.", name)
		if near := r.near(name); len(near) > 0 {
			problem += fmt.Sprintf(" Is it %s?", strings.Join(near, " or "))
		}
		return "", MissingDocument, problem
	case 1:
		return same[0], "", ""
	default:
		return "", AmbiguousDocument, fmt.Sprintf("%s may be any of %s: write the whole path.", name, strings.Join(same, ", "))
	}
}

// near lists the paths that differ from a name in nothing but case, extension and folders, at most three.
func (r *Resolver) near(name string) (paths []string) {
	for _, p := range slices.Sorted(maps.Keys(r.paths)) {
		if plainName(p) == plainName(name) && len(paths) < 3 {
			paths = append(paths, p)
		}
	}
	return paths
}

// plainName is a file's name without folders, extension, case and white space.
func plainName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	if e := path.Ext(name); len(e) > 1 && len(e) <= 5 && len(e) < len(name) && !strings.Contains(e, " ") {
		name = strings.TrimSuffix(name, e)
	}
	return squash(name)
}

// ID is that of the document at a path.
func (r *Resolver) ID(path string) (id corpus.DocumentID, there bool) {
	d, there := r.paths[path]
	return d.ID, there
}

// Resolve returns questions whose evidence names documents by their whole path, and findings on what it can't find:
// that evidence stays as it is and counts as not found.
func (r *Resolver) Resolve(questions []Question) ([]Question, []Finding) {
	resolved := slices.Clone(questions)
	var findings []Finding
	for i := range resolved {
		q := &resolved[i]
		q.Evidence = slices.Clone(q.Evidence)
		for j := range q.Evidence {
			path, kind, problem := r.find(q.Evidence[j].Document)
			if kind != "" {
				findings = append(findings, Finding{q.ID, kind, problem})
				continue
			}
			q.Evidence[j].Document = path
		}
	}
	return resolved, findings
}

// Check looks up everything that the questions claim of the collection, and finds what is asked twice.
func Check(ctx context.Context, library Library, scope corpus.Scope, questions []Question) ([]Finding, error) {
	r, err := NewResolver(ctx, library, scope)
	if err != nil {
		return nil, err
	}
	resolved, findings := r.Resolve(questions)
	pages := map[string][]corpus.Page{}
	for _, q := range resolved {
		for _, e := range q.Evidence {
			d, there := r.paths[e.Document]
			if !there {
				continue
			}
			text, read := pages[e.Document]
			if !read {
				if text, err = library.Pages(ctx, scope, d.ID, 1, 0); err != nil {
					return nil, fmt.Errorf("read pages of %s: %w", d.Path, err)
				}
				pages[e.Document] = text
			}
			if f := checkEvidence(e, text); f.Kind != "" {
				f.Question = q.ID
				findings = append(findings, f)
			}
		}
	}
	findings = append(findings, Lint(questions)...)
	order := map[string]int{}
	for i, q := range questions {
		order[q.ID] = i
	}
	slices.SortStableFunc(findings, func(a, b Finding) int { return cmp.Compare(order[a.Question], order[b.Question]) })
	return findings, nil
}

// Lint finds what can be told without a collection.
func Lint(questions []Question) []Finding {
	var findings []Finding
	asked := map[string]string{}
	for _, q := range questions {
		key := squash(q.Question)
		for _, m := range q.History {
			key += "\n" + squash(m.Content)
		}
		if first, again := asked[key]; again {
			findings = append(findings, Finding{q.ID, Duplicate, fmt.Sprintf("The same is asked as %s.", first)})
		} else {
			asked[key] = q.ID
		}
		if q.Answerable && len(q.Evidence) == 0 {
			findings = append(findings, Finding{q.ID, NoEvidence, "It has no evidence: retrieval and citations are not scored."})
		}
		if q.Answerable && len(q.Answers) == 0 {
			findings = append(findings, Finding{q.ID, NoAnswers, "It has no answers: answers are not scored."})
		}
	}
	return findings
}

func checkEvidence(e Evidence, pages []corpus.Page) Finding {
	quote := squash(e.Quote)
	var all strings.Builder
	found, on := false, 0
	for _, p := range pages {
		text := squash(p.Text)
		all.WriteString(text)
		if p.Number == e.Page {
			found = true
		}
		if on == 0 && strings.Contains(text, quote) || p.Number == e.Page && strings.Contains(text, quote) {
			on = p.Number
		}
	}
	switch {
	case e.Page > 0 && !found:
		return Finding{Kind: MissingPage, Text: fmt.Sprintf("%s has %d pages; there is no page %d.", e.Document, len(pages), e.Page)}
	case quote == "" || on > 0 && on == e.Page || e.Page == 0 && (on > 0 || strings.Contains(all.String(), quote)):
		return Finding{}
	case on > 0:
		return Finding{Kind: MissingQuote, Text: fmt.Sprintf("The quote %q is on page %d of %s, not on page %d.", e.Quote, on, e.Document, e.Page)}
	case e.Page > 0:
		return Finding{Kind: MissingQuote, Text: fmt.Sprintf("The quote %q is not on page %d of %s.", e.Quote, e.Page, e.Document)}
	}
	return Finding{Kind: MissingQuote, Text: fmt.Sprintf("The quote %q is not in %s.", e.Quote, e.Document)}
}

// squash leaves white space out and unifies case and compatibility forms, so that line breaks, ligatures and
// full-width letters make no difference.
func squash(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '\u00ad' || r == '\u200b' {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKC.String(text))
}

// Holds reports whether a text holds a quote, white space, case and compatibility forms apart.
func Holds(text, quote string) bool { return strings.Contains(squash(text), squash(quote)) }
