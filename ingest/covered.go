package ingest

import (
	"path"
	"slices"
	"strings"

	"grounded/corpus"
)

// covered lists the parts of a source that have been ingested once this plan is done, for corpus.Source.Paths:
// those that were before, those of the plan's scopes, and the sources that become part of it.
func (p plan) covered(source string, known []corpus.Source) []string {
	var parts []string
	for _, k := range known {
		if k.Name == source {
			if len(k.Paths) == 0 {
				return nil
			}
			parts = append(parts, k.Paths...)
		}
	}
	for _, s := range p.scopes {
		if s.source.Name == source {
			parts = append(parts, s.path)
		}
	}
	for _, a := range p.absorbed {
		if a.into.Name != source {
			continue
		}
		if len(a.from.Paths) == 0 {
			parts = append(parts, a.prefix)
		}
		for _, part := range a.from.Paths {
			parts = append(parts, path.Join(a.prefix, part))
		}
	}
	slices.Sort(parts)
	var widest []string // a folder sorts before what is in it
	for _, part := range parts {
		if part == "" {
			return nil
		}
		if !slices.ContainsFunc(widest, func(w string) bool { return part == w || strings.HasPrefix(part, w+"/") }) {
			widest = append(widest, part)
		}
	}
	return widest
}
