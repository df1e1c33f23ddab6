package eval

import (
	"grounded/corpus"
)

// LoadStored reads a run under a name, with what judges said of it. One without items is corpus.ErrNotFound.
func LoadStored(name, path string) (s Stored, err error) {
	s.Name = name
	if s.Header, s.Items, err = Load(path); err != nil {
		return s, err
	}
	if len(s.Items) == 0 {
		return s, corpus.Errorf(corpus.ErrNotFound, "the run %s has no items yet", path)
	}
	s.Judgements, err = LoadJudgements(path)
	return s, err
}

// ReportOn reports on a run, or on several beside each other as Merge has them. Labels can be of one run only. Errors are
// those of Merge and NewReport.
func ReportOn(runs []Stored, c ReportConfig) (Report, error) {
	if len(runs) == 1 {
		c.Judgements = runs[0].Judgements
		return NewReport(runs[0].Header, runs[0].Items, c)
	}
	if c.Labels != nil {
		return Report{}, corpus.Errorf(corpus.ErrInvalid, "report: labels are of one run, not of %d", len(runs))
	}
	names := make([]string, len(runs))
	headers, items := make([]Header, len(runs)), make([][]Item, len(runs))
	for i, r := range runs {
		names[i], headers[i], items[i] = r.Name, r.Header, r.Items
		c.Judgements = append(c.Judgements, RenameJudgements(r.Name, r.Judgements)...)
	}
	header, all, baseline, err := Merge(names, headers, items)
	if err != nil {
		return Report{}, err
	}
	c.Baseline = baseline
	return NewReport(header, all, c)
}
