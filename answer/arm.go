package answer

import (
	"sort"
	"strings"

	"grounded/corpus"
)

// The arms that are always there.
const (
	ArmPlain    = "plain"
	ArmFewShot  = "few-shot"
	ArmGrounded = "grounded"
)

// Source says where an arm's passages come from.
type Source int

// The sources of passages.
const (
	NoPassages        Source = iota
	RetrievedPassages        // found for the question and judged; Request.Passages goes before
	GivenPassages            // Request.Passages, as they are
)

// Arm is a way to answer.
type Arm struct {
	Name     string
	Examples bool // Request.Examples are shown, and needed
	Passages Source
}

func builtinArms() []Arm {
	return []Arm{
		{Name: ArmPlain},
		{Name: ArmFewShot, Examples: true},
		{Name: ArmGrounded, Passages: RetrievedPassages},
	}
}

// Arms lists the names of all arms, sorted.
func (s *Service) Arms() []string {
	var names []string
	for name := range s.arms {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// arm looks a name up; empty is grounded.
func (s *Service) arm(name string) (Arm, error) {
	if name == "" {
		name = ArmGrounded
	}
	arm, ok := s.arms[name]
	if !ok {
		return Arm{}, corpus.Hint(corpus.Errorf(corpus.ErrInvalid, "answer: there is no arm %q", name),
			"the arms are "+strings.Join(s.Arms(), ", "))
	}
	return arm, nil
}
